"""Tables are made where they are missing, adopted where they stand, and give back what they held."""

from typing import Any

import pytest
from django.db import connections

from integrity.database.session import Target
from integrity.exceptions import ReferentialIntegrityError, SchemaFixRefused
from integrity.operations import AddForeignKey, CreateTable
from tests.operations.conftest import Shop

pytestmark = pytest.mark.newest_postgres_only

PRESETS: dict[str, Any] = {
    "table": "presets",
    "columns": (
        {
            "name": "id",
            "type": "text",
            "default": {"postgresql": "gen_random_uuid()::text", "sqlite": "lower(hex(randomblob(16)))"},
        },
        {"name": "title", "type": "varchar(40)", "null": False},
        {"name": "state", "type": "text", "null": False, "default": "'new'"},
        {
            "name": "made_at",
            "type": {"postgresql": "timestamptz", "sqlite": "DATETIME"},
            "default": "CURRENT_TIMESTAMP",
        },
    ),
    "primary_key": ("id",),
}


def create(shop: Shop, **more: Any) -> None:
    shop.apply(CreateTable(**PRESETS | more))


def digest(shop: Shop, table: str) -> Any:
    with Target(shop.alias).reading() as session:
        schema = session.schema()
        return session.engine.digest(session, schema.table(schema.resolve(table)))


def test_a_table_is_made_as_it_is_described(shop: Shop) -> None:
    create(shop)
    shop.execute("INSERT INTO presets (title) VALUES ('one')")
    table = shop.table("presets")

    assert table.column_names == ("id", "title", "state", "made_at")
    assert [each.nullable for each in table.columns] == [False, False, False, True]
    assert table.primary_key is not None
    assert table.primary_key.columns == ("id",)
    assert shop.target.rows("SELECT title, state, length(id) >= 32, made_at IS NOT NULL FROM presets") == [
        ("one", "new", True, True)
    ]


def test_reversed_it_leaves_what_was_there(shop: Shop) -> None:
    before = shop.fingerprint()
    create(shop)
    shop.run(to="zero")

    assert shop.fingerprint() == before


@pytest.mark.parametrize("rows", [1, 1000])
def test_rows_that_it_held_come_back_with_it(shop: Shop, rows: int) -> None:
    create(shop)
    made = " UNION ALL ".join(f"SELECT 'n{number}'" for number in range(min(rows, 400)))
    shop.execute(f"INSERT INTO presets (title) {made}")
    shop.execute("CREATE INDEX presets_state ON presets (state)")
    before, structure = digest(shop, "presets"), shop.fingerprint()

    shop.run(to="zero")
    assert "presets" not in {name.name for name in shop.schema().tables}
    shop.run()

    assert digest(shop, "presets") == before
    assert shop.fingerprint() == structure


def test_a_table_that_has_all_that_is_described_is_adopted_and_stays(shop: Shop) -> None:
    kind = "DATETIME" if shop.sqlite else "timestamptz"
    shop.execute(
        f"CREATE TABLE presets (id text PRIMARY KEY, title varchar(40), state text, made_at {kind}, more text)"
    )
    before = shop.fingerprint()
    create(shop)
    assert shop.fingerprint() == before
    shop.run(to="zero")
    assert shop.fingerprint() == before


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("CREATE TABLE presets (id integer PRIMARY KEY, title varchar(40), state text, made_at {})", "id is"),
        (
            "CREATE TABLE presets (id text PRIMARY KEY, title varchar(40), made_at {})",
            "it has no column state",
        ),
        (
            "CREATE TABLE presets (id text, title varchar(40), state text, made_at {})",
            "primary key is missing",
        ),
        ("CREATE VIEW presets AS SELECT 1 AS id", "presets is a view"),
    ],
)
def test_another_table_of_this_name_stops_it_with_the_difference(shop: Shop, table: str, said: str) -> None:
    shop.execute(table.format("DATETIME" if shop.sqlite else "timestamptz"))
    before = shop.fingerprint()
    with pytest.raises(ReferentialIntegrityError, match=said):
        create(shop)
    assert shop.fingerprint() == before


def test_what_another_operation_changes_later_does_not_stop_it(shop: Shop) -> None:
    kind = "DATETIME" if shop.sqlite else "timestamptz"
    shop.execute(f"CREATE TABLE presets (id integer PRIMARY KEY, title varchar(40), made_at {kind})")
    create(shop, later=("id", "state"))
    shop.run(to="zero")
    assert shop.table("presets").column("id").type.lower() == "integer"


def test_a_table_that_others_refer_to_is_not_taken_from_under_them(shop: Shop) -> None:
    create(shop)
    shop.execute("CREATE VIEW seen AS SELECT title FROM presets")
    with pytest.raises(SchemaFixRefused, match="presets is used by view seen"):
        shop.run(to="zero")
    shop.execute("DROP VIEW seen; CREATE TABLE uses (preset text REFERENCES presets (id))")
    with pytest.raises(SchemaFixRefused, match="presets is used by foreign key"):
        shop.run(to="zero")


