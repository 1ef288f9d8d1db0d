"""The causes of the support bot's orphans are told as they were made."""

from pathlib import Path

import pytest

from fixtures import trulybot
from integrity.audit import audit
from integrity.database.session import Target
from integrity.detectors.finding import Finding
from integrity.references.catalog import load_catalog
from integrity.references.causes import Kind
from tests.servers import SQLITE, EmptyTarget

CATALOG = Path(__file__).parents[2] / "migrations_catalog" / "trulybot" / "catalog.toml"


@pytest.mark.newest_postgres_only
def test_all_four_causes_of_the_text_are_told_apart(empty_target: EmptyTarget) -> None:
    if empty_target.vendor == SQLITE:
        return
    manifest = trulybot.build(empty_target.url, rows=10_000)
    result = audit(Target(empty_target.alias), load_catalog("trulybot", CATALOG))
    told = {_label(each): _rows_by_cause(each) for each in result.with_code("orphaned_rows")}

    assert told == {each.referencing: dict(each.causes) for each in manifest.references if each.orphans}
    assert {cause for causes in told.values() for cause in causes} == {
        Kind.PARENT_DELETED, Kind.IMPORT, Kind.FORMAT_MISMATCH, Kind.BEFORE_CONSTRAINT,
    }  # fmt: skip


def _label(finding: Finding) -> str:
    return f"{finding.table.name}.{','.join(finding.columns)}"


def _rows_by_cause(finding: Finding) -> dict[str, int]:
    return {each["kind"]: each["rows"] for each in finding.evidence["causes"]}
