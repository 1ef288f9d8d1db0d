"""On libSQL a foreign key is written into its column by a statement, elsewhere in the stored text; tables, columns and
keys of another type are made as on SQLite."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from integrity.exceptions import SchemaFixRefused
from integrity.operations import AddColumn, AddForeignKey, ConvertKey, CreateTable
from tests.operations.conftest import KEY, Shop
from tests.servers import EmptyTarget, RegisterTarget

PARENTS = "CREATE TABLE customers (id integer PRIMARY KEY, code text UNIQUE); INSERT INTO customers VALUES (1, 'x');"
COLUMN = 'CONSTRAINT "fk_orders_customer" REFERENCES "customers" ("id") ON DELETE SET NULL'


@pytest.fixture
def libsql_shop(tmp_path: Path, catalog_root: Path, register_target: RegisterTarget) -> Shop:
    path = tmp_path / "target.db"
    sqlite3.connect(path).close()
    alias = register_target("target", f"libsql:///{path}")
    return Shop(EmptyTarget(alias, "sqlite", f"sqlite:///{path}"), catalog_root)


def stored(shop: Shop, table: str = "orders") -> str:
    return str(shop.value(f"SELECT sql FROM sqlite_master WHERE name = '{table}' COLLATE NOCASE"))


def everything(shop: Shop) -> list[tuple[Any, ...]]:
    rows = shop.target.rows(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'django%'"
    )
    return sorted(row for row in rows if not row[2].startswith(("integrity", "sqlite_sequence")))


BEFORE_AND_AFTER = {
    "plain": ("CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, note text)",
              "CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer {}, note text)"),
    "all that a column says": (
        "CREATE TABLE orders (\n  customer_id integer CHECK (customer_id <> 5) DEFAULT (1 + 1) COLLATE nocase,\n b)",
        "CREATE TABLE orders (\n  customer_id integer CHECK (customer_id <> 5) DEFAULT (1 + 1) COLLATE nocase {},\n b)"),
    "quoted": ('CREATE TABLE "orders" ([id] int, "customer_id" integer UNIQUE, `c,d` text)',
               'CREATE TABLE "orders" ([id] int, "customer_id" integer UNIQUE {}, `c,d` text)'),
    "the last column, with constraints behind it": (
        "CREATE TABLE orders (a, customer_id, UNIQUE (a, customer_id), CHECK (a <> ')'))",
        "CREATE TABLE orders (a, customer_id {}, UNIQUE (a, customer_id), CHECK (a <> ')'))"),
    "another key of the column": (
        "CREATE TABLE orders (customer_id integer REFERENCES others (id), b)",
        "CREATE TABLE orders (customer_id integer REFERENCES others (id) {}, b)"),
    "strict, without rowid": (
        "CREATE TABLE orders (customer_id integer, id text PRIMARY KEY) WITHOUT ROWID, STRICT",
        "CREATE TABLE orders (customer_id integer {}, id text PRIMARY KEY) WITHOUT ROWID, STRICT"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), BEFORE_AND_AFTER.values(), ids=BEFORE_AND_AFTER)
def test_nothing_but_the_key_is_added_to_the_column_and_taken_away_again(
    libsql_shop: Shop, before: str, after: str
) -> None:
    libsql_shop.execute(f"{PARENTS} CREATE TABLE others (id integer PRIMARY KEY); {before};")
    libsql_shop.execute(
        "CREATE INDEX by_customer ON orders (customer_id) WHERE customer_id IS NOT NULL;"
        "CREATE TRIGGER told AFTER INSERT ON orders BEGIN SELECT 1; END"
    )
    was, now = everything(libsql_shop), libsql_shop.fingerprint()

    libsql_shop.apply(AddForeignKey(**KEY))
    assert stored(libsql_shop) == after.format(COLUMN)
    (key,) = [each for each in libsql_shop.table("orders").foreign_keys if each.name]
    assert (key.name, key.columns, key.referenced_columns) == (
        "fk_orders_customer",
        ("customer_id",),
        ("id",),
    )

    libsql_shop.run(to="zero")
    assert stored(libsql_shop) == before
    assert (everything(libsql_shop), libsql_shop.fingerprint()) == (was, now)


IN_PLACE = {
    "a line that ends before the comma": "CREATE TABLE orders (customer_id integer\n, b)",
    "a comment in the column": "CREATE TABLE orders (customer_id /* who */ integer -- the customer\n, b)",
    "a view of what is gone": "CREATE TABLE orders (customer_id integer); CREATE VIEW bad AS SELECT * FROM gone",
    "a trigger that cannot work": (
        "CREATE TABLE orders (customer_id integer);"
        "CREATE TRIGGER bad AFTER INSERT ON customers BEGIN INSERT INTO gone VALUES (1); END"
    ),
}


@pytest.mark.parametrize("created", IN_PLACE.values(), ids=IN_PLACE)
def test_what_the_statement_cannot_do_word_for_word_is_done_in_the_stored_text(
    libsql_shop: Shop, created: str
) -> None:
    libsql_shop.execute(f"{PARENTS} {created};")
    was = everything(libsql_shop)

    libsql_shop.apply(AddForeignKey(**KEY))
    after = stored(libsql_shop)
    assert [key.name for key in libsql_shop.table("orders").foreign_keys] == ["fk_orders_customer"]
    assert all(comment in after for comment in ("/* who */", "-- the customer") if comment in created)

    libsql_shop.run(to="zero")
    assert everything(libsql_shop) == was


def test_a_key_of_two_columns_is_written_in_the_stored_text(libsql_shop: Shop) -> None:
    libsql_shop.execute(
        "CREATE TABLE lines (a, b, PRIMARY KEY (a, b)); CREATE TABLE parts (a, b); INSERT INTO lines VALUES (1, 2)"
    )
    was = stored(libsql_shop, "parts")
    libsql_shop.apply(
        AddForeignKey(table="parts", columns=("a", "b"), to="lines", to_columns=("a", "b"), name="fk_parts")
    )
    assert 'CONSTRAINT "fk_parts" FOREIGN KEY' in stored(libsql_shop, "parts")
    libsql_shop.run(to="zero")
    assert stored(libsql_shop, "parts") == was


def test_odd_names_are_no_trouble(libsql_shop: Shop) -> None:
    libsql_shop.execute(
        'CREATE TABLE "my ""users""" (id integer PRIMARY KEY, "100%" text UNIQUE);'
        'CREATE TABLE "o;rders" ("a""b" int, `select` text, \'c d\' int)'
    )
    was = stored(libsql_shop, "o;rders")
    common = {"table": '"o;rders"', "to": '"my ""users"""'}
    libsql_shop.apply(
        AddForeignKey(**common, columns=('a"b',), to_columns=("id",), name='f"k'),
        AddForeignKey(**common, columns=("select",), to_columns=("100%",), name="f%s"),
        AddForeignKey(**common, columns=("c d",), to_columns=("id",), name="f';"),
    )
    assert {key.name for key in libsql_shop.table('"o;rders"').foreign_keys} == {'f"k', "f%s", "f';"}
    libsql_shop.run(to="zero")
    assert stored(libsql_shop, "o;rders") == was


