"""The trading suite's scripts, its route and its runner: each of the five critical issues is found in them."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from fixtures import cts
from tests.commands import run
from tests.servers import EmptyTarget
from tests.shop import NAME

ROOT = Path(cts.__file__).parent
SCRIPTS = "scripts/016_create_exchange_connections_table.sql"
BASE = "scripts/036_create_optimal_indication_tables.sql"
PRESETS = "scripts/055_create_preset_trade_engine_tables.sql"
ROUTE = "app/api/install/database/migrate/route.ts"
ADDITIONS = "lib/db-migrations-additions.ts"
PRESET_TABLES = {"presets", "preset_configurations", "preset_pseudo_positions", "preset_trades"}

Found = set[tuple[str, str]]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The audit of the scripts."""
    ran = run("scripts", str(ROOT), "--format", "json")
    assert ran.code == 1, ran.err
    return dict(ran.json)


def found(document: dict[str, Any], code: str) -> Found:
    """Objects by file, of one code."""
    return {
        (Path(each["file"]).resolve().relative_to(ROOT).as_posix(), each["object"])
        for each in document["findings"]
        if each["code"] == code
    }


def test_everything_is_read(document: dict[str, Any]) -> None:
    assert document["coverage"]["complete"] is True
    files = {file for code in codes(document) for file, _ in found(document, code)}
    assert {SCRIPTS, BASE, PRESETS, ROUTE, ADDITIONS} <= files
    assert not [file for file in files if file.endswith(".py")]


def codes(document: dict[str, Any]) -> set[str]:
    return {each["code"] for each in document["findings"]}


def test_one_migration_systems_sql_is_held_against_the_others(document: dict[str, Any]) -> None:
    both = found(document, "duplicate_definition")
    assert (ROUTE, "exchange_connections") in both


def test_exchange_connections_is_serial_here_and_text_there(document: dict[str, Any]) -> None:
    (twice,) = [each for each in document["findings"] if each["code"] == "duplicate_definition"
                and each["object"] == "exchange_connections"]  # fmt: skip
    whole = str(twice)
    assert "SERIAL" in whole
    assert "user_id" in whole
    assert "is_testnet" in whole
    assert SCRIPTS in whole


def test_script_036_refers_to_what_is_not_there_and_to_keys_of_another_type(document: dict[str, Any]) -> None:
    assert (BASE, "update_updated_at_column") in found(document, "undefined_reference")
    assert (BASE, "base_pseudo_positions.connection_id") in found(document, "key_type_mismatch")


def test_preset_tables_are_defined_twice_and_differently(document: dict[str, Any]) -> None:
    twice = {name for file, name in found(document, "duplicate_definition") if file in (ADDITIONS, PRESETS)}
    assert twice == PRESET_TABLES


def test_sql_of_postgresql_in_code_for_both_engines_is_found_with_a_portable_form(
    document: dict[str, Any],
) -> None:
    dialect = found(document, "dialect_only")
    assert {(ROUTE, "gen_random_uuid()"), (ROUTE, "DO $$"), (SCRIPTS, "SERIAL")} <= dialect
    uuid = next(each for each in document["findings"] if each["object"] == "gen_random_uuid()")
    assert "randomblob" in str(uuid)


def test_a_delete_on_a_table_that_others_refer_to_is_found(document: dict[str, Any]) -> None:
    assert found(document, "delete_of_referenced") == {
        ("scripts/038_fix_pseudo_positions_schema.sql", "pseudo_positions")
    }


def test_what_is_sound_is_not_spoken_of(document: dict[str, Any]) -> None:
    files = {file for code in codes(document) for file, _ in found(document, code)}
    assert "scripts/037_create_exchange_positions_table.sql" not in files
    assert "lib/db-migrations.ts" not in files


@pytest.mark.newest_postgres_only
@pytest.mark.django_db(transaction=True)
def test_with_a_target_its_catalog_decides_and_the_live_table_is_the_third(empty_target: EmptyTarget) -> None:
    cts.build(empty_target.url, rows=100)
    connections.databases[NAME]["CATALOG"] = "cts"

    document = run("scripts", str(ROOT), "--target", NAME, "--format", "json").json

    (twice,) = [each for each in document["findings"] if each["code"] == "duplicate_definition"
                and each["object"] == "exchange_connections"]  # fmt: skip
    assert "catalog" in str(twice)
    both = {(SCRIPTS, "exchange_connections"), (ROUTE, "exchange_connections")}
    assert both <= found(document, "differs_from_target")
