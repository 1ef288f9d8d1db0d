"""The command takes an error however it can be given, and says what to do in three formats."""

import io
from pathlib import Path

import pytest

from tests.commands import run, run_json
from tests.explaining.conftest import SHOP
from tests.servers import EmptyTarget, RegisterTarget

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

DUPLICATE = {
    "sqlite": "UNIQUE constraint failed: customers.email",
    "postgresql": 'duplicate key value violates unique constraint "customers_email"\n'
    "DETAIL:  Key (email)=(ann@example.com) already exists.",
}
SHAPE = {
    "kind", "message", "target", "reference", "constraint", "constraint_state", "schema", "table", "columns",
    "referenced_schema", "referenced_table", "referenced_columns", "values", "rows", "more_like_it",
    "missing_keys", "also", "why", "causes", "commands", "queries", "catalog_entry", "gaps",
}  # fmt: skip


def test_target_and_text_come_in_any_order_or_the_target_is_found(shop: EmptyTarget) -> None:
    text = DUPLICATE[shop.vendor]
    found = run_json("explain", text)
    assert set(found) == SHAPE
    assert (found["kind"], found["target"], found["table"]) == ("duplicate", "target", "customers")
    assert run_json("explain", "target", text) == found
    assert run_json("explain", text, "target") == found


def test_the_text_comes_from_a_file_or_standard_input(
    shop: EmptyTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = DUPLICATE[shop.vendor]
    (tmp_path / "error.log").write_text(f"starting\n{text}\n")
    found = run_json("explain", "--file", tmp_path / "error.log")
    assert found["table"] == "customers"
    for arguments in ((), ("-",), ("target",), ("target", "-")):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        assert run_json("explain", *arguments) == found
    missing = run("explain", "--file", tmp_path / "nowhere.log")
    assert missing.code == 2
    assert "nowhere.log" in missing.err


def test_people_read_what_happened_and_what_to_run(shop: EmptyTarget) -> None:
    shop.execute_script("INSERT INTO orders VALUES (13, 2, 'd')")
    text = (
        "The row in table 'orders' with primary key '13' has an invalid foreign key: orders.customer_id "
        "contains a value '77' that does not have a corresponding value in customers.id."
    )
    ran = run("explain", "target", text)
    assert ran.code == 0
    assert "target: a row refers to a row that does not exist" in ran.out
    assert "manage.py integrity_diagnose target --reference orders.customer_id" in ran.out
    markdown = run("explain", "target", text, "--format", "markdown")
    assert markdown.out.startswith("## ")
    assert "```console\nmanage.py integrity_diagnose" in markdown.out


def test_what_is_no_error_ends_with_exit_2(shop: EmptyTarget) -> None:
    ran = run("explain", "nothing is wrong at all")
    assert ran.code == 2
    assert "This is no error about a reference or a duplicate" in ran.err
    assert "Copy the whole message" in ran.err
    assert run("explain", "hello").code == 2
    unknown = run("explain", "tarjet", DUPLICATE[shop.vendor])
    assert unknown.code == 2
    assert "There is no target 'tarjet'" in unknown.err


def test_an_unknown_constraint_ends_with_exit_2_and_says_so_as_json(shop: EmptyTarget) -> None:
    text = 'insert or update on table "bills" violates foreign key constraint "fk_bills"'
    ran = run("explain", text, "--format", "json")
    assert ran.code == 2
    assert ran.json["error"]["kind"] == "not_found_in_targets"
    assert "fk_bills" in ran.json["error"]["what"]


def test_an_error_that_fits_two_files_asks_which(
    shop: EmptyTarget, register_target: RegisterTarget, tmp_path: Path
) -> None:
    if shop.vendor != "sqlite":
        return
    url = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    register_target("other", url)
    EmptyTarget("other", "sqlite", url).execute_script(SHOP)
    ran = run("explain", DUPLICATE["sqlite"])
    assert ran.code == 2
    assert "The error fits 2 targets: target, other" in ran.err
    assert run_json("explain", "other", DUPLICATE["sqlite"])["target"] == "other"