def test_rows_that_break_the_key_stay_and_new_ones_are_refused(libsql_shop: Shop) -> None:
    libsql_shop.execute(
        f"{PARENTS} CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer); INSERT INTO orders VALUES (1, 90)"
    )
    libsql_shop.apply(AddForeignKey(**KEY))
    assert libsql_shop.target.rows("SELECT * FROM orders") == [(1, 90)]
    with pytest.raises(sqlite3.IntegrityError):
        libsql_shop.execute("PRAGMA foreign_keys = ON; INSERT INTO orders VALUES (2, 91)")


def test_a_key_that_would_make_every_write_fail_is_refused(libsql_shop: Shop) -> None:
    libsql_shop.execute(
        "CREATE TABLE customers (id integer PRIMARY KEY, code text COLLATE nocase);"
        "CREATE UNIQUE INDEX by_code ON customers (code COLLATE binary);"
        "CREATE TABLE orders (customer_code text)"
    )
    was = everything(libsql_shop)
    arguments = KEY | {"columns": ("customer_code",), "to_columns": ("code",)}
    with pytest.raises(SchemaFixRefused, match="Every write would fail"):
        libsql_shop.apply(AddForeignKey(**arguments))
    assert everything(libsql_shop) == was


def test_sqlite_takes_away_what_libsql_has_made(
    libsql_shop: Shop, tmp_path: Path, register_target: RegisterTarget
) -> None:
    libsql_shop.execute(f"{PARENTS} CREATE TABLE orders (customer_id integer NOT NULL, b)")
    was = stored(libsql_shop)
    libsql_shop.apply(AddForeignKey(**KEY | {"on_delete": "CASCADE"}))
    shutil.copytree(libsql_shop.root / "target", libsql_shop.root / "plain")
    written = libsql_shop.root / "plain" / "migrations" / "0001_step.py"
    written.write_text(written.read_text().replace("'target'", "'plain'"))
    alias = register_target("plain", f"sqlite:///{tmp_path / 'target.db'}")
    with closing(sqlite3.connect(tmp_path / "target.db")) as file:
        file.execute("UPDATE django_migrations SET app = 'catalog_plain'")
        file.commit()
    Shop(EmptyTarget(alias, "sqlite", ""), libsql_shop.root).run(to="zero")
    assert stored(libsql_shop) == was


