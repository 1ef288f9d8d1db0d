"""The structure of a target is read whole, rightly, and in a fixed number of queries."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from integrity.database.identifiers import TableName
from integrity.database.schema import Action, ForeignKey, Match, Schema, Table, TableKind
from integrity.database.session import Session, Target
from integrity.exceptions import UnknownTable
from integrity_project.postgres import PostgresServer
from tests.servers import SQLITE, EmptyTarget, MakePostgresDatabase, RegisterTarget

SHOP = """
CREATE TABLE customers (id integer PRIMARY KEY, email varchar(40) NOT NULL UNIQUE, city varchar(20));
CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL CONSTRAINT fk_customer REFERENCES customers (id) ON DELETE CASCADE,
    total numeric(8, 2) DEFAULT 0,
    doubled numeric(8, 2) GENERATED ALWAYS AS (total * 2) STORED,
    CONSTRAINT fk_again FOREIGN KEY (customer_id) REFERENCES customers (id)
        ON UPDATE CASCADE ON DELETE SET NULL
);
CREATE INDEX orders_customer_idx ON orders (customer_id);
CREATE INDEX orders_big_idx ON orders (total, id) WHERE total > 100;
CREATE INDEX customers_lower_idx ON customers (lower(email));
CREATE VIEW cities AS SELECT DISTINCT city FROM customers;
"""


def read(alias: str = "target") -> Schema:
    with Target(alias).reading() as session:
        return session.schema()


def table(schema: Schema, name: str) -> Table:
    return schema.table(schema.resolve(f'"{name}"'))


def test_columns_keys_indexes_and_foreign_keys_are_read(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(SHOP)
    schema = read()
    orders, customers = table(schema, "orders"), table(schema, "customers")

    assert orders.column_names == ("id", "customer_id", "total", "doubled")
    assert [column.name for column in orders.stored_columns] == ["id", "customer_id", "total"]
    assert [column.nullable for column in orders.columns][1:] == [False, True, True]
    assert orders.column("total").type.replace(" ", "") == "numeric(8,2)"
    assert orders.primary_key is not None
    assert orders.primary_key.columns == ("id",)
    assert customers.key_on(("email",)) is not None
    assert customers.key_on(("city",)) is None
    keys = {key.name: key for key in orders.foreign_keys}
    assert (keys["fk_customer"].on_delete, keys["fk_customer"].on_update) == (
        Action.CASCADE,
        Action.NO_ACTION,
    )
    assert (keys["fk_again"].on_delete, keys["fk_again"].on_update) == (Action.SET_NULL, Action.CASCADE)
    indexes = {index.name: index for index in (*orders.indexes, *customers.indexes)}
    assert indexes["orders_big_idx"].columns == ("total", "id")
    assert "100" in indexes["orders_big_idx"].where
    assert indexes["customers_lower_idx"].expressions
    assert table(schema, "cities").kind is TableKind.VIEW
    assert table(schema, "cities").column_names == ("city",)


def test_an_index_serves_what_leads_it_in_any_order(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(
        "CREATE TABLE t (a integer, b integer, c integer); CREATE INDEX i ON t (a, b, c);"
        "CREATE INDEX p ON t (c) WHERE a > 0"
    )
    found = table(read(), "t")

    assert found.index_serving(("b", "a")) is not None
    assert found.index_serving(("b",)) is None
    assert found.index_serving(("c",)) is None


def test_the_number_of_queries_does_not_grow_with_tables(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(SHOP)
    few = queries_of_introspection()
    for number in range(20):
        empty_target.execute_script(
            f"CREATE TABLE t{number} (id integer PRIMARY KEY, c integer REFERENCES customers (id));"
            f"CREATE INDEX i{number} ON t{number} (c)"
        )

    assert queries_of_introspection() == few <= 9


def queries_of_introspection() -> int:
    with Target("target").reading() as session, counted(session) as queries:
        session.schema()
    return len(queries)


@contextmanager
def counted(session: Session) -> Iterator[list[str]]:
    queries: list[str] = []

    def note(execute, sql, params, many, context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        queries.append(sql)
        return execute(sql, params, many, context)

    with session.connection.execute_wrapper(note):
        yield queries


def test_the_journal_is_never_part_of_the_structure(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(SHOP)
    before = read()
    empty_target.execute_script(
        "CREATE TABLE integrity_journal_runs (x integer); CREATE INDEX ij ON integrity_journal_runs (x)"
        if empty_target.vendor == SQLITE
        else "CREATE SCHEMA integrity_journal; CREATE TABLE integrity_journal.runs (x integer PRIMARY KEY)"
    )

    assert read().tables.keys() == before.tables.keys()
    assert read().fingerprint() == before.fingerprint()


def test_the_fingerprint_follows_the_structure_and_not_the_rows(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(SHOP)
    before = read().fingerprint()
    empty_target.execute_script("INSERT INTO customers VALUES (1, 'a', 'b')")
    with_rows = read().fingerprint()
    empty_target.execute_script("DROP INDEX orders_customer_idx")

    assert before == with_rows != read().fingerprint()


def test_a_table_is_found_by_what_was_written(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(SHOP)
    schema = read()

    assert schema.resolve("orders").name == "orders"
    with pytest.raises(UnknownTable, match=r"no table .*ordes.*Did you mean orders\?"):
        schema.resolve("ordes")
    with pytest.raises(UnknownTable, match=r"no column 'custmer_id'\. Did you mean customer_id\?"):
        table(schema, "orders").column("custmer_id")


# ---------------------------------------------------------------------------------------- SQLite


def only_key(empty_target: EmptyTarget, sql: str) -> ForeignKey:
    empty_target.execute_script(sql)
    (key,) = read().foreign_keys()
    return key


def sqlite_only(empty_target: EmptyTarget) -> bool:
    return empty_target.vendor == SQLITE


def test_sqlite_names_are_as_their_tables_spell_them(empty_target: EmptyTarget) -> None:
    if not sqlite_only(empty_target):
        return
    key = only_key(
        empty_target,
        'CREATE TABLE "User" ("Id" INTEGER PRIMARY KEY); CREATE TABLE c (User_Id REFERENCES user(ID))',
    )

    assert (key.columns, key.referenced_table.name, key.referenced_columns) == (("User_Id",), "User", ("Id",))


def test_sqlite_keys_without_columns_mean_the_primary_key(empty_target: EmptyTarget) -> None:
    if not sqlite_only(empty_target):
        return
    key = only_key(
        empty_target,
        "CREATE TABLE p (b, a, PRIMARY KEY (a, b)); CREATE TABLE c (x, y, FOREIGN KEY (x, y) REFERENCES p)",
    )

    assert key.referenced_columns == ("a", "b")


def test_sqlite_foreign_keys_have_the_names_of_their_text(empty_target: EmptyTarget) -> None:
    if not sqlite_only(empty_target):
        return
    empty_target.execute_script(
        """CREATE TABLE p (id INTEGER PRIMARY KEY);
           CREATE TABLE c ( -- a comment, with REFERENCES p
             a INT CONSTRAINT "first one" REFERENCES p(id) CHECK (a > 0),
             b INT CONSTRAINT nn NOT NULL REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED,
             [c d] INT CONSTRAINT [third] REFERENCES p(id) ON DELETE SET NULL,
             e TEXT DEFAULT 'FOREIGN KEY (x) REFERENCES y(z)',
             CONSTRAINT `fourth` FOREIGN KEY (a, b) REFERENCES q(x, y), FOREIGN KEY (b) REFERENCES p)"""
    )
    keys = {key.columns: key for key in reversed(table(read(), "c").foreign_keys)}

    assert {columns: key.name for columns, key in keys.items()} == {
        ("a",): "first one",
        ("b",): "",
        ("c d",): "third",
        ("a", "b"): "fourth",
    }
    assert keys[("c d",)].on_delete is Action.SET_NULL


def test_sqlite_knows_rowids_strictness_and_virtual_tables(empty_target: EmptyTarget) -> None:
    if not sqlite_only(empty_target):
        return
    empty_target.execute_script(
        """CREATE TABLE plain (x); CREATE TABLE taken (rowid TEXT, _rowid_ TEXT);
           CREATE TABLE none (x INT PRIMARY KEY) WITHOUT ROWID, STRICT;
           CREATE VIRTUAL TABLE words USING fts5(body);
           CREATE VIEW broken AS SELECT * FROM gone;"""
    )
    schema = read()

    assert [table(schema, name).rowid for name in ("plain", "taken", "none")] == ["rowid", "oid", ""]
    assert table(schema, "none").strict
    assert table(schema, "words").kind is TableKind.VIRTUAL
    assert table(schema, "broken").columns == ()


def test_sqlite_triggers_are_read_with_their_event(empty_target: EmptyTarget) -> None:
    if not sqlite_only(empty_target):
        return
    empty_target.execute_script(
        """CREATE TABLE t (x);
           CREATE TRIGGER on_insert BEFORE UPDATE OF x ON t BEGIN DELETE FROM t; END;
           CREATE TRIGGER "delete it" AFTER /* DELETE */ INSERT ON t BEGIN SELECT 1; END;"""
    )
    events = {trigger.name: trigger.events for trigger in table(read(), "t").triggers}

    assert events == {"on_insert": ("UPDATE",), "delete it": ("INSERT",)}


def test_sqlite_text_that_is_not_utf8_is_kept(empty_target: EmptyTarget) -> None:
    if not sqlite_only(empty_target):
        return
    empty_target.execute_script(
        "CREATE TABLE t (x TEXT); INSERT INTO t VALUES (CAST(X'ff61' AS TEXT)), ('é')"
    )
    with Target("target").reading() as session:
        schema = session.schema()
        assert sorted(row[0] for row in session.rows("SELECT x FROM t")) == ["é", "\udcffa"]
        assert session.engine.digest(session, table(schema, "t")).rows == 2


# ------------------------------------------------------------------------------------ PostgreSQL


@pytest.fixture
def postgresql(
    postgres_server: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
) -> EmptyTarget:
    url = make_postgres_database(postgres_server)
    return EmptyTarget(register_target("target", url), "postgresql", url, postgres_server)


def test_postgresql_types_are_read_with_what_stores_them(postgresql: EmptyTarget) -> None:
    postgresql.execute_script(
        """CREATE TYPE mood AS ENUM ('sad'); CREATE DOMAIN short AS varchar(5);
           CREATE DOMAIN shorter AS short;
           CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY, n int GENERATED BY DEFAULT AS IDENTITY,
             mood mood, moods mood[], short short, shorter shorter, name text COLLATE "C",
             at timestamptz(3))"""
    )
    columns = {column.name: column for column in table(read(), "t").columns}

    assert (columns["id"].identity, columns["n"].identity) == ("ALWAYS", "BY DEFAULT")
    stored = {name: column.stored_type for name, column in columns.items()}
    assert (stored["mood"], stored["moods"]) == ("text", "text[]")
    assert stored["short"].startswith("character varying")
    assert stored["shorter"].startswith("character varying")
    assert columns["name"].collation == 'pg_catalog."C"'
    assert columns["at"].type == "timestamp(3) with time zone"


def test_postgresql_schemas_are_told_apart(postgresql: EmptyTarget) -> None:
    postgresql.execute_script(
        'CREATE SCHEMA auth; CREATE SCHEMA "My Shop"; CREATE TABLE auth.users (id int PRIMARY KEY);'
        'CREATE TABLE "My Shop".users (id int PRIMARY KEY REFERENCES auth.users (id));'
        "CREATE TABLE public.only (id int)"
    )
    schema = read()

    assert schema.resolve("auth.users") == TableName("auth", "users")
    assert schema.resolve("only") == TableName("public", "only")
    with pytest.raises(UnknownTable, match=r"users is in several schemas\. Write one of"):
        schema.resolve("users")
    (key,) = schema.foreign_keys()
    assert (key.table.schema, key.referenced_table.schema) == ("My Shop", "auth")


def test_postgresql_partitions_and_inheritance_are_read(postgresql: EmptyTarget) -> None:
    postgresql.execute_script(
        """CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
           CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
           CREATE TABLE p11 PARTITION OF p1 FOR VALUES FROM (0) TO (5);
           CREATE TABLE base (id int); CREATE TABLE derived () INHERITS (base);
           CREATE TABLE c (p int REFERENCES p (id));"""
    )
    schema = read()

    assert table(schema, "p").kind is TableKind.PARTITIONED
    assert table(schema, "p11").kind is TableKind.PARTITION
    assert [leaf.name.name for leaf in schema.leaves(TableName("public", "p"))] == ["p11"]
    assert [child.name for child in table(schema, "base").children] == ["derived"]
    assert [key.table.name for key in schema.foreign_keys()] == ["c"]


def test_postgresql_flags_of_a_foreign_key_are_read(postgresql: EmptyTarget) -> None:
    postgresql.execute_script(
        """CREATE TABLE p (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE c (a int, b int);
           ALTER TABLE c ADD CONSTRAINT f FOREIGN KEY (b, a) REFERENCES p (b, a) MATCH FULL
             ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED NOT VALID;"""
    )
    (key,) = read().foreign_keys()

    assert (key.match, key.on_delete, key.deferrable, key.deferred) == (
        Match.FULL,
        Action.RESTRICT,
        True,
        True,
    )
    assert (key.validated, key.enforced) == (False, True)
    assert key.columns == ("b", "a")
    assert key.sides[1] == (("a", "a"), ("b", "b"))


def test_an_invalid_index_serves_nothing(postgresql: EmptyTarget) -> None:
    postgresql.execute_script(
        "CREATE TABLE t (a int); CREATE UNIQUE INDEX i ON t (a);"
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass"
    )
    found = table(read(), "t")

    assert found.index_serving(("a",)) is None
    assert found.keys == ()


def test_a_unique_index_can_be_partial_deferrable_or_equal_on_nulls(postgresql: EmptyTarget) -> None:
    postgresql.execute_script(
        """CREATE TABLE t (a int, b int UNIQUE DEFERRABLE, c int, d int);
           CREATE UNIQUE INDEX part ON t (a) WHERE a > 0; CREATE UNIQUE INDEX inc ON t (c) INCLUDE (d);"""
    )
    found = table(read(), "t")

    assert found.key_on(("a",)) is None
    assert found.key_on(("b",)) is None
    assert found.key_on(("c",)) is not None


def test_estimates_do_not_claim_what_nobody_counted(postgresql: EmptyTarget) -> None:
    postgresql.execute_script("CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 50)")
    before = table(read(), "t").estimated_rows
    postgresql.execute_script("ANALYZE t")

    assert (before, table(read(), "t").estimated_rows) == (-1, 50)
