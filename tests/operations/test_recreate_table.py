"""A table is dropped and made anew in another shape, and comes back with every row and all that was on it."""

from typing import Any

import pytest

from integrity.database.session import Target
from integrity.exceptions import ReferentialIntegrityError, SchemaFixRefused
from integrity.operations import RecreateTable
from tests.operations.conftest import Shop

pytestmark = pytest.mark.newest_postgres_only

ID = {"postgresql": "id::text", "sqlite": "CAST(id AS text)"}
NEW: dict[str, Any] = {
    "table": "orders",
    "columns": (
        {"name": "id", "type": "text", "null": False},
        {"name": "customer_id", "type": "integer"},
        {"name": "state", "type": "text", "null": False, "default": "'new'"},
    ),
    "primary_key": ("id",),
    "copy": {"id": ID, "customer_id": "customer_id", "state": "coalesce(status, 'none')"},
}
LINES = """
CREATE TABLE lines (id integer PRIMARY KEY, customer_id integer);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE VIEW open_orders AS SELECT id, customer_id FROM orders WHERE customer_id IS NOT NULL;
"""


def recreate(shop: Shop, **more: Any) -> None:
    shop.apply(RecreateTable(**NEW | more))


def digest(shop: Shop, table: str = "orders") -> Any:
    with Target(shop.alias).reading() as session:
        schema = session.schema()
        return session.engine.digest(session, schema.table(schema.resolve(table)))


def test_the_new_table_takes_what_is_copied_and_the_old_one_comes_back_exactly(shop: Shop) -> None:
    shop.execute(LINES)
    before, structure = digest(shop), shop.fingerprint()
    recreate(shop)

    assert shop.target.rows("SELECT id, customer_id, state FROM orders ORDER BY id") == [
        ("1", 1, "none"), ("2", 2, "none"), ("3", None, "none"),
    ]  # fmt: skip
    table = shop.table("orders")
    assert table.column_names == ("id", "customer_id", "state")
    assert table.index("orders_customer") is not None
    assert shop.value("SELECT count(*) FROM open_orders") == 2

    shop.run(to="zero")
    assert (digest(shop), shop.fingerprint()) == (before, structure)
    assert shop.value("SELECT count(*) FROM open_orders") == 2


def test_without_a_copy_the_rows_are_in_the_journal_alone(shop: Shop) -> None:
    before = digest(shop)
    recreate(shop, copy=None)
    assert shop.value("SELECT count(*) FROM orders") == 0
    shop.run(to="zero")
    assert digest(shop) == before


def test_rows_that_were_written_since_are_kept_in_turn_and_come_back(shop: Shop) -> None:
    recreate(shop)
    shop.execute("INSERT INTO orders (id) VALUES ('new one')")
    after = digest(shop)
    shop.run(to="zero")
    assert shop.value("SELECT count(*) FROM orders") == 3
    shop.run()
    assert digest(shop) == after


def test_rows_written_in_both_shapes_are_not_mixed(shop: Shop) -> None:
    recreate(shop)
    shop.run(to="zero")
    shop.execute("INSERT INTO orders (id) VALUES (77)")
    with pytest.raises(SchemaFixRefused, match="was written in both of its shapes") as refused:
        shop.run()
    assert shop.value("SELECT count(*) FROM orders") == 4
    place = str(refused.value).split("are in ")[1].split(". Take")[0]
    shop.execute(f"DROP TABLE {place}")
    shop.run()
    assert shop.value("SELECT count(*) FROM orders WHERE id = '77'") == 1


def test_a_table_of_this_shape_is_adopted(shop: Shop) -> None:
    shop.execute(
        "DROP TABLE orders; CREATE TABLE orders (id text PRIMARY KEY, customer_id integer, state text)"
    )
    before = shop.fingerprint()
    recreate(shop)
    shop.run(to="zero")
    assert shop.fingerprint() == before


def test_a_table_that_is_missing_is_made(shop: Shop) -> None:
    shop.execute("DROP TABLE orders")
    before = shop.fingerprint()
    recreate(shop)
    assert shop.table("orders").column_names == ("id", "customer_id", "state")
    shop.run(to="zero")
    assert shop.fingerprint() == before


def test_what_the_new_shape_cannot_have_must_be_acknowledged_and_comes_back(shop: Shop) -> None:
    shop.execute("CREATE INDEX by_total ON orders (total); CREATE VIEW totals AS SELECT total FROM orders")
    before, structure = digest(shop), shop.fingerprint()
    with pytest.raises(
        ReferentialIntegrityError, match="could not have index by_total, view totals"
    ) as refused:
        recreate(shop)
    assert '"index by_total", "view totals"' in str(refused.value)
    assert (digest(shop), shop.fingerprint()) == (before, structure)

    (shop.root / shop.alias / "migrations/0001_step.py").unlink()
    recreate(shop, acknowledged=("index by_total", "view totals"))
    assert "totals" not in {name.name for name in shop.schema().tables}
    shop.run(to="zero")
    assert (digest(shop), shop.fingerprint()) == (before, structure)


