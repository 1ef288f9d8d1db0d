"""Columns are added where they are missing, rows are filled while others write, and values come back."""

import threading
import time
from typing import Any

import psycopg
import pytest
from django.db import connections

from integrity.database.session import Target
from integrity.database.sqlite.editing import EditingForbidden
from integrity.exceptions import ReferentialIntegrityError, SchemaFixRefused
from integrity.operations import AddColumn
from integrity.operations.alteration import Alteration
from integrity.operations.catalog_migrations import catalog_package
from integrity.operations.writer import package_files
from tests.operations import migrating
from tests.operations.conftest import Shop

pytestmark = pytest.mark.newest_postgres_only

SIDE: dict[str, Any] = {"table": "orders", "column": "side", "type": "text"}
UUID = {"postgresql": "gen_random_uuid()::text", "sqlite": "lower(hex(randomblob(16)))"}


def add(shop: Shop, **more: Any) -> None:
    shop.apply(AddColumn(**SIDE | more))


def digest(shop: Shop) -> Any:
    with Target(shop.alias).reading() as session:
        return session.engine.digest(session, shop.table("orders"))


def many(shop: Shop, rows: int = 5_000) -> None:
    """Fill the table with rows, some of them wide, so that it has many pages."""
    numbers = f"generate_series(10, {rows}) AS n"
    if shop.sqlite:
        numbers = (
            "(WITH RECURSIVE c(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM c "
            f"WHERE n < {rows}) SELECT n FROM c)"
        )
    shop.execute(f"INSERT INTO orders (id, status) SELECT n, 'state ' || n % 7 FROM {numbers}")
    shop.execute("ANALYZE orders")


@pytest.mark.parametrize(
    ("more", "values"),
    [
        ({}, [None, None, None]),
        ({"default": "'buy'"}, ["buy", "buy", "buy"]),
        ({"default": "'it''s 100%'", "null": False}, ["it's 100%"] * 3),
        ({"backfill": "'order ' || id"}, ["order 1", "order 2", "order 3"]),
        (
            {"backfill": "'order ' || id", "default": "'buy'", "null": False},
            ["order 1", "order 2", "order 3"],
        ),
        ({"backfill": "CASE WHEN id < 3 THEN 'a%b' END"}, ["a%b", "a%b", None]),
        ({"default": "lower('BUY')", "null": False}, ["buy", "buy", "buy"]),
    ],
)
def test_rows_that_are_there_are_filled(shop: Shop, more: dict[str, Any], values: list[Any]) -> None:
    before, rows = shop.fingerprint(), digest(shop)
    add(shop, **more)

    assert [row[0] for row in shop.target.rows("SELECT side FROM orders ORDER BY id")] == values
    column = shop.table("orders").column("side")
    assert column.nullable is more.get("null", True)
    assert (column.default is not None) is ("default" in more)
    shop.execute("INSERT INTO orders (id, side) VALUES (9, 'x')")
    shop.execute("DELETE FROM orders WHERE id = 9")

    shop.run(to="zero")
    assert shop.fingerprint() == before
    assert digest(shop) == rows


def test_new_rows_get_the_default(shop: Shop) -> None:
    add(shop, default=UUID, null=False)
    shop.execute("INSERT INTO orders (id) VALUES (9)")
    values = [row[0] for row in shop.target.rows("SELECT side FROM orders")]

    assert len(set(values)) == 4
    assert {len(each) for each in values} <= {32, 36}


def test_a_table_without_rows_gets_any_column(shop: Shop) -> None:
    shop.execute("DELETE FROM orders")
    add(shop, null=False)
    assert not shop.table("orders").column("side").nullable


def test_rows_for_which_nothing_says_what_they_hold_stop_it_before_the_first_change(shop: Shop) -> None:
    before = shop.fingerprint()
    with pytest.raises(ReferentialIntegrityError, match="nothing says what orders.side holds"):
        add(shop, null=False)
    assert shop.fingerprint() == before


