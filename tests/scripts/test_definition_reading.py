"""What a statement defines is read of either engine, with its place."""

import pytest

from integrity.database.schema import Action
from integrity.scripts.cursor import ObjectName
from integrity.scripts.definition_reading import read_events
from integrity.scripts.definitions import Alter, Alteration, Definition, Kind, Removal
from integrity.scripts.statement import Dialect, Place, Statement


def read(text: str, dialect: Dialect = Dialect.SHARED) -> list[object]:
    return list(read_events(Statement(text, Place("a.sql", 10, 5), dialect)))


def defined(text: str) -> Definition:
    (found,) = read(text)
    assert isinstance(found, Definition)
    return found


def altered(text: str) -> list[Alteration]:
    return [each for each in read(text) if isinstance(each, Alteration)]


def test_columns_have_their_types_defaults_and_nulls() -> None:
    table = defined(
        "CREATE TABLE IF NOT EXISTS public.T (id SERIAL PRIMARY KEY, a VARCHAR(20) NOT NULL DEFAULT 'x, y',"
        ' "b c" numeric(10, 2) DEFAULT (1 + 2) NOT NULL, [d] UNSIGNED BIG INT, e text[], f)'
    )
    assert table.name == ObjectName("", "t")
    assert table.if_not_exists
    assert [(each.name, each.type, each.nullable) for each in table.columns] == [
        ("id", "SERIAL", True),
        ("a", "VARCHAR(20)", False),
        ("b c", "numeric(10, 2)", False),
        ("d", "UNSIGNED BIG INT", True),
        ("e", "text[]", True),
        ("f", "", True),
    ]
    assert [each.default for each in table.columns][1:3] == ["'x, y'", "(1+ 2)"]


def test_each_column_and_key_has_its_line() -> None:
    table = defined("CREATE TABLE t (\n  id INTEGER,\n  -- whose\n  u INTEGER REFERENCES users(id)\n)")
    assert str(table.place) == "a.sql:10:18"
    assert [str(each.place) for each in table.columns] == ["a.sql:11:3", "a.sql:13:3"]
    assert [str(each.place) for each in table.foreign_keys] == ["a.sql:13:13"]


def test_foreign_keys_of_columns_and_tables_have_their_actions() -> None:
    table = defined(
        "CREATE TABLE t (a INT CONSTRAINT k REFERENCES s.p ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE,"
        " b INT, CONSTRAINT f FOREIGN KEY (a, b) REFERENCES q (x, y) MATCH FULL ON DELETE RESTRICT)"
    )
    one, two = table.foreign_keys
    assert (one.name, one.columns, one.referenced, one.on_delete, one.on_update) == (
        "k",
        ("a",),
        ObjectName("s", "p"),
        Action.SET_NULL,
        Action.CASCADE,
    )
    assert (two.name, two.columns, two.referenced_columns, two.on_delete) == (
        "f",
        ("a", "b"),
        ("x", "y"),
        Action.RESTRICT,
    )


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t AS SELECT 1 AS a",
        "CREATE TABLE t (LIKE u INCLUDING ALL)",
        "CREATE TABLE t (a INT) INHERITS (u)",
        "CREATE TABLE t PARTITION OF u FOR VALUES FROM (1) TO (2)",
        "CREATE VIRTUAL TABLE t USING fts5(a, b)",
        "CREATE TABLE t (${columns})",
    ],
)
def test_a_table_whose_columns_are_not_all_written_is_open(text: str) -> None:
    assert defined(text).open


def test_a_partitioned_table_is_not_open() -> None:
    assert not defined("CREATE TABLE t (a INT) PARTITION BY RANGE (a)").open


def test_indexes_have_their_table_and_terms() -> None:
    index = defined("CREATE UNIQUE INDEX i ON ONLY s.t USING btree (a, lower(b) DESC) WHERE a > 1")
    assert (index.name, index.table, index.unique) == (ObjectName("s", "i"), ObjectName("s", "t"), True)
    assert index.indexed == ("a",)
    assert index.terms == ("a", "lower(b) DESC")


def test_triggers_of_both_engines_have_their_table() -> None:
    one = defined("CREATE TRIGGER g BEFORE UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION f()")
    other = defined("CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE u SET a = 1; END")
    assert (one.table, one.calls) == (ObjectName("", "t"), ObjectName("", "f"))
    assert (other.table, other.calls) == (ObjectName("", "t"), None)
    assert other.body.startswith(" UPDATE u")


def test_functions_of_one_name_are_told_apart_by_their_arguments() -> None:
    one = defined("CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $x$ SELECT 1; $x$")
    assert (one.or_replace, one.arguments, one.language, one.body) == (True, "a int", "sql", " SELECT 1; ")


def test_an_alter_table_has_several_actions() -> None:
    found = altered(
        "ALTER TABLE IF EXISTS t ADD COLUMN IF NOT EXISTS z TEXT NOT NULL DEFAULT 'a', DROP COLUMN q,"
        " ALTER COLUMN a TYPE uuid USING a::uuid, ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES b (id),"
        " RENAME COLUMN c TO d, RENAME TO u"
    )
    assert [(each.action, each.column_name) for each in found] == [
        (Alter.ADD_COLUMN, "z"),
        (Alter.DROP_COLUMN, "q"),
        (Alter.CHANGE_COLUMN, "a"),
        (Alter.ADD_FOREIGN_KEY, ""),
        (Alter.RENAME_COLUMN, "c"),
        (Alter.RENAME, ""),
    ]
    assert found[2].type == "uuid"


def test_what_a_block_makes_is_conditional_and_has_its_line() -> None:
    found = read(
        "DO $$\nBEGIN\n  IF NOT EXISTS (SELECT 1 FROM pg_class) THEN\n    CREATE INDEX i ON t(a);\n"
        "  END IF;\n  ALTER TABLE t ADD COLUMN b INT;\nEND $$"
    )
    assert [(type(each), each.kind, each.conditional, each.place.line) for each in found] == [
        (Definition, Kind.INDEX, True, 13),
        (Alteration, Kind.TABLE, True, 15),
    ]


def test_a_drop_names_several() -> None:
    found = read("DROP TABLE IF EXISTS a, s.b CASCADE")
    assert [(type(each), each.name, each.if_exists) for each in found] == [
        (Removal, ObjectName("", "a"), True),
        (Removal, ObjectName("s", "b"), True),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t VALUES (1)",
        "SELECT 1",
        "CREATE",
        "ALTER TABLE",
        "DROP TABLE",
        "CREATE TABLE t",
        "CREATE TABLE t (",
        "CREATE INDEX i",
        "CREATE FUNCTION f(",
        "CREATE FUNCTION f",
        "CREATE TRIGGER",
        "CREATE TABLE e ()",
        "CREATE TABLE x (a int references)",
        "ALTER TABLE c ADD",
        "ALTER TABLE c ALTER",
        "",
    ],
)
def test_what_defines_nothing_or_is_cut_off_is_no_error(text: str) -> None:
    assert len(read(text)) <= 1
