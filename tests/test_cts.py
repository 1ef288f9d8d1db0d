"""The trading suite's whole way, by commands alone: two engines and two migration systems come to one truth, and back.

Its catalog is written for both engines at once; each copy shares it by ``CATALOG``.
"""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from fixtures import cts
from fixtures.manifest import Manifest, StructureManifest
from integrity.database.schema import Schema, TableKind
from integrity.database.session import Target
from integrity.database.structures import fingerprint
from integrity.operations.catalog_migrations import operations_of
from integrity.operations.operation import CatalogOperation
from integrity.references.catalog import load_catalog
from integrity.tasks.designing import fixes_for
from tests.commands import run
from tests.servers import SQLITE, EmptyTarget
from tests.shop import NAME, audited, enforced, orphans, succeeds, with_code

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

ROWS = 400
PRESETS = "preset_trades.preset_id"
MIGRATIONS = Path(__file__).parents[1] / "migrations_catalog" / "cts" / "migrations"
LOG = "site_logs"
SEED = "0007_seed_test_data"
CONNECTIONS = """
    SELECT md5(string_agg(row(id, user_id, name, exchange, api_key, api_secret, is_enabled, created_at)::text, ''
        ORDER BY id)) FROM exchange_connections"""
INTEGRITY_ERRORS = (sqlite3.IntegrityError, psycopg.IntegrityError)
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

    def state(self) -> dict[str, str]:
        """Digest every table, the structure and the routines; PostgreSQL gives a column that comes back the
        last place."""
        with Target(NAME).reading() as session:
            schema = session.schema()
            found = {
                table.name.name: str(session.engine.digest(session, table))
                for table in schema
                if table.kind is TableKind.TABLE and table.name.name not in ("django_migrations", LOG)
            }
            routines = session.engine.routines(session)
        structure = schema.structure()
        if not self.sqlite:
            found["exchange_connections"] = str(self.target.rows(CONNECTIONS))
            (moved,) = (each for name, each in structure.items() if name.endswith("exchange_connections"))
            moved["columns"] = sorted(moved["columns"], key=lambda column: column["name"])
        written = sorted(" ".join(each.definition.split()) for each in routines)
        return found | {"structure": fingerprint(structure), "routines": "; ".join(written)}


@pytest.fixture
def suite(empty_target: EmptyTarget, settings: Any, tmp_path: Path) -> Suite:
    """The suite on each engine."""
    settings.INTEGRITY = {"BACKUP_ROOT": tmp_path / "backups"}
    connections.databases[NAME]["CATALOG"] = "cts"
    made = Suite(empty_target, cts.build(empty_target.url, rows=ROWS))
    made.before.update(made.state())
    return made


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
    others = {
        f"{each['table']}.{each['columns'][0]}": each["evidence"]
        for each in with_code(document, "column_differs")
    }
    assert others.pop("exchange_connections.user_id") == {"column": {"is": "there", "catalog": "gone"}}
    types = {name: evidence["type"]["is"].lower() for name, evidence in others.items()}
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


def test_a_ledger_that_lies_is_found_and_one_that_forgot(suite: Suite) -> None:
    said = {each["object"]: each for each in with_code(findings(), "ledger_disagrees")}

    standing = {name: each["evidence"]["standing"] for name, each in said.items()}
    assert {name for name, each in standing.items() if each == "lies"} == set(
        suite.structure.executed_but_not_there
    )
    assert {name for name, each in standing.items() if each == "unrecorded"} == set(
        suite.structure.there_but_not_executed
    )
    (lie,) = suite.structure.executed_but_not_there
    assert "parabolic_sar" in said[lie]["message"]
    stopped = {"036_create_optimal_indication_tables", "055_create_preset_trade_engine_tables"}
    assert {name for name, each in standing.items() if each == "overtaken"} == stopped


