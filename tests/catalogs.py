"""Catalogs for tests: TOML in the test itself."""

from collections.abc import Callable
from pathlib import Path

import pytest

from integrity.references.catalog import Catalog, load_catalog

LendCatalog = Callable[[str], Catalog]


@pytest.fixture
def lend_catalog(tmp_path: Path) -> LendCatalog:
    """Return a function that reads a catalog from text, as ``--catalog FILE`` does."""

    def lend(text: str) -> Catalog:
        file = tmp_path / "catalog.toml"
        file.write_text(text, encoding="utf-8")
        return load_catalog("target", file)

    return lend