def test_a_backfill_that_leaves_rows_empty_stops_it_with_their_number_and_goes_on_afterwards(
    shop: Shop,
) -> None:
    operation = {"backfill": "CASE WHEN id < 3 THEN 'a' END", "null": False}
    with pytest.raises(SchemaFixRefused, match="1 row holds NULL in orders.side"):
        add(shop, **operation)
    shop.execute("UPDATE orders SET side = 'by hand' WHERE id = 3")
    shop.run()

    assert [row[0] for row in shop.target.rows("SELECT side FROM orders ORDER BY id")] == [
        "a",
        "a",
        "by hand",
    ]
    assert not shop.table("orders").column("side").nullable


def test_values_come_back_when_it_is_applied_again(shop: Shop) -> None:
    add(shop, default="'buy'", null=False)
    shop.execute("UPDATE orders SET side = 'sell' WHERE id = 2")
    shop.run(to="zero")
    shop.execute("INSERT INTO orders (id) VALUES (9)")
    shop.run()

    assert shop.target.rows("SELECT id, side FROM orders ORDER BY id") == [
        (1, "buy"), (2, "sell"), (3, "buy"), (9, "buy"),
    ]  # fmt: skip
    assert not shop.table("orders").column("side").nullable


def test_a_column_that_is_there_is_adopted_and_stays(shop: Shop) -> None:
    shop.execute("ALTER TABLE orders ADD COLUMN side text")
    before = shop.fingerprint()
    add(shop)
    shop.run(to="zero")
    assert shop.fingerprint() == before


@pytest.mark.parametrize(
    ("there", "said"),
    [("side integer", "of type (integer|INTEGER), not text"), ("side text", "may hold NULL")],
)
def test_another_column_of_this_name_stops_it_with_the_difference(shop: Shop, there: str, said: str) -> None:
    shop.execute(f"ALTER TABLE orders ADD COLUMN {there}")
    with pytest.raises(ReferentialIntegrityError, match=said):
        add(shop, null=False, default="'x'")


def test_triggers_do_not_act_on_rows_that_are_filled(shop: Shop) -> None:
    shop.execute("CREATE TABLE seen (id integer)")
    if shop.sqlite:
        shop.execute("CREATE TRIGGER t AFTER UPDATE ON orders BEGIN INSERT INTO seen VALUES (new.id); END")
    else:
        shop.execute(
            "CREATE FUNCTION saw() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN INSERT INTO seen VALUES (new.id); RETURN new; END';"
            "CREATE TRIGGER t AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION saw()"
        )
    add(shop, backfill="'x'", null=False)
    assert shop.value("SELECT count(*) FROM seen") == 0
    shop.execute("UPDATE orders SET total = 1 WHERE id = 1")
    assert shop.value("SELECT count(*) FROM seen") == 1


def test_a_column_that_others_use_is_not_taken_from_under_them(shop: Shop) -> None:
    add(shop)
    shop.execute("CREATE VIEW seen AS SELECT side FROM orders")
    with pytest.raises(SchemaFixRefused, match="orders.side is used by view seen"):
        shop.run(to="zero")


def test_a_table_without_a_key_gives_up_only_an_empty_column(shop: Shop) -> None:
    shop.execute("CREATE TABLE bare (a integer); INSERT INTO bare VALUES (1), (1)")
    shop.apply(AddColumn(table="bare", column="b", type="text"))
    before = shop.fingerprint()
    shop.run(to="zero")
    shop.run()
    assert shop.fingerprint() == before
    shop.execute("UPDATE bare SET b = 'x'")
    with pytest.raises(SchemaFixRefused, match="no primary key"):
        shop.run(to="zero")


def test_names_and_text_may_be_odd(shop: Shop) -> None:
    shop.execute(
        'CREATE TABLE "Odd %s" ("a b" integer PRIMARY KEY, CHECK ("a b" > 0)); INSERT INTO "Odd %s" VALUES (1)'
    )
    shop.apply(
        AddColumn(table='"Odd %s"', column='c "d" %s', type="text", null=False, backfill="'100%' || \"a b\"")
    )
    assert shop.value('SELECT "c ""d"" %s" FROM "Odd %s"') == "100%1"
    shop.run(to="zero")
    assert shop.table('"Odd %s"').column_names == ("a b",)