def test_scripts_that_cannot_work_are_not_adopted(suite: Suite) -> None:
    shown = run("makemigrations", NAME, "--adopt", "--dry-run", "--format", "json")

    assert shown.code == 1
    outcome = {each["script"][:3]: (each["outcome"], each["reason"]) for each in shown.json["scripts"]}
    assert {number for number, (what, _) in outcome.items() if what == "refused"} == {"036", "055", "056"}
    assert "036_create_optimal_indication_tables.sql:" in outcome["036"][1]
    assert "its entry lies" in outcome["056"][1]
    assert changed(suite) == {}


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


def changed(suite: Suite) -> dict[str, tuple[str | None, str | None]]:
    """Say what is not as it was."""
    now, before = suite.state(), suite.before
    keys = sorted(now.keys() | before.keys())
    return {key: (before.get(key), now.get(key)) for key in keys if before.get(key) != now.get(key)}


def clean() -> list[int]:
    """Repair by policy, then what the policy of no row covers: trades whose preset is really gone."""
    first = succeeds("cleanup", "--no-input", "--require-backup")
    relinked = ("--reference", PRESETS, "--action", "set_null")
    second = succeeds("cleanup", *relinked, "--no-input", "--require-backup")
    return [first["run"], second["run"]]


def test_the_whole_way_there_and_back_again(suite: Suite) -> None:
    succeeds("backup")
    succeeds("migrate", "--phase", "2")
    assert_what_fits_already_is_bound(suite)
    stopped = run("migrate", NAME)
    assert stopped.code == 2
    assert "integrity_cleanup" in stopped.err
    cleaned, nulled = clean()
    logged = "SELECT count(*) FROM site_logs WHERE category LIKE 'ORPHANED%'"
    assert suite.number(logged) > 0

    succeeds("migrate")
    assert succeeds("migrate")["migrations"] == []
    assert run("makemigrations", NAME, "--check").code == 0
    document = audited()
    assert not [each for each in document["findings"] if each["severity"] == "error"]
    verified = succeeds("verify")
    assert enforced(verified) >= {each.name for each in load_catalog("cts").references}
    assert all(query["uses_index"] for query in verified["queries"])
    assert_one_schema(suite)
    assert_the_rules_bind(suite)

    refused = run("rollback", NAME, nulled, "--no-input")
    assert refused.code == 2
    assert "--with-migrations" in refused.err
    for number in (nulled, cleaned):
        assert succeeds("rollback", number, "--with-migrations", "--no-input")["proof"]["rows_equal"] is True
    succeeds("migrate", "zero", "--no-input")
    assert changed(suite) == {}


def assert_one_schema(suite: Suite) -> None:
    """Every table that is required is there, keys are text on both sides, and the user is gone."""
    schema = suite.schema()
    for entry in load_catalog("cts").tables:
        table = schema.table(schema.resolve(entry.table))
        assert table.has_columns(tuple(each.name for each in entry.columns)), entry.table
    for reference in load_catalog("cts").references:
        both = [
            schema.table(schema.resolve(side)).column(side.columns[0]).type.lower()
            for side in (reference.source, reference.to)
        ]
        assert len(set(both)) == 1, reference.name
    connections_ = schema.table(schema.resolve("exchange_connections"))
    assert not connections_.has_columns(("user_id",))
    suite.execute("INSERT INTO exchange_connections (name, exchange) VALUES ('made', 'okx')")
    made = suite.target.rows(
        "SELECT id, is_testnet, updated_at FROM exchange_connections WHERE name = 'made'"
    )
    assert len(made[0][0]) >= 32
    assert bool(made[0][1]) is False
    suite.execute("DELETE FROM exchange_connections WHERE name = 'made'")
    filled = "SELECT count(*) FROM exchange_connections WHERE updated_at = created_at"
    assert suite.number(filled) == suite.manifest.tables["exchange_connections"]


