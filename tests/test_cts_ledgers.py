"""The trading suite's scripts adopted, applied, noted in both ledgers, and taken back with both following."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from fixtures import cts
from tests.commands import run
from tests.servers import EmptyTarget
from tests.shop import NAME, audited, succeeds, with_code

pytest.importorskip("sqlglot")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

ROOT = Path(__file__).parents[1]
NEW = "057_create_drawdowns_table"
SCRIPT = """
CREATE TABLE drawdowns (
    id INTEGER PRIMARY KEY,
    position_id TEXT NOT NULL,
    depth REAL NOT NULL DEFAULT 0
);
CREATE INDEX idx_drawdowns_position ON drawdowns (position_id);
"""
EXECUTED = {16, 38, 56}


@pytest.fixture
def catalog(empty_target: EmptyTarget, settings: Any, tmp_path: Path) -> Path:
    """Return a copy of the suite's catalog and scripts, with one more script, whose target is the suite."""
    folder = tmp_path / "catalogs" / "cts"
    shutil.copytree(ROOT / "migrations_catalog" / "cts", folder)
    shutil.copytree(ROOT / "fixtures" / "cts" / "scripts", folder / "scripts")
    (folder / "scripts" / f"{NEW}.sql").write_text(SCRIPT)
    toml = folder / "catalog.toml"
    toml.write_text(toml.read_text().replace("../../fixtures/cts/scripts", "scripts"))
    settings.INTEGRITY = {"BACKUP_ROOT": tmp_path / "backups", "CATALOG_ROOT": folder.parent}
    connections.databases[NAME]["CATALOG"] = "cts"
    cts.build(empty_target.url, rows=400)
    return folder


def theirs(target: EmptyTarget) -> set[int]:
    return {int(number) for (number,) in target.rows("SELECT migration_id FROM schema_migrations")}


def ours(target: EmptyTarget) -> set[str]:
    rows = target.rows("SELECT name FROM django_migrations WHERE app = 'catalog_cts'")
    return {name for (name,) in rows}


def standing() -> dict[str, str]:
    found = with_code(audited(), "ledger_disagrees")
    return {each["object"][:3]: each["evidence"]["standing"] for each in found}


def clean() -> None:
    """Resolve what keeps the rules from binding."""
    succeeds("migrate", "--phase", "2")
    succeeds("cleanup", "--no-input")
    succeeds("cleanup", "--reference", "preset_trades.preset_id", "--action", "set_null", "--no-input")


def test_a_script_is_adopted_noted_in_both_ledgers_and_taken_back_from_both(
    empty_target: EmptyTarget, catalog: Path
) -> None:
    clean()
    succeeds("migrate")
    before, rows = theirs(empty_target), ours(empty_target)
    assert before == EXECUTED
    assert standing()["037"] == "unrecorded"

    adopted = run("makemigrations", NAME, "--adopt", "--format", "json")
    outcome = {each["script"][:3]: each["outcome"] for each in adopted.json["scripts"]}
    assert outcome["057"] == "written"
    assert outcome["037"] in ("written", "recorded")
    names = {Path(each["path"]).stem for each in adopted.json["files"]} - {"__init__"}
    assert len(names) == list(outcome.values()).count("written") + list(outcome.values()).count("recorded")

    assert {each["name"] for each in succeeds("migrate")["migrations"]} == names
    assert {37, 57} <= theirs(empty_target)
    assert ours(empty_target) == rows | names
    assert empty_target.rows("SELECT count(*) FROM drawdowns") == [(0,)]
    assert {"016", "037", "038", "057"}.isdisjoint(standing())
    assert succeeds("migrate")["migrations"] == []

    succeeds("migrate", "0006", "--no-input")
    assert theirs(empty_target) == before
    assert ours(empty_target) == rows
    assert "drawdowns" not in str(audited()["findings"])
    assert standing()["037"] == "unrecorded"