def test_killed_while_it_fills_it_goes_on(shop: Shop, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.INTEGRITY = settings.INTEGRITY | {"BATCH_ROWS": 100}
    many(shop)
    bounds, batches = Alteration.within_bounds, []

    def dying(work: Alteration, what: Any) -> None:
        batches.append(what)
        if len(batches) == 4:
            raise KeyboardInterrupt
        bounds(work, what)

    monkeypatch.setattr(Alteration, "within_bounds", dying)
    with pytest.raises(KeyboardInterrupt):
        add(shop, default=UUID, null=False)
    filled = shop.value("SELECT count(*) FROM orders WHERE side IS NOT NULL")
    assert 0 < filled < 4_000
    kept = dict(shop.target.rows("SELECT id, side FROM orders WHERE side IS NOT NULL"))
    monkeypatch.undo()
    settings.INTEGRITY = settings.INTEGRITY | {"CATALOG_ROOT": shop.root, "BATCH_ROWS": 100}

    shop.run()
    now = dict(shop.target.rows("SELECT id, side FROM orders"))
    assert len(set(now.values())) == len(now)
    assert kept.items() <= now.items()
    assert not shop.table("orders").column("side").nullable


def test_killed_and_reversed_nothing_is_left(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    before, rows = shop.fingerprint(), digest(shop)
    with monkeypatch.context() as patch:
        patch.setattr("integrity.operations.column_filling.ColumnFilling.go_on", interrupted)
        with pytest.raises(KeyboardInterrupt):
            add(shop, default=UUID, null=False)
    shop.run()
    shop.run(to="zero")
    assert (shop.fingerprint(), digest(shop)) == (before, rows)


def interrupted(self: object) -> None:
    raise KeyboardInterrupt


def test_others_write_while_rows_are_filled(postgres_shop: Shop, settings: Any) -> None:
    shop = postgres_shop
    settings.INTEGRITY = settings.INTEGRITY | {"BATCH_ROWS": 50}
    many(shop)
    done, written = threading.Event(), []

    def write() -> None:
        with psycopg.connect(shop.target.url, autocommit=True) as connection:
            number = 100_000
            while not done.is_set():
                connection.execute("INSERT INTO orders (id) VALUES (%s)", [number])
                connection.execute("UPDATE orders SET total = total + 1 WHERE id = %s", [10 + number % 900])
                written.append(number)
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        add(shop, default=UUID, null=False)
    finally:
        done.set()
        writer.join()

    assert len(written) > 10
    assert shop.value("SELECT count(*) - count(DISTINCT side) FROM orders") == 0
    assert shop.table("orders").checks == ()


def test_a_partitioned_table_is_filled_leaf_by_leaf(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute(
        "CREATE TABLE events (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
        "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');"
        "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
        "INSERT INTO events VALUES (1, '2025-05-05'), (2, '2026-05-05')"
    )
    shop.apply(AddColumn(table="events", column="kind", type="text", null=False, backfill="'k' || id"))
    assert shop.target.rows("SELECT kind FROM events ORDER BY id") == [("k1",), ("k2",)]
    assert all(not shop.table(name).column("kind").nullable for name in ("events", "events_1"))
    shop.run(to="zero")
    assert shop.table("events_2").column_names == ("id", "at")


def test_a_strict_table_of_sqlite_keeps_its_rows(sqlite_shop: Shop) -> None:
    shop = sqlite_shop
    shop.execute(
        "CREATE TABLE s (k TEXT PRIMARY KEY, v INTEGER) STRICT, WITHOUT ROWID; INSERT INTO s VALUES ('a', 1)"
    )
    shop.apply(AddColumn(table="s", column="w", type="TEXT", null=False, default="upper('x')"))
    assert shop.target.rows("SELECT * FROM s") == [("a", 1, "X")]
    assert shop.value("PRAGMA integrity_check") == "ok"


def test_a_definition_with_comments_and_constraints_behind_is_edited_in_its_column_alone(
    sqlite_shop: Shop,
) -> None:
    shop = sqlite_shop
    shop.execute(
        "CREATE TABLE c (a INTEGER PRIMARY KEY, -- the key\n b TEXT DEFAULT 'x, (y' /* odd */ -- last\n"
        ", CONSTRAINT named CHECK (b <> 'none') -- end\n); INSERT INTO c VALUES (1, 'z')"
    )
    before = shop.fingerprint()
    shop.apply(AddColumn(table="c", column="d", type="TEXT", null=False, default="lower('D')"))
    assert shop.target.rows("SELECT * FROM c") == [(1, "z", "d")]
    text = shop.table("c").definition
    assert "-- the key" in text
    assert "CONSTRAINT named" in text
    assert shop.value("PRAGMA integrity_check") == "ok"
    shop.run(to="zero")
    assert shop.fingerprint() == before


def test_without_the_right_to_add_it_the_reason_is_said(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute(
        "DROP ROLE IF EXISTS c_writer; CREATE ROLE c_writer; GRANT SELECT ON ALL TABLES IN SCHEMA public TO c_writer"
    )
    options = {"OPTIONS": {"assume_role": "c_writer"}}

    connections.databases[shop.alias].update(options)
    try:
        with pytest.raises(ReferentialIntegrityError, match="owner|permission"):
            add(shop)
    finally:
        connections.databases[shop.alias]["OPTIONS"] = {}
        shop.execute("DROP OWNED BY c_writer; DROP ROLE c_writer")


def test_a_table_that_somebody_holds_is_said_to_be_busy_and_added_to_later(postgres_shop: Shop) -> None:
    shop = postgres_shop
    with psycopg.connect(shop.target.url) as holder:
        holder.execute("LOCK TABLE orders IN ACCESS SHARE MODE")
        with pytest.raises(ReferentialIntegrityError, match="lock|wait"):
            add(shop, default=UUID, null=False)
    shop.run()
    assert not shop.table("orders").column("side").nullable


def test_where_the_definition_may_not_be_edited_the_table_is_rebuilt(
    sqlite_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*args: Any, **more: Any) -> None:
        raise EditingForbidden("not here")

    monkeypatch.setattr("integrity.operations.in_place.replace_definition", forbidden)
    shop = sqlite_shop
    shop.execute("CREATE INDEX by_status ON orders (status)")
    add(shop, default=UUID, null=False)
    table = shop.table("orders")
    assert not table.column("side").nullable
    assert table.index("by_status") is not None
    assert shop.value("SELECT count(DISTINCT side) FROM orders") == 3


SLOW = {
    "postgresql": "'v' || id || (SELECT '' FROM pg_sleep(0.05))",
    "sqlite": "'v' || id || (WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 200000) "
    "SELECT substr('', count(*)) FROM s)",
}
"""Takes its time once a batch."""


@pytest.mark.newest_postgres_only
def test_a_process_killed_in_the_middle_goes_on_where_it_stopped(shop: Shop) -> None:
    many(shop, 3_000)
    shop.migration("0001_side", AddColumn(**SIDE, null=False, backfill=SLOW))
    for file in package_files(catalog_package(shop.alias)):
        file.path.write_text(file.text)
    process = migrating.start(shop.target.url, shop.root, "own", "0001")
    until = time.monotonic() + 60
    while not filled(shop) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert 0 < filled(shop) < 2_900
    shop.execute("UPDATE orders SET side = 'by hand' WHERE id = 1")

    shop.run()
    assert shop.value("SELECT count(*) FROM orders WHERE side = 'v' || id") == 2_993
    assert shop.value("SELECT side FROM orders WHERE id = 1") == "by hand"
    assert not shop.table("orders").column("side").nullable


def filled(shop: Shop) -> int:
    """Count the rows that hold something by now; none before the column is there."""
    if not shop.table("orders").has_columns(("side",)):
        return 0
    return int(shop.value("SELECT count(*) FROM orders WHERE side IS NOT NULL"))
