"""The catalog's ``[ledger]`` and ``[environment.NAME]``: another tool's migrations, and which go where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from integrity.database.identifiers import Path, parse_table
from integrity.references.entry_reading import Fail, read_path, read_text, read_texts

LEDGER_WORDS = ("table", "scripts", "rationale")
ENVIRONMENT_WORDS = ("migrations", "rationale")


@dataclass(frozen=True)
class CatalogLedger:
    """The ``[ledger]`` of another runner: its table, and the folder of the scripts that it runs."""

    table: Path
    scripts: FilePath | None = None
    rationale: str = ""


@dataclass(frozen=True)
class CatalogEnvironment:
    """An ``[environment.NAME]``: the migrations that belong to it and to no environment without them."""

    name: str
    migrations: tuple[str, ...] = ()
    rationale: str = ""


def read_ledger(data: Mapping[str, Any], folder: FilePath, fail: Fail) -> CatalogLedger:
    """Reads the ``[ledger]``; ``scripts`` is relative to the folder of the catalog.

    Raises:
        CatalogError: made by ``fail``.
    """
    scripts = read_text(data, "scripts", fail)
    return CatalogLedger(
        table=read_path(data, "table", parse_table, fail),
        scripts=(folder / scripts).resolve() if scripts else None,
        rationale=read_text(data, "rationale", fail),
    )


def read_environment(name: str, data: Mapping[str, Any], fail: Fail) -> CatalogEnvironment:
    """Reads an ``[environment.NAME]``.

    Raises:
        CatalogError: made by ``fail``.
    """
    return CatalogEnvironment(name, read_texts(data, "migrations", fail), read_text(data, "rationale", fail))
