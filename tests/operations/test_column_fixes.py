"""What a ``[[column]]`` asks for is written as a migration, with all that refers to the column."""

from typing import Any

import pytest

from integrity.database.session import Target
from integrity.exceptions import SchemaFixRefused
from integrity.operations import ConvertKey, RemoveColumn
from integrity.operations.convert_column import ConvertColumn
from integrity.operations.schema_fix import FixKind, SchemaFix
from integrity.operations.writer import operation_text
from integrity.tasks.designing import fixes_for, make_migrations
from tests.operations.conftest import Shop
from tests.operations.test_convert_key import digests

pytestmark = pytest.mark.newest_postgres_only

SUITE = """
CREATE TABLE users (id integer PRIMARY KEY, name text);
CREATE TABLE connections (
    id integer PRIMARY KEY, name text NOT NULL, user_id integer,
    CONSTRAINT fk_connections_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE);
CREATE INDEX connections_user_idx ON connections (user_id);
CREATE TABLE states (connection_id integer PRIMARY KEY REFERENCES connections (id), state text);
CREATE TABLE events (id integer PRIMARY KEY, connection_id integer, note text);
CREATE TABLE logs (id integer PRIMARY KEY, connection_id text);
INSERT INTO users VALUES (1, 'ann'), (2, 'bob');
INSERT INTO connections VALUES (1, 'main', 1), (2, 'spare', NULL), (3, 'third', 2);
INSERT INTO states VALUES (1, 'up'), (3, 'down');
INSERT INTO events VALUES (1, 1, 'a'), (2, NULL, 'b');
INSERT INTO logs VALUES (1, '1'), (2, '3');
"""
CATALOG = """
[[reference]]
from = "events.connection_id"
to = "states.connection_id"
on_delete = "CASCADE"

[[reference]]
from = "logs.connection_id"
to = "connections.id"

[[column]]
column = "connections.id"
from = "integer"
to = { postgresql = "text", sqlite = "TEXT" }
default = { postgresql = "gen_random_uuid()::text", sqlite = "(lower(hex(randomblob(16))))" }
rationale = "ids are text everywhere"

[[column]]
column = "connections.user_id"
remove = true
"""


@pytest.fixture
def suite(empty_shop: Shop) -> Shop:
    empty_shop.execute(SUITE)
    catalog(empty_shop, CATALOG)
    return empty_shop


def catalog(shop: Shop, text: str) -> None:
    folder = shop.root / shop.alias
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalog.toml").write_text(text)


def fixes(shop: Shop) -> list[SchemaFix]:
    return fixes_for(shop.alias)[0]


def the_conversion(shop: Shop) -> SchemaFix:
    (found,) = [fix for fix in fixes(shop) if fix.kind is FixKind.CONVERT]
    return found


def arguments(fix: SchemaFix) -> dict[str, Any]:
    return fix.operation.arguments()


@pytest.mark.django_db
def test_a_key_takes_along_what_refers_to_it_through_any_number_of_levels(suite: Shop) -> None:
    fix = the_conversion(suite)

    assert isinstance(fix.operation, ConvertKey)
    assert sorted(arguments(fix)["referring"]) == [
        ("events", "connection_id"),
        ("logs", "connection_id"),
        ("states", "connection_id"),
    ]
    assert (fix.phase, fix.rationale) == (3, "ids are text everywhere")
    text = operation_text(fix)
    assert 'to_type={"postgresql": "text", "sqlite": "TEXT"},' in text
    assert '("states", "connection_id")' in text


@pytest.mark.django_db
def test_foreign_keys_of_columns_that_are_converted_come_after_it(suite: Shop) -> None:
    found = [(fix.phase, fix.kind) for fix in fixes(suite) if fix.table.name in ("events", "logs")]
    assert sorted(found) == [(3, FixKind.FOREIGN_KEY)] * 2 + [(3, FixKind.VALIDATE)] * 2
    kinds = [fix.kind for fix in fixes(suite)]
    assert kinds.index(FixKind.CONVERT) < kinds.index(FixKind.FOREIGN_KEY)


@pytest.mark.django_db
def test_a_column_in_another_ones_conversion_is_not_converted_twice(suite: Shop) -> None:
    again = '[[column]]\ncolumn = "states.connection_id"\nfrom = "integer"\nto = "text"\n'
    catalog(suite, CATALOG + again)
    assert arguments(the_conversion(suite))["table"] == "connections"


@pytest.mark.django_db
def test_a_column_that_nothing_refers_to_is_converted_alone(suite: Shop) -> None:
    catalog(suite, '[[column]]\ncolumn = "events.note"\nfrom = "text"\nto = "integer"\n')
    fix = the_conversion(suite)
    assert type(fix.operation) is ConvertColumn


@pytest.mark.django_db
def test_an_engine_that_the_entry_leaves_out_gets_nothing(suite: Shop) -> None:
    other = "postgresql" if suite.sqlite else "sqlite"
    catalog(suite, f'[[column]]\ncolumn = "events.note"\nfrom = "text"\nto = {{ {other} = "integer" }}\n')
    assert fixes(suite) == []