def assert_the_rules_bind(suite: Suite) -> None:
    """Try what must not be, past the product, and what was impossible before."""
    with pytest.raises(INTEGRITY_ERRORS):
        suite.execute("""INSERT INTO preset_trade_engine_state (preset_id, connection_id)
            VALUES ('nobody', 'nothing')""")
    with pytest.raises(INTEGRITY_ERRORS):
        suite.execute("DELETE FROM exchange_connections WHERE id IN (SELECT connection_id FROM orders)")
    suite.execute("""INSERT INTO base_pseudo_positions (connection_id, symbol, indication_type, direction)
        SELECT min(id), 'NEWUSDT', 'move', 'long' FROM exchange_connections""")
    suite.execute("UPDATE base_pseudo_positions SET status = 'active' WHERE symbol = 'NEWUSDT'")
    suite.execute("DELETE FROM base_pseudo_positions WHERE symbol = 'NEWUSDT'")
    assert suite.number("SELECT count(*) FROM open_positions") > 0


def assert_what_fits_already_is_bound(suite: Suite) -> None:
    """Phases 1 and 2 alone leave a suite that works, its orphans in it; the other keys come with phase 3."""
    references = load_catalog("cts").references
    converted = ("exchange_connections", "presets")
    bound = {key.name for key in suite.schema().foreign_keys()}
    assert bound == {each.name for each in references if each.to.table not in converted}
    document = findings(1)
    assert document["coverage"]["complete"] is True
    assert orphans(document) == {
        each.referencing: (each.orphans, each.missing_keys)
        for each in suite.manifest.references
        if each.orphans
    }


def test_trades_that_spell_their_preset_otherwise_find_it_again(suite: Suite) -> None:
    lookalikes = suite.manifest.reference(PRESETS).lookalikes
    known = "SELECT count(*) FROM preset_trades WHERE preset_id IN (SELECT CAST(id AS text) FROM presets)"
    before = suite.number(known)

    succeeds("cleanup", "--reference", PRESETS, "--no-input")

    assert suite.number(known) == before + lookalikes
    assert orphans(findings())[PRESETS][0] == suite.manifest.reference(PRESETS).orphans - lookalikes


def test_a_release_builds_the_one_schema_in_an_empty_database(empty_target: EmptyTarget) -> None:
    """As a deployment does it, in production; then the seed data that only tests get; and all of it back."""
    connections.databases[NAME]["CATALOG"] = "cts"
    production = ("--release", "--no-input", "--environment", "production")
    (released,) = succeeds("migrate", *production)["release"]
    assert released["state"] == "released"
    (again,) = succeeds("migrate", *production)["release"]
    assert again["state"] == "nothing to do"

    document = audited()
    assert not [each for each in document["findings"] if each["severity"] == "error"]
    assert not with_code(document, "column_differs")
    assert {each.table.table for each in load_catalog("cts").tables} | {LOG} <= tables_of()

    seeded = "SELECT count(*) FROM presets WHERE id = 'test-preset'"
    assert empty_target.rows(seeded) == [(0,)]
    succeeds("migrate", "--environment", "test")
    assert empty_target.rows(seeded) == [(1,)]
    succeeds("migrate", "0006", "--no-input", "--environment", "test")
    assert empty_target.rows(seeded) == [(0,)]

    succeeds("migrate", "zero", "--no-input", "--environment", "test")
    assert tables_of() <= {"django_migrations", LOG}


def tables_of() -> set[str]:
    with Target(NAME).reading() as session:
        return {table.name.name for table in session.schema() if table.kind is TableKind.TABLE}


def test_the_migrations_that_are_shipped_are_those_that_would_be_written(suite: Suite) -> None:
    shipped = [operation for migration, operation in operations_of(NAME) if migration.name != SEED]
    connections.databases[NAME]["CATALOG"] = "another"
    catalog = MIGRATIONS.parent / "catalog.toml"
    designed = [fix.operation for fix in fixes_for(NAME, catalog_file=catalog, everything=True)[0]]

    assert not [each.describe() for each in designed if described(each) not in map(described, shipped)]
    others = [each for each in shipped if described(each) not in map(described, designed)]
    vendor = "sqlite" if suite.sqlite else "postgresql"
    assert not [each.describe() for each in others if each.statements(vendor)]


def described(operation: CatalogOperation) -> tuple[str, str]:
    """Its kind and what it was given; an argument may be left out where it is empty."""
    given = {name: each for name, each in operation.arguments().items() if each not in ("", (), None)}
    return type(operation).__name__, repr(given)
