"""``[log]`` says where a target's own people look, and every mistake in it is answered."""

import pytest

from integrity.database.identifiers import Path
from integrity.exceptions import CatalogError
from integrity.references.log_entry import ROWS, default_type, rolled_back_type
from tests.catalogs import LendCatalog

LOG = """
[log]
table = "audit.error_logs"
columns = { type = "error_type", message = "message", details = "details", at = "created_at" }
types = { orders = "ORPHANED_ORDER_DETECTED", "auth.users" = "LOST_USER" }
values = { severity = "info" }
"""


def test_it_is_read_as_it_is_written(lend_catalog: LendCatalog) -> None:
    log = lend_catalog(LOG).log

    assert log is not None
    assert log.table == Path(("audit", "error_logs"), ())
    assert log.columns["type"] == "error_type"
    assert log.types == {
        Path(("orders",), ()): "ORPHANED_ORDER_DETECTED",
        Path(("auth", "users"), ()): "LOST_USER",
    }
    assert log.values == {"severity": "info"}
    assert log.rows == ROWS


def test_without_it_nothing_is_logged_in_the_target(lend_catalog: LendCatalog) -> None:
    assert lend_catalog("").log is None


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        ("orders", "ORPHANED_ORDER_DETECTED"),
        ("chat_messages", "ORPHANED_CHAT_MESSAGE_DETECTED"),
        ("Categories", "ORPHANED_CATEGORY_DETECTED"),
        ("addresses", "ORPHANED_ADDRESS_DETECTED"),
        ("status", "ORPHANED_STATUS_DETECTED"),
        ("Order Details", "ORPHANED_ORDER_DETAIL_DETECTED"),
    ],
)
def test_a_table_without_a_type_has_one_by_its_name(table: str, wanted: str) -> None:
    assert default_type(table) == wanted


def test_what_came_back_has_a_type_of_its_own() -> None:
    assert rolled_back_type("ORPHANED_ORDER_DETECTED") == "ORPHANED_ORDER_ROLLED_BACK"
    assert rolled_back_type("LOST") == "LOST_ROLLED_BACK"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("log = 3", r"log must be a table .*\[log\]"),
        ("[log]\ncolumns = { type = 't' }", "table must name a table"),
        ("[log]\ntable = 'a.b.c.d'\ncolumns = { type = 't' }", "table: .* is not the name"),
        ("[log]\ntable = 'e'", "columns names no type"),
        ("[log]\ntable = 'e'\ncolumns = { type = 't', mesage = 'm' }", "Did you mean message"),
        ("[log]\ntable = 'e'\ncolums = { type = 't' }", "Did you mean columns"),
        ("[log]\ntable = 'e'\ncolumns = ['t']", "columns must give a text for each name"),
        ("[log]\ntable = 'e'\ncolumns = { type = 't' }\ntypes = { orders = 1 }", "types must give a text"),
        ("[log]\ntable = 'e'\ncolumns = { type = 't' }\nvalues = { t = 1 }", "t is in columns and in values"),
        ("[log]\ntable = 'e'\ncolumns = { type = 't' }\nvalues = 1", "values must give a value"),
        ("[log]\ntable = 'e'\ncolumns = { type = 't' }\nrows = 'all'", "rows must be a number"),
    ],
)
def test_a_mistake_is_named_with_its_place(lend_catalog: LendCatalog, text: str, answer: str) -> None:
    with pytest.raises(CatalogError, match=f"(?s){answer}") as caught:
        lend_catalog(text)
    assert "catalog.toml, [log]" in caught.value.where
