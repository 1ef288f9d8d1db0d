"""Whoever misses a row finds in the log when it was changed, why, and whether it came back."""

import pytest

from tests.commands import run, run_json
from tests.management.conftest import Shop

pytestmark = [pytest.mark.newest_postgres_only, pytest.mark.django_db]


@pytest.fixture
def cleaned(shop: Shop) -> Shop:
    """A shop of which all orphans were deleted by one run, and one order came back."""
    run_json("cleanup", "target", "--action", "delete", "--no-input")
    run_json("rollback", "target", 1, "--table", "orders", "--key", "12", "--no-input")
    return shop


def found(*arguments: object) -> list[tuple[str, object]]:
    """Return table and key of the rows that the log finds."""
    rows = run_json("log", "target", *arguments)["rows"]
    return [(each["table"].partition(".")[2], each["key"]["id"]) for each in rows]


def test_a_row_is_found_by_its_key(cleaned: Shop) -> None:
    (row,) = run_json("log", "target", "--table", "orders", "--key", "12")["rows"]

    assert (row["run"], row["reason"], row["action"]) == (1, "orders.customer_id", "delete")
    assert row["taken_back"] == 2


def test_rows_are_found_by_table_reference_and_day(cleaned: Shop) -> None:
    assert found("--table", "orders", "--keys", 2) == [("orders", 10), ("orders", 11)]
    assert {key for _, key in found("--reference", "lines.order_id")} == {2, 3, 4}
    assert len(found("--since", "2020-01-01")) == 6
    assert found("--since", "2999-01-01") == []
    assert found("--run", 1, "--key", "4") == [("lines", 4)]


def test_people_read_it_as_a_table(cleaned: Shop) -> None:
    text = run("log", "target", "--table", "orders", "--key", "12").out

    assert "because of" in text
    assert "by run 2" in text
    assert "no such row" in run("log", "target", "--key", "999").out