@pytest.mark.django_db
def test_what_is_as_the_catalog_says_needs_nothing_and_a_missing_default_does(suite: Shop) -> None:
    suite.apply(the_conversion(suite).operation)
    (suite.root / suite.alias / "migrations" / "0001_step.py").unlink()
    assert FixKind.CONVERT not in {fix.kind for fix in fixes(suite)}
    catalog(suite, CATALOG.replace("(lower(", "(upper(").replace("gen_random_uuid()", "now()"))
    assert FixKind.CONVERT in {fix.kind for fix in fixes(suite)}


@pytest.mark.django_db
def test_the_written_migrations_go_there_and_back(suite: Shop) -> None:
    before, rows = suite.schema().structure(), digests(suite)
    made = make_migrations(suite.alias)
    assert made.unacknowledged == {}

    suite.run()

    table = suite.table("connections")
    assert table.column_names == ("id", "name")
    assert {str(key.sides[2]) for key in suite.table("logs").foreign_keys} == {str(table.name)}
    suite.execute("DELETE FROM states WHERE connection_id = '3'")
    suite.execute("INSERT INTO states VALUES ('3', 'down')")

    suite.run(to="zero")

    assert suite.schema().structure()["main.users" if suite.sqlite else "public.users"] == before.get(
        "main.users" if suite.sqlite else "public.users"
    )
    after = digests(suite)
    if not suite.sqlite:  # a column comes back behind all others there
        after.pop("connections"), rows.pop("connections")
    assert after == rows
    assert {key.name for key in suite.table("connections").foreign_keys} == {"fk_connections_user"}
    assert {index.name for index in suite.table("connections").indexes} >= {"connections_user_idx"}


@pytest.mark.django_db
def test_a_removal_names_what_else_uses_the_column_until_it_is_acknowledged(suite: Shop) -> None:
    suite.execute("CREATE VIEW owners AS SELECT id, user_id FROM connections")
    removal = '[[column]]\ncolumn = "connections.user_id"\nremove = true\n'
    catalog(suite, removal)
    made = make_migrations(suite.alias, dry_run=True)
    assert made.unacknowledged == {"connections.user_id": ["view owners"]}
    with pytest.raises(SchemaFixRefused, match="is used by view owners"):
        suite.apply(made.fixes[0].operation)

    (suite.root / suite.alias / "migrations" / "0001_step.py").unlink()
    catalog(suite, removal + 'acknowledged = ["view owners"]\n')
    (fix,) = fixes(suite)
    assert isinstance(fix.operation, RemoveColumn)
    suite.apply(fix.operation)
    assert fixes(suite) == []
    assert not suite.table("connections").has_columns(("user_id",))


@pytest.mark.django_db
def test_a_unique_index_of_a_column_that_goes_must_be_acknowledged(suite: Shop) -> None:
    suite.execute("CREATE UNIQUE INDEX one_each ON connections (user_id)")
    made = make_migrations(suite.alias, dry_run=True)
    assert made.unacknowledged == {"connections.user_id": ["index one_each"]}


@pytest.mark.engine("sqlite")
def test_keys_behind_the_columns_go_and_come_back_even_in_another_text(sqlite_shop: Shop) -> None:
    sqlite_shop.execute("""
        CREATE TABLE a (x integer PRIMARY KEY, y integer, z integer, w integer, FOREIGN KEY (y) REFERENCES a (x),
          CONSTRAINT both FOREIGN KEY (z, y) REFERENCES b (p, q) ON DELETE CASCADE CHECK (x > 0));
        CREATE TABLE b (p, q, UNIQUE (p, q));
        INSERT INTO b VALUES (1, 2);
        INSERT INTO a VALUES (2, 2, 1, 1), (3, NULL, NULL, 2)""")
    keys = set(sqlite_shop.table("a").foreign_keys)
    rows = digests(sqlite_shop)

    sqlite_shop.apply(RemoveColumn(table="a", column="y", with_keys=True))
    assert sqlite_shop.table("a").foreign_keys == ()
    sqlite_shop.execute("ALTER TABLE a RENAME COLUMN w TO v")
    sqlite_shop.run(to="zero")

    assert {key.sides for key in sqlite_shop.table("a").foreign_keys} == {key.sides for key in keys}
    assert digests(sqlite_shop) == rows
    with Target(sqlite_shop.alias).reading() as session:
        assert session.value("SELECT count(*) FROM pragma_foreign_key_check") == 0


@pytest.mark.django_db
def test_a_default_alone_is_asked_for_until_it_stands(suite: Shop) -> None:
    catalog(suite, '[[column]]\ncolumn = "events.note"\ndefault = "\'none\'"\n')
    (fix,) = fixes(suite)
    assert fix.kind is FixKind.DEFAULT
    suite.apply(fix.operation)
    (suite.root / suite.alias / "migrations" / "0001_step.py").unlink()
    assert fixes(suite) == []