def test_foreign_keys_of_others_are_made_again(shop: Shop) -> None:
    shop.execute(
        "CREATE TABLE lines (id integer PRIMARY KEY, customer_id integer REFERENCES customers (id));"
        "INSERT INTO lines VALUES (1, 2)"
    )
    structure = shop.fingerprint()
    columns = ({"name": "id", "type": "integer"}, {"name": "email", "type": "text"})
    copy = {"id": "id", "email": "email"}
    shop.apply(RecreateTable(table="customers", columns=columns, primary_key=("id",), copy=copy))
    (key,) = shop.table("lines").foreign_keys
    assert key.referenced_table.name == "customers"
    shop.run(to="zero")
    assert shop.fingerprint() == structure


def test_a_foreign_key_whose_rows_would_be_orphans_stops_it(shop: Shop) -> None:
    shop.execute(
        "CREATE TABLE lines (id integer PRIMARY KEY, customer_id integer, "
        "CONSTRAINT fk_lines FOREIGN KEY (customer_id) REFERENCES customers (id));"
        "INSERT INTO lines VALUES (1, 2)"
    )
    columns = ({"name": "id", "type": "integer"},)
    before = digest(shop, "customers")
    with pytest.raises(ReferentialIntegrityError, match="could not have .*fk_lines on lines"):
        shop.apply(RecreateTable(table="customers", columns=columns, primary_key=("id",)))
    assert digest(shop, "customers") == before


def test_its_own_foreign_keys_triggers_and_uniques_go_along(shop: Shop) -> None:
    shop.execute(
        "CREATE TABLE seen (id text); CREATE TABLE notes (id integer PRIMARY KEY, code text UNIQUE, "
        "customer_id integer CONSTRAINT fk_notes REFERENCES customers (id) ON DELETE CASCADE, extra text);"
        "INSERT INTO notes VALUES (1, 'a', 1, 'x')"
    )
    if shop.sqlite:
        shop.execute("CREATE TRIGGER t AFTER INSERT ON notes BEGIN INSERT INTO seen VALUES (new.code); END")
    else:
        shop.execute(
            "CREATE FUNCTION saw() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN INSERT INTO seen VALUES (new.code); RETURN new; END';"
            "CREATE TRIGGER t AFTER INSERT ON notes FOR EACH ROW EXECUTE FUNCTION saw()"
        )
    before, structure = digest(shop, "notes"), shop.fingerprint()
    columns = tuple(
        {"name": name, "type": kind}
        for name, kind in (("id", "integer"), ("code", "varchar(9)"), ("customer_id", "integer"))
    )
    copy = {"id": "id", "code": "code", "customer_id": "customer_id"}
    shop.apply(RecreateTable(table="notes", columns=columns, primary_key=("id",), copy=copy))

    table = shop.table("notes")
    assert [key.referenced_table.name for key in table.foreign_keys] == ["customers"]
    assert table.key_on(("code",)) is not None
    assert shop.value("SELECT count(*) FROM seen") == 0
    shop.execute("INSERT INTO notes (id, code) VALUES (2, 'b')")
    assert shop.value("SELECT code FROM notes WHERE id = 2") == "b"
    assert shop.target.rows("SELECT id FROM seen") == [("b",)]
    shop.run(to="zero")
    assert (digest(shop, "notes"), shop.fingerprint()) == (before, structure)


def test_values_that_do_not_fit_stop_it_and_nothing_is_changed(shop: Shop) -> None:
    before, structure = digest(shop), shop.fingerprint()
    with pytest.raises(ReferentialIntegrityError):
        recreate(shop, copy={"id": ID, "state": "status"})
    assert (digest(shop), shop.fingerprint()) == (before, structure)


def test_what_came_to_use_it_since_is_not_dropped_by_the_reverse(shop: Shop) -> None:
    recreate(shop)
    shop.execute("CREATE VIEW later AS SELECT state FROM orders")
    with pytest.raises(SchemaFixRefused, match="used by view later, which was made since"):
        shop.run(to="zero")