def test_its_foreign_keys_do_not_bind_while_it_is_kept(shop: Shop) -> None:
    create(shop)
    key = {
        "table": "presets", "columns": ("title",), "to": "names", "to_columns": ("name",),
        "name": "fk_presets_title",
    }  # fmt: skip
    shop.execute(
        "CREATE TABLE names (name varchar(40) PRIMARY KEY); INSERT INTO names VALUES ('one'), ('two')"
    )
    shop.apply(AddForeignKey(**key, validated=True))
    shop.execute("INSERT INTO presets (title) VALUES ('one')")
    shop.migration("0003_free")
    shop.run(to="zero")
    shop.execute("DELETE FROM names")
    assert shop.value("SELECT count(*) FROM names") == 0


def test_names_may_be_as_odd_as_a_database_allows(shop: Shop) -> None:
    odd = {"name": 'a "b" %s.c', "type": "text", "default": "'it''s 100%'"}
    name = '"Odd ""Table"" 100%"'
    shop.apply(CreateTable(table=name, columns=({"name": "Id", "type": "integer"}, odd), primary_key=("Id",)))
    shop.execute(f'INSERT INTO {name} ("Id") VALUES (1)')
    assert shop.value(f'SELECT "a ""b"" %s.c" FROM {name}') == "it's 100%"
    before = digest(shop, name)
    shop.run(to="zero")
    shop.run()
    assert digest(shop, name) == before


def test_a_table_in_another_schema_is_made_with_it(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.apply(
        CreateTable(table="audit.runs", columns=({"name": "id", "type": "bigserial"},), primary_key=("id",))
    )
    shop.execute("INSERT INTO audit.runs DEFAULT VALUES; INSERT INTO audit.runs DEFAULT VALUES")
    shop.run(to="zero")
    shop.run()
    shop.execute("INSERT INTO audit.runs DEFAULT VALUES")
    assert shop.target.rows("SELECT id FROM audit.runs ORDER BY id") == [(1,), (2,), (3,)]


def test_a_sqlite_key_goes_on_counting(sqlite_shop: Shop) -> None:
    shop = sqlite_shop
    columns = ({"name": "id", "type": "INTEGER PRIMARY KEY AUTOINCREMENT"}, {"name": "x", "type": "TEXT"})
    shop.apply(CreateTable(table="logs", columns=columns, primary_key=("id",)))
    shop.execute("INSERT INTO logs (x) VALUES ('a'), ('b'), ('c'); DELETE FROM logs WHERE id = 3")
    shop.run(to="zero")
    shop.run()
    shop.execute("INSERT INTO logs (x) VALUES ('d')")
    assert shop.target.rows("SELECT id FROM logs ORDER BY id") == [(1,), (2,), (4,)]


def test_the_sql_is_shown_for_each_engine(shop: Shop) -> None:
    sql = "\n".join(CreateTable(**PRESETS).statements(shop.target.vendor))
    assert "CREATE TABLE" in sql
    assert ("randomblob" in sql) is shop.sqlite


def test_what_others_put_on_an_empty_table_comes_back_with_it(shop: Shop) -> None:
    create(shop)
    shop.execute("ALTER TABLE presets ADD COLUMN more text; CREATE INDEX by_state ON presets (state)")
    structure = shop.fingerprint()
    shop.run(to="zero")
    shop.run()
    assert shop.fingerprint() == structure


def test_a_table_outside_of_the_default_schema_is_found_where_it_is(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute("CREATE SCHEMA app; CREATE TABLE presets (id text PRIMARY KEY)")
    options = connections.databases[shop.alias].setdefault("OPTIONS", {})
    options["options"] = "-c search_path=app"
    columns = ({"name": "id", "type": "text"},)
    shop.apply(CreateTable(table="presets", columns=columns, primary_key=("id",)))
    shop.apply(CreateTable(table="others", columns=columns, primary_key=("id",)))
    names = {name for name in shop.schema().tables if name.name in ("presets", "others")}
    assert {str(each) for each in names} == {"public.presets", "app.others"}


def test_a_table_that_somebody_dropped_is_no_obstacle_to_the_reverse(shop: Shop) -> None:
    create(shop)
    shop.execute("DROP TABLE presets")
    shop.run(to="zero")
    create(shop)
    assert shop.table("presets").has_columns(("state",))


def test_a_type_of_the_tables_name_is_said_to_be_in_the_way(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.apply(CreateTable(table="first", columns=({"name": "id", "type": "integer"},)))
    shop.execute("CREATE TYPE presets AS ENUM ('a')")
    with pytest.raises(ReferentialIntegrityError, match="presets"):
        create(shop)
