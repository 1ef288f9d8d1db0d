"""Scripts written to a folder, and what one check finds in them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from integrity.references.catalog import Catalog
from integrity.scripts.checks.base import LiveTarget, ScriptInspection, all_checks
from integrity.scripts.finding import ScriptFinding
from integrity.scripts.reading import read_scripts
from integrity.scripts.survey import survey

Find = Callable[..., list[ScriptFinding]]


def found_in(
    folder: Path,
    code: str,
    files: Mapping[str, str],
    *,
    catalog: Catalog | None = None,
    live: LiveTarget | None = None,
) -> list[ScriptFinding]:
    """What one check finds in scripts by their names."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    check = next(each for each in all_checks() if each.code == code)
    inspection = ScriptInspection(survey(read_scripts([folder])), catalog or Catalog(), live)
    return list(check.check(inspection))


@pytest.fixture
def find(tmp_path: Path) -> Find:
    """Return a function that writes scripts and returns what a check finds in them."""

    def finding(code: str, files: Mapping[str, str], **known: object) -> list[ScriptFinding]:
        return found_in(tmp_path / "app", code, files, **known)  # type: ignore[arg-type]

    return finding
