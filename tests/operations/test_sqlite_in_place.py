"""SQLite's definitions are edited in place, at once; where that is forbidden the table is rebuilt."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.migrations.recorder import MigrationRecorder

from integrity.database.sqlite.editor import tolerant
from integrity.exceptions import SchemaFixRefused, TargetBusy
from integrity.operations import AddForeignKey, AddIndex
from tests.operations.conftest import KEY, ORPHANS, Shop

EVERYTHING = """
DROP TABLE orders;
CREATE TABLE log (text);
CREATE TABLE orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id integer, -- who ordered
    total real DEFAULT 0, twice AS (total * 2) STORED, note text COLLATE NOCASE
);
CREATE INDEX orders_note ON orders (note) WHERE note IS NOT NULL;
CREATE UNIQUE INDEX orders_twice ON orders (twice, number DESC);
CREATE TRIGGER orders_logged AFTER INSERT ON orders BEGIN INSERT INTO log VALUES ('x'); END;
CREATE VIEW open_orders AS SELECT * FROM orders;
CREATE TABLE items (order_number integer REFERENCES orders (number));
INSERT INTO orders (number, customer_id, total, note) VALUES (5, 1, 1.5, 'a'), (9, 77, 2, NULL);
INSERT INTO orders (number, customer_id) VALUES (50, 1); DELETE FROM orders WHERE number = 50;
INSERT INTO items VALUES (5), (6);
"""


@pytest.fixture
def forbidden() -> Iterator[None]:
    """Let SQLite ignore ``PRAGMA writable_schema``, as it does in defensive mode."""

    def authorize(action: int, first: str | None, *_: Any) -> int:
        ignored = action == sqlite3.SQLITE_PRAGMA and first == "writable_schema"
        return sqlite3.SQLITE_IGNORE if ignored else sqlite3.SQLITE_OK

    def opened(connection: Any, **_: Any) -> None:
        connection.connection.set_authorizer(authorize)

    connection_created.connect(opened)
    yield
    connection_created.disconnect(opened)


def dump(path: Path) -> list[tuple[Any, ...]]:
    """Return all rows with their rowids, and where counters stand."""
    with closing(sqlite3.connect(path)) as file:
        rows = [
            (table, *row)
            for table in ("orders", "items", "log")
            for row in file.execute(f"SELECT rowid, * FROM {table}")
        ]
        return rows + file.execute("SELECT seq FROM sqlite_sequence WHERE name = 'orders'").fetchall()


def structure(path: Path) -> list[tuple[Any, ...]]:
    """Return what is stored of all but the table that is changed."""
    with closing(sqlite3.connect(path)) as file:
        return file.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name IN ('orders', 'items', 'open_orders') "
            "AND name <> 'orders' ORDER BY name"
        ).fetchall()


def key_of(shop: Shop) -> list[str]:
    """Return the names of the foreign keys of orders."""
    return [key.name for key in shop.table("orders").foreign_keys]


def test_nothing_of_the_file_changes_but_the_definition(sqlite_shop: Shop, sqlite_path: Path) -> None:
    sqlite_shop.execute(EVERYTHING)
    before = dump(sqlite_path), structure(sqlite_path)

    sqlite_shop.apply(AddForeignKey(**KEY))

    assert (dump(sqlite_path), structure(sqlite_path)) == before
    assert "-- who ordered" in sqlite_shop.table("orders").definition


@pytest.mark.usefixtures("forbidden")
def test_a_rebuild_keeps_rows_counters_indexes_triggers_and_views(
    sqlite_shop: Shop, sqlite_path: Path
) -> None:
    sqlite_shop.execute(EVERYTHING)
    before = dump(sqlite_path), structure(sqlite_path), sqlite_shop.fingerprint()

    sqlite_shop.apply(AddForeignKey(**KEY))
    assert key_of(sqlite_shop) == ["fk_orders_customer"]
    assert (dump(sqlite_path), structure(sqlite_path)) == before[:2]
    sqlite_shop.run(to="zero")

    assert (dump(sqlite_path), structure(sqlite_path), sqlite_shop.fingerprint()) == before
    assert sqlite_shop.value("PRAGMA integrity_check") == "ok"


@pytest.mark.usefixtures("forbidden")
@pytest.mark.parametrize("text", ["a text, b int", "a text PRIMARY KEY, b int) WITHOUT ROWID --"])
def test_a_rebuild_of_tables_without_a_key_or_without_rowids(sqlite_shop: Shop, text: str) -> None:
    sqlite_shop.execute(
        f"CREATE TABLE t ({text}\n); INSERT INTO t VALUES ('x', 1), ('y', 5)".replace("--\n)", "")
    )
    sqlite_shop.apply(
        AddForeignKey(table="t", columns=("b",), to="customers", to_columns=("id",), name="fk_t")
    )
    assert sqlite_shop.target.rows("SELECT * FROM t ORDER BY a") == [("x", 1), ("y", 5)]
    assert sqlite_shop.table("t").foreign_keys[0].name == "fk_t"


def test_a_connection_that_was_open_meanwhile_is_bound_at_once(sqlite_shop: Shop, sqlite_path: Path) -> None:
    with closing(sqlite3.connect(sqlite_path)) as file:
        file.execute("PRAGMA foreign_keys = ON")
        assert file.execute("SELECT count(*) FROM orders").fetchone() == (3,)

        sqlite_shop.apply(AddForeignKey(**KEY))

        with pytest.raises(sqlite3.IntegrityError):
            file.execute("INSERT INTO orders (id, customer_id) VALUES (99, 999)")


def test_it_takes_no_longer_for_more_rows(sqlite_shop: Shop) -> None:
    sqlite_shop.execute(
        "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) "
        "INSERT INTO orders (id, customer_id, status) SELECT i, i, 'some text to fill the pages' FROM n"
    )
    sqlite_shop.apply(AddIndex(table="customers", columns=("code",), name="x"))

    began = time.monotonic()
    sqlite_shop.apply(AddForeignKey(**KEY))

    assert time.monotonic() - began < 0.5
    assert key_of(sqlite_shop) == ["fk_orders_customer"]


def test_a_parent_whose_key_has_another_collation_is_refused_and_nothing_changes(sqlite_shop: Shop) -> None:
    sqlite_shop.execute(
        "CREATE TABLE codes (code text); CREATE UNIQUE INDEX u ON codes (code COLLATE NOCASE);"
        "CREATE TABLE uses (code text);"
    )
    before = sqlite_shop.fingerprint()
    operation = AddForeignKey(
        table="uses", columns=("code",), to="codes", to_columns=("code",), name="fk_uses"
    )

    with pytest.raises(SchemaFixRefused, match="Every write would fail afterwards: foreign key mismatch"):
        sqlite_shop.apply(operation)

    assert sqlite_shop.fingerprint() == before
    sqlite_shop.execute("INSERT INTO uses VALUES ('a')")


def test_a_key_that_is_written_in_a_column_is_adopted_and_never_removed(sqlite_shop: Shop) -> None:
    sqlite_shop.execute(
        "DROP TABLE orders; CREATE TABLE orders "
        "(customer_id integer CONSTRAINT fk_orders_customer REFERENCES customers ON DELETE SET NULL);"
    )

    sqlite_shop.apply(AddForeignKey(**KEY))
    sqlite_shop.run(to="zero")

    assert key_of(sqlite_shop) == ["fk_orders_customer"]


def test_a_file_that_somebody_writes_to_is_waited_for_then_left_alone(
    sqlite_shop: Shop, sqlite_path: Path
) -> None:
    sqlite_shop.apply(AddIndex(table="customers", columns=("code",), name="x"))
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(TargetBusy, match="locked by another connection"):
            sqlite_shop.apply(AddForeignKey(**KEY))

    assert key_of(sqlite_shop) == []
    sqlite_shop.run()
    assert key_of(sqlite_shop) == ["fk_orders_customer"]


def test_the_ledger_can_be_made_in_a_file_with_violations(sqlite_shop: Shop) -> None:
    sqlite_shop.execute(EVERYTHING)
    connection = connections["target"]

    with tolerant(connection):
        MigrationRecorder(connection).ensure_schema()

    assert connection.in_atomic_block is False
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA foreign_keys").fetchone() == (1,)
    assert sqlite_shop.value("SELECT count(*) FROM django_migrations") == 0


@pytest.mark.parametrize("changes", [True, False])
def test_a_migration_that_changes_rows_may_not_add_violations(sqlite_shop: Shop, changes: bool) -> None:
    sqlite_shop.execute(EVERYTHING)
    sqlite_shop.migration("0001_rows", body=f"    changes_rows = {changes}\n")
    file = sqlite_shop.root / "target" / "migrations" / "0001_rows.py"
    run = "RunSQL('INSERT INTO items VALUES (888)')"
    file.write_text(file.read_text().replace("operations = [\n", f"atomic = True\n    operations = [{run}"))

    if changes:
        with pytest.raises(Exception, match="1 more rows of items would refer by order_number to rows of"):
            sqlite_shop.run()
    else:
        sqlite_shop.run()

    assert sqlite_shop.value("SELECT count(*) FROM items WHERE order_number = 888") == (not changes)


def test_a_migration_that_removes_violations_is_welcome(sqlite_shop: Shop) -> None:
    sqlite_shop.execute(EVERYTHING)
    sqlite_shop.migration("0001_rows", body="    changes_rows = True\n    atomic = True\n")
    file = sqlite_shop.root / "target" / "migrations" / "0001_rows.py"
    run = "RunSQL('DELETE FROM items WHERE order_number = 6')"
    file.write_text(file.read_text().replace("operations = [\n", f"operations = [{run}"))

    sqlite_shop.run()

    assert sqlite_shop.value("SELECT count(*) FROM items") == 1


def test_orphans_that_stand_do_not_stop_the_key(sqlite_shop: Shop) -> None:
    sqlite_shop.execute(ORPHANS)
    sqlite_shop.apply(AddForeignKey(**KEY))
    assert len(sqlite_shop.target.rows("PRAGMA foreign_key_check")) == 2


def test_a_file_in_wal_mode_is_edited_while_others_read(sqlite_shop: Shop, sqlite_path: Path) -> None:
    sqlite_shop.execute("PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM orders").fetchone() == (3,)

        sqlite_shop.apply(AddForeignKey(**KEY))

        assert reader.execute("PRAGMA foreign_key_list(orders)").fetchall() == []
        reader.execute("COMMIT")
        reader.execute("SELECT count(*) FROM orders")
        assert len(reader.execute("PRAGMA foreign_key_list(orders)").fetchall()) == 1
