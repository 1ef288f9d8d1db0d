"""The trading suite's whole way, by commands alone: two engines and two migration systems come to one truth, and back.

Its catalog is written for both engines at once; each copy shares it by ``CATALOG``.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from fixtures import cts
from fixtures.manifest import Manifest, StructureManifest
from integrity.database.schema import Schema
from integrity.database.session import Target
from integrity.references.catalog import load_catalog
from tests.commands import run
from tests.servers import SQLITE, EmptyTarget
from tests.shop import NAME, orphans, with_code

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

ROWS = 400
WAITING = {
    "optimal_indications.connection_id", "optimal_indications.symbol_id",
    "optimal_indications.base_position_id", "preset_trade_engine_state.preset_id",
    "preset_trade_engine_state.connection_id",
}  # fmt: skip

TRIGGERED = ("exchange_connections", "base_pseudo_positions", "presets", "preset_trade_engine_state")


@dataclass(frozen=True)
class Suite:
    """The trading suite in its conflicting state, as a target."""

    target: EmptyTarget
    manifest: Manifest
    before: dict[str, str] = field(default_factory=dict)

    @property
    def sqlite(self) -> bool:
        """Whether it is in a file."""
        return self.target.vendor == SQLITE

    @property
    def structure(self) -> StructureManifest:
        """What is wrong with its structure."""
        assert self.manifest.structure is not None
        return self.manifest.structure

    def number(self, statement: str) -> int:
        """Ask the database one number, past the product."""
        return int(self.target.rows(statement)[0][0])

    def execute(self, statement: str) -> None:
        """Do what the application does, on a connection that enforces."""
        self.target.execute_script(f"PRAGMA foreign_keys = ON; {statement}" if self.sqlite else statement)

    def schema(self) -> Schema:
        """Read the structure as it is."""
        with Target(NAME).reading() as session:
            return session.schema()


@pytest.fixture
def suite(empty_target: EmptyTarget, settings: Any, tmp_path: Path) -> Suite:
    """The suite on each engine."""
    settings.INTEGRITY = {"BACKUP_ROOT": tmp_path / "backups"}
    connections.databases[NAME]["CATALOG"] = "cts"
    return Suite(empty_target, cts.build(empty_target.url, rows=ROWS))


def findings(code: int = 2) -> dict[str, Any]:
    """Audit; what waits for a table that is missing makes it incomplete."""
    ran = run("audit", NAME, "--format", "json")
    assert ran.code == code, ran.err
    return dict(ran.json)


def columns(document: dict[str, Any], code: str) -> set[str]:
    return {f"{each['table']}.{','.join(each['columns'])}" for each in with_code(document, code)}


def test_an_audit_finds_what_the_manifest_says(suite: Suite) -> None:
    document = findings()

    assert orphans(document) == {
        each.referencing: (each.orphans, each.missing_keys)
        for each in suite.manifest.references
        if each.orphans
    }
    missing = {each["evidence"]["name"] for each in with_code(document, "missing_foreign_key")}
    assert missing == {each.name for each in suite.manifest.references}
    assert {each["table"] for each in with_code(document, "missing_table")} == set(
        suite.structure.missing_tables
    )
    assert columns(document, "missing_column") == set(suite.structure.missing_columns)
    types = {
        f"{each['table']}.{each['columns'][0]}": each["evidence"]["type"]["is"].lower()
        for each in with_code(document, "column_differs")
    }
    assert types == suite.structure.other_types
    assert not with_code(document, "table_count")


def test_routines_that_cannot_work_are_found_and_those_that_can_are_not(suite: Suite) -> None:
    document = findings()

    broken = " ".join(each["message"] for each in with_code(document, "broken_routine"))
    assert len(with_code(document, "broken_routine")) == 3
    assert all(name in broken for name in suite.structure.broken_routines)
    assert "open_position_count" not in broken
    missing = {each["object"] for each in with_code(document, "missing_routine")}
    triggers = {f"trigger update_{table}_updated_at on {table}" for table in TRIGGERED}
    assert missing == triggers | (set() if suite.sqlite else {"function update_updated_at_column"})
    other = "view open_positions" if suite.sqlite else "function preset_win_rate"
    assert {each["object"] for each in with_code(document, "routine_differs")} == {other}


def test_what_cannot_be_looked_at_yet_is_said_with_what_it_waits_for(suite: Suite) -> None:
    coverage = findings()["coverage"]

    assert coverage["complete"] is False
    waiting = {each["reference"]: each["reason"] for each in coverage["skipped"] if "reference" in each}
    assert set(waiting) == WAITING
    assert all("integrity_makemigrations" in reason for reason in waiting.values())


def test_keys_in_capitals_braces_and_spaces_are_explained(suite: Suite) -> None:
    (found,) = [each for each in with_code(findings(), "orphaned_rows") if each["table"] == "preset_trades"
                and each["columns"] == ["preset_id"]]  # fmt: skip

    causes = {each["kind"]: each["rows"] for each in found["evidence"]["causes"]}
    assert suite.manifest.reference("preset_trades.preset_id").lookalikes in causes.values()


def test_every_reference_of_the_catalog_has_an_index_and_every_other_index_a_query() -> None:
    catalog = load_catalog("cts")
    led = {(each.table.table, each.columns[0]) for each in catalog.indexes}
    existing = {("sessions", "user_id"), ("trades", "order_id"), ("pseudo_positions", "connection_id")}
    assert {(each.source.table, *each.source.columns) for each in catalog.references} <= led | existing
    served = {query.index for query in catalog.queries}
    single = {each.name for each in catalog.indexes if each.name.endswith("_id")}
    assert {each.name for each in catalog.indexes} - single <= served | {"idx_preset_trades_closed"}


def test_the_catalog_and_the_fixture_name_the_same_references(suite: Suite) -> None:
    catalog = load_catalog("cts")
    stated = {(each.name, each.source.table, str(each.on_delete)) for each in catalog.references}
    built = {
        (each.name, each.referencing.split(".")[0], each.on_delete) for each in suite.manifest.references
    }
    assert built <= stated
    assert {table for _, table, _ in stated - built} == set(suite.structure.missing_tables)
