"""Any name becomes SQL, and any written name is read, or refused with the notation."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrity.database.identifiers import (
    Path,
    TableName,
    column,
    literal,
    parse_path,
    parse_table,
    quote,
    quote_columns,
    quote_table,
    shown,
)
from integrity.exceptions import InvalidIdentifier
from integrity.references.reference import written

NAMES = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("orders.customer_id", Path(("orders",), ("customer_id",))),
        ("auth.users.id", Path(("auth", "users"), ("id",))),
        ("order_lines.order_id,line_no", Path(("order_lines",), ("order_id", "line_no"))),
        ("shop.order_lines.order_id, line_no", Path(("shop", "order_lines"), ("order_id", "line_no"))),
        ('"Order Details".OrderID', Path(("Order Details",), ("OrderID",))),
        ('"a.b"."c,d"', Path(("a.b",), ("c,d",))),
        ('"say ""x"""."y"', Path(('say "x"',), ("y",))),
        (" orders . customer_id ", Path(("orders",), ("customer_id",))),
    ],
)
def test_a_reference_is_read_as_it_is_written(text: str, path: Path) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "text", ["", "orders", "a.b.c.d", "orders.", ".id", "orders..id", 'orders."id', "a,b.c", "a.b,", 'a."".b']
)
def test_what_is_no_reference_is_refused_with_the_notation(text: str) -> None:
    with pytest.raises(InvalidIdentifier, match=r"Write table\.column"):
        parse_path(text)


@pytest.mark.parametrize(
    ("text", "parts"), [("orders", ("orders",)), ("auth.users", ("auth", "users")), ('"A b"', ("A b",))]
)
def test_a_table_is_read_as_it_is_written(text: str, parts: tuple[str, ...]) -> None:
    assert parse_table(text) == Path(parts, ())


@pytest.mark.parametrize("text", ["", "a.b.c", "a,b", "a.", '""'])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        parse_table(text)


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_a_name_that_no_database_holds_is_refused(name: str) -> None:
    with pytest.raises(InvalidIdentifier):
        quote(name)


def test_names_are_quoted_with_their_quotes_and_percent_signs_doubled() -> None:
    assert quote('50% "off"') == '"50%% ""off"""'
    assert quote_table(TableName("public", "user")) == '"public"."user"'
    assert quote_columns(["a", "b"], "c") == 'c."a", c."b"'
    assert column("a") == '"a"'
    assert shown(quote("50%")) == '"50%"'
    assert literal("it's") == "'it''s'"


@given(name=NAMES)
def test_any_quoted_name_is_that_name_to_a_database(name: str) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE {shown(quote(name))} (x)")
    assert connection.execute("SELECT name FROM sqlite_master").fetchone() == (name,)
    connection.close()


@given(schema=NAMES, table=NAMES, columns=st.lists(NAMES, min_size=1, max_size=3))
def test_what_is_written_is_read_again(schema: str, table: str, columns: list[str]) -> None:
    text = written(TableName(schema, table), tuple(columns))
    implied = schema in ("public", "main")

    assert parse_path(text) == Path((table,) if implied else (schema, table), tuple(columns))