def test_the_sql_of_a_migration_is_the_statement_with_all_that_the_column_says(libsql_shop: Shop) -> None:
    libsql_shop.execute(f"{PARENTS} CREATE TABLE orders (id int, customer_id integer DEFAULT '%' NOT NULL)")
    libsql_shop.migration("0001_step", AddForeignKey(**KEY | {"on_delete": "CASCADE"}))
    alter = "ALTER TABLE \"orders\" ALTER COLUMN customer_id TO customer_id integer DEFAULT '%' NOT NULL"
    clause = COLUMN.replace("SET NULL", "CASCADE")

    forward = "\n".join(libsql_shop.run(with_sql=True).sql)
    assert f"BEGIN IMMEDIATE;\n{alter} {clause};\nCOMMIT;" in forward
    assert "writable_schema" not in forward
    libsql_shop.run()
    assert f"{alter};" in "\n".join(libsql_shop.run(with_sql=True, to="zero").sql)


def test_the_sql_of_a_table_that_is_not_there_yet_is_sqlites(libsql_shop: Shop) -> None:
    libsql_shop.migration("0001_step", AddForeignKey(**KEY))
    assert "writable_schema" in "\n".join(libsql_shop.run(with_sql=True).sql)


def test_a_key_becomes_text_with_all_that_refers_to_it_and_a_number_again(libsql_shop: Shop) -> None:
    shop = libsql_shop
    shop.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, name text)")
    shop.execute(
        "CREATE TABLE orders (id integer PRIMARY KEY, "
        "customer_id integer CONSTRAINT fk_orders_customer REFERENCES customers (id) ON DELETE SET NULL)"
    )
    shop.execute(
        "INSERT INTO customers VALUES (-4, 'minus'), (7, 'seven'), (9007199254740993, 'beyond a float')"
    )
    shop.execute("INSERT INTO orders VALUES (1, 7), (2, 9007199254740993), (3, NULL), (4, -4)")
    before, rows = shop.fingerprint(), orders(shop)
    convert = ConvertKey(
        table="customers", column="id", from_type="INTEGER", to_type="TEXT", referring=(("orders", "customer_id"),),
        default="(lower(hex(randomblob(16))))",
    )  # fmt: skip

    shop.migration("0001_convert", convert)
    shop.run()
    assert orders(shop) == [
        (1, "7", "text"),
        (2, "9007199254740993", "text"),
        (3, None, "null"),
        (4, "-4", "text"),
    ]
    assert shop.table("orders").foreign_keys[0].name == "fk_orders_customer"
    shop.run(to="zero")

    assert shop.fingerprint() == before
    assert orders(shop) == rows


def orders(shop: Shop) -> list[tuple[Any, ...]]:
    return list(shop.target.rows("SELECT id, customer_id, typeof(customer_id) FROM orders ORDER BY id"))


def test_a_required_table_and_column_are_made_filled_and_taken_away(libsql_shop: Shop) -> None:
    shop = libsql_shop
    shop.execute(
        "CREATE TABLE orders (id integer PRIMARY KEY, total numeric); INSERT INTO orders VALUES (1, 2.5)"
    )
    before = everything(shop)
    shop.migration(
        "0001_tables",
        CreateTable(table="notes", columns=({"name": "id", "type": "INTEGER"}, {"name": "note", "type": "text", "null": False}),
                    primary_key=("id",)),
        AddColumn(table="orders", column="code", type="text", null=False, backfill="'order ' || id"),
    )  # fmt: skip

    shop.run()
    shop.execute("INSERT INTO notes (note) VALUES ('kept')")
    assert shop.target.rows("SELECT code FROM orders") == [("order 1",)]
    with pytest.raises(sqlite3.IntegrityError):
        shop.execute("INSERT INTO orders VALUES (2, 1, NULL)")
    shop.run(to="zero")
    assert everything(shop) == before

    shop.run()
    assert shop.target.rows("SELECT note FROM notes") == [("kept",)]