def test_rights_comments_and_counting_go_on(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute(
        "CREATE TABLE logs (id serial PRIMARY KEY, a text); INSERT INTO logs (a) VALUES ('x'), ('y');"
        "GRANT SELECT ON logs TO PUBLIC; COMMENT ON TABLE logs IS 'it''s 100%'"
    )
    columns = ({"name": "id", "type": "bigserial"}, {"name": "b", "type": "text"})
    copy = {"id": "id", "b": "a || '%'"}
    shop.apply(RecreateTable(table="logs", columns=columns, primary_key=("id",), copy=copy))
    shop.execute("INSERT INTO logs (b) VALUES ('z')")
    assert shop.target.rows("SELECT id, b FROM logs ORDER BY id") == [(1, "x%"), (2, "y%"), (3, "z")]
    assert shop.value("SELECT obj_description('logs'::regclass)") == "it's 100%"
    assert shop.value("SELECT has_table_privilege('public', 'logs', 'SELECT')") is True
    shop.run(to="zero")
    shop.execute("INSERT INTO logs (a) VALUES ('z')")
    assert shop.value("SELECT max(id) FROM logs") == 3


def test_row_level_security_must_be_carried_over_by_hand(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute("ALTER TABLE orders ENABLE ROW LEVEL SECURITY")
    with pytest.raises(ReferentialIntegrityError, match="row-level security"):
        recreate(shop)


def test_a_table_that_refers_to_itself_goes_on_doing_so(shop: Shop) -> None:
    shop.execute(
        "CREATE TABLE tree (id integer PRIMARY KEY, up integer, "
        "CONSTRAINT fk_up FOREIGN KEY (up) REFERENCES tree (id));"
        "INSERT INTO tree VALUES (1, NULL), (2, 1)"
    )
    before, structure = digest(shop, "tree"), shop.fingerprint()
    columns = tuple({"name": name, "type": "integer"} for name in ("id", "up", "more"))
    copy = {"id": "id", "up": "up"}
    shop.apply(RecreateTable(table="tree", columns=columns, primary_key=("id",), copy=copy))
    (key,) = shop.table("tree").foreign_keys
    assert (key.columns, key.referenced_table.name) == (("up",), "tree")
    shop.run(to="zero")
    assert (digest(shop, "tree"), shop.fingerprint()) == (before, structure)


def test_a_sqlite_table_without_rowids_and_with_a_check_comes_back_as_it_was(sqlite_shop: Shop) -> None:
    shop = sqlite_shop
    shop.execute(
        "CREATE TABLE s (k TEXT PRIMARY KEY CHECK (k <> ''), v INTEGER) STRICT, WITHOUT ROWID;"
        "INSERT INTO s VALUES ('a', 1)"
    )
    before, structure = digest(shop, "s"), shop.fingerprint()
    columns = ({"name": "k", "type": "TEXT"},)
    with pytest.raises(SchemaFixRefused, match="check on s"):
        shop.apply(RecreateTable(table="s", columns=columns, primary_key=("k",), copy={"k": "k"}))
    (shop.root / shop.alias / "migrations/0001_step.py").unlink()
    operation = RecreateTable(
        table="s", columns=columns, primary_key=("k",), copy={"k": "k"}, acknowledged=("check on s",)
    )
    shop.apply(operation)
    assert shop.target.rows("SELECT * FROM s") == [("a",)]
    shop.run(to="zero")
    assert (digest(shop, "s"), shop.fingerprint()) == (before, structure)


def test_views_on_views_and_keys_to_a_unique_come_through_it(shop: Shop) -> None:
    shop.execute(
        'CREATE TABLE "Odd %s" (a integer, b integer, code text NOT NULL, extra text, PRIMARY KEY (a, b), '
        "UNIQUE (code));"
        "INSERT INTO \"Odd %s\" VALUES (1, 1, 'x', NULL), (1, 2, 'y', '100%');"
        'CREATE TABLE uses (id integer PRIMARY KEY, code text REFERENCES "Odd %s" (code), a integer, b integer, '
        'CONSTRAINT fk_odd FOREIGN KEY (a, b) REFERENCES "Odd %s" (a, b) ON DELETE CASCADE);'
        "INSERT INTO uses VALUES (1, 'y', 1, 2), (2, NULL, NULL, NULL);"
        "CREATE VIEW low AS SELECT a, code FROM \"Odd %s\" WHERE code LIKE '%';"
        "CREATE VIEW high AS SELECT code FROM low"
    )
    if not shop.sqlite:
        shop.execute(
            "CREATE MATERIALIZED VIEW held AS SELECT count(*) AS n FROM high; GRANT SELECT ON low TO PUBLIC"
        )
    before, structure = digest(shop, '"Odd %s"'), shop.fingerprint()
    columns = tuple(
        {"name": name, "type": kind, "null": name != "code"}
        for name, kind in (("code", "text"), ("a", "integer"), ("b", "integer"))
    )
    copy = {name: name for name in ("a", "b", "code")}
    shop.apply(RecreateTable(table='"Odd %s"', columns=columns, primary_key=("a", "b"), copy=copy))

    assert shop.target.rows("SELECT code FROM high ORDER BY 1") == [("x",), ("y",)]
    assert {key.columns for key in shop.table("uses").foreign_keys} == {("code",), ("a", "b")}
    if not shop.sqlite:
        assert shop.value("SELECT n FROM held") == 2
        assert shop.value("SELECT has_table_privilege('public', 'low', 'SELECT')") is True
    shop.run(to="zero")
    assert (digest(shop, '"Odd %s"'), shop.fingerprint()) == (before, structure)


def test_several_in_one_migration_find_each_other(shop: Shop) -> None:
    shop.execute("DELETE FROM orders WHERE customer_id IS NULL")
    before = {name: digest(shop, name) for name in ("orders", "customers")}
    structure = shop.fingerprint()
    shop.apply(
        RecreateTable(
            table="customers",
            columns=({"name": "id", "type": "integer"}, {"name": "email", "type": "text"}),
            primary_key=("id",),
            copy={"id": "id", "email": "email"},
        ),
        RecreateTable(**NEW),
    )
    shop.run(to="zero")
    assert {name: digest(shop, name) for name in before} == before
    assert shop.fingerprint() == structure
