"""A JSON column that repeats a table: rewritten, replaced by a view, removed, and put back as it was."""

import contextlib
import json
import threading
from typing import Any

import psycopg
import pytest

from integrity.database.session import Target
from integrity.database.structures import differences
from integrity.exceptions import SchemaFixRefused
from integrity.operations import CreateCompatibilityView, RemoveColumn, RepairMirror
from integrity.operations.leaving_column import LeavingColumn
from integrity.operations.return_column import ReturningColumn
from integrity.repairs import RunRecord, State
from integrity.repairs.proving import as_recorded, in_order
from tests.operations.conftest import Shop
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.newest_postgres_only

MIRROR: dict[str, Any] = {
    "table": "customers",
    "column": "orders",
    "repeats": "orders.customer_id",
    "to": ("id",),
    "elements": (("id", "id"), ("sum", "total")),
}
VIEW = CreateCompatibilityView(**MIRROR, view="customers_compat")
REMOVE = RemoveColumn(**MIRROR, view="customers_compat", drift="keep")
READ = "SELECT id, {what} FROM {source} ORDER BY id"

ROWS: dict[int, tuple[str | None, tuple[int, ...]]] = {
    1: ('{"count": 2}', (1, 2)),
    2: ('{"count": "1", "last": "2026-01-01"}', (3,)),
    3: ('[{"id": 4, "sum": 7, "note": "€"}]', (4,)),
    4: ("[5]", (5,)),
    5: ('["7", 6]', (6, 7)),
    6: ("[]", ()),
    7: (None, ()),
    8: ('{"count": 0}', ()),
    9: ('{"count": 1.0}', (8,)),
}
DRIFTED: dict[int, tuple[str | None, tuple[int, ...]]] = {
    20: ('{"count": 5, "last": "x"}', (20,)),
    21: (None, (21,)),
    22: ('{"count": null}', (22,)),
    23: ("[]", (23,)),
    24: ("[]", ()),
    25: ('{"count": 0}', (25, 26)),
}
ONLY_IN_JSON: dict[int, tuple[str | None, tuple[int, ...]]] = {
    30: ('[{"id": 99, "sum": 1}]', ()),
    31: ("[31, 98]", (31,)),
    32: ('{"count": 3}', ()),
}


def fill(shop: Shop, *groups: dict[int, tuple[str | None, tuple[int, ...]]]) -> None:
    """Customers with JSON between two other columns, and their orders."""
    kind = "TEXT" if shop.sqlite else "jsonb"
    shop.execute(
        f"""CREATE TABLE customers (id integer PRIMARY KEY, orders {kind} DEFAULT '{{}}', name varchar(20));
        CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, total numeric(10, 2) DEFAULT 7);
        CREATE INDEX orders_customer_idx ON orders (customer_id);"""
    )
    for group in groups:
        for number, (value, orders) in group.items():
            written = "NULL" if value is None else f"'{value}'"
            shop.execute(f"INSERT INTO customers VALUES ({number}, {written}, 'n{number}')")
            for order in orders:
                shop.execute(f"INSERT INTO orders (id, customer_id) VALUES ({order}, {number})")


def values(shop: Shop, source: str = "customers") -> list[tuple[Any, ...]]:
    what = "typeof(orders), orders" if shop.sqlite else "orders::text"
    return shop.target.rows(READ.format(what=what, source=source))


def columns(shop: Shop) -> tuple[str, ...]:
    return shop.table("customers").column_names


def fingerprint(shop: Shop) -> list[Any]:
    """The structure, without regard to where a column stands on PostgreSQL."""
    structure = shop.schema().structure()
    if not shop.sqlite:
        for table in structure.values():
            table["columns"] = sorted(table["columns"], key=lambda each: each["name"])
    return sorted(json.dumps(each, sort_keys=True) for each in structure.items())


def digest(shop: Shop) -> str:
    with Target(shop.alias).reading() as session:
        return session.engine.digest(session, session.schema().table(shop.table("customers").name)).digest


# -- the view ------------------------------------------------------------------------------


def test_old_readers_get_the_same_answers_before_and_after(empty_shop: Shop) -> None:
    fill(empty_shop, ROWS)
    before = values(empty_shop)

    empty_shop.apply(VIEW)
    assert values(empty_shop, "customers_compat") == before
    assert empty_shop.table("customers_compat").column_names == ("id", "orders", "name")

    empty_shop.apply(REMOVE)
    assert columns(empty_shop) == ("id", "name")
    assert values(empty_shop, "customers_compat") == before

    empty_shop.run(to="0001_step")
    assert values(empty_shop) == values(empty_shop, "customers_compat") == before
    empty_shop.run(to="zero")
    assert values(empty_shop) == before
    assert not [each for each in empty_shop.schema() if each.name.name == "customers_compat"]


def test_what_changes_later_is_answered_in_the_shape_of_the_row(empty_shop: Shop) -> None:
    fill(empty_shop, ROWS)
    empty_shop.apply(VIEW)

    def answers() -> dict[int, Any]:
        found = values(empty_shop, "customers_compat")
        return {row[0]: None if row[-1] is None else json.loads(row[-1]) for row in found}

    def change(first: int) -> None:
        for customer in (1, 2, 3, 4, 6, 7):
            empty_shop.execute(f"INSERT INTO orders VALUES ({first + customer}, {customer}, 2.5)")

    change(100)
    assert answers() | {5: 0, 8: 0, 9: 0} == {
        1: {"count": 3}, 2: {"count": 2, "last": "2026-01-01"},
        3: [{"id": 4, "sum": 7}, {"id": 103, "sum": 2.5}], 4: [5, 104], 5: 0,
        6: [{"id": 106, "sum": 2.5}], 7: {"count": 1}, 8: 0, 9: 0,
    }  # fmt: skip
    empty_shop.apply(REMOVE)
    seen = answers()
    change(200)
    empty_shop.execute("INSERT INTO customers (id, name) VALUES (10, 'new'), (11, 'none')")
    empty_shop.execute("INSERT INTO orders VALUES (300, 10, 1)")
    after = answers()
    assert after[1] == {"count": 4}
    assert after[4] == [5, 104, 204]
    assert after[2] == {"count": 3, "last": "2026-01-01"}
    assert (after[10], after[11]) == ({"count": 1}, {"count": 0})
    assert {each: after[each] for each in (5, 8, 9)} == {each: seen[each] for each in (5, 8, 9)}


def test_new_rows_are_lists_where_the_mirror_says_so(empty_shop: Shop) -> None:
    fill(empty_shop, ROWS)
    lists = {**MIRROR, "shape": "list", "list_of": "ids"}
    empty_shop.apply(
        CreateCompatibilityView(**lists, view="customers_compat"),
        RemoveColumn(**lists, view="customers_compat"),
    )
    empty_shop.execute("INSERT INTO customers (id) VALUES (10); INSERT INTO orders VALUES (300, 10, 1)")
    assert json.loads(values(empty_shop, "customers_compat")[-1][-1]) == [300]
    empty_shop.run(to="zero")
    assert json.loads(values(empty_shop)[-1][-1]) == [300]


def test_a_view_may_stand_in_another_schema_and_readers_keep_their_rights(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute("DROP TABLE orders; DROP TABLE customers")
    fill(shop, ROWS)
    shop.execute("CREATE SCHEMA compat; GRANT SELECT ON customers TO PUBLIC")
    shop.apply(CreateCompatibilityView(**MIRROR, view="compat.customers"))
    assert shop.value("SELECT has_table_privilege('public', 'compat.customers', 'SELECT')")
    assert values(shop, "compat.customers") == values(shop)


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE customers_compat (id integer)", "CREATE VIEW customers_compat AS SELECT 1 AS id"],
)
def test_another_object_of_the_views_name_stops_it(empty_shop: Shop, statement: str) -> None:
    fill(empty_shop, ROWS)
    empty_shop.execute(statement)
    with pytest.raises(SchemaFixRefused, match="of the name customers_compat already"):
        empty_shop.apply(VIEW)


def test_a_view_that_somebody_made_is_adopted_and_stays(empty_shop: Shop) -> None:
    fill(empty_shop, ROWS)
    empty_shop.execute("CREATE VIEW customers_compat AS SELECT name, orders, id FROM customers")
    empty_shop.apply(VIEW)
    empty_shop.run(to="zero")
    assert values(empty_shop, "customers_compat") == values(empty_shop)


# -- rewriting -----------------------------------------------------------------------------


def test_drift_is_rewritten_in_the_rows_own_shape_and_taken_back(empty_shop: Shop) -> None:
    fill(empty_shop, ROWS, DRIFTED)
    before, digested = values(empty_shop), digest(empty_shop)

    empty_shop.apply(RepairMirror(**MIRROR))

    after = {row[0]: json.loads(row[-1]) for row in values(empty_shop) if row[0] >= 20}
    assert after == {
        20: {"count": 1, "last": "x"}, 21: {"count": 1}, 22: {"count": 1}, 23: [{"id": 23, "sum": 7}],
        24: [], 25: {"count": 2},
    }  # fmt: skip
    assert [row for row in values(empty_shop) if row[0] < 20] == [row for row in before if row[0] < 20]
    empty_shop.run(to="zero")
    assert values(empty_shop) == before
    assert digest(empty_shop) == digested


def test_what_only_json_knows_is_left_alone_and_named(empty_shop: Shop) -> None:
    fill(empty_shop, DRIFTED, ONLY_IN_JSON)
    before = {row[0]: row for row in values(empty_shop)}
    with pytest.raises(SchemaFixRefused, match="3 rows of customers.orders have what the table does not"):
        empty_shop.apply(RepairMirror(**MIRROR))
    after = {row[0]: row for row in values(empty_shop)}
    assert {each: after[each] for each in ONLY_IN_JSON} == {each: before[each] for each in ONLY_IN_JSON}
    assert after[20] != before[20]

    for file in (empty_shop.root / "target/migrations").glob("0*.py"):
        file.write_text(file.read_text().replace("only_in_json='refuse'", "only_in_json='journal'"))
    (file,) = (empty_shop.root / "target/migrations").glob("0*.py")
    file.write_text(file.read_text().replace("column=", "only_in_json='journal', column="))
    empty_shop.run()
    assert {row[0]: json.loads(row[-1]) for row in values(empty_shop) if row[0] >= 30} == {
        30: [], 31: [31], 32: {"count": 0},
    }  # fmt: skip
    empty_shop.run(to="zero")
    assert {row[0]: row for row in values(empty_shop)} == before


def test_what_was_changed_since_is_not_overwritten(empty_shop: Shop) -> None:
    fill(empty_shop, DRIFTED)
    empty_shop.apply(RepairMirror(**MIRROR))
    empty_shop.execute("""UPDATE customers SET orders = '{"count": 77}' WHERE id = 20""")
    empty_shop.run(to="zero")
    found = {row[0]: row[-1] for row in values(empty_shop)}
    assert json.loads(found[20]) == {"count": 77}
    assert found[21] is None


def test_more_rows_than_reviewed_stop_it_before_the_first_change(empty_shop: Shop) -> None:
    fill(empty_shop, DRIFTED)
    before = values(empty_shop)
    with pytest.raises(SchemaFixRefused, match=r"5 rows .* more than max_rows=4"):
        empty_shop.apply(RepairMirror(**MIRROR, max_rows=4))
    assert values(empty_shop) == before


# -- removing ------------------------------------------------------------------------------


def test_a_column_that_drifted_is_not_removed(empty_shop: Shop) -> None:
    fill(empty_shop, ROWS, DRIFTED)
    with pytest.raises(SchemaFixRefused, match="5 rows of customers.orders say something else") as refused:
        empty_shop.apply(RemoveColumn(**MIRROR))
    assert "integrity_diagnose target --column customers.orders" in refused.value.hint
    assert "orders" in columns(empty_shop)


def test_what_only_json_knows_is_not_removed_unless_it_is_taken_to_the_journal(empty_shop: Shop) -> None:
    fill(empty_shop, ROWS, ONLY_IN_JSON)
    before = values(empty_shop)
    with pytest.raises(SchemaFixRefused, match="3 rows of customers.orders have what the table does not"):
        empty_shop.apply(REMOVE)
    assert values(empty_shop) == before
    (empty_shop.root / "target/migrations/0001_step.py").unlink()
    empty_shop.apply(RemoveColumn(**MIRROR, drift="keep", only_in_json="journal"))
    assert "orders" not in columns(empty_shop)
    empty_shop.run(to="zero")
    assert values(empty_shop) == before


def test_the_reverse_is_exact(empty_shop: Shop) -> None:
    fill(empty_shop, ROWS, DRIFTED)
    more = (
        ""
        if empty_shop.sqlite
        else """
        ALTER TABLE customers ALTER COLUMN name SET NOT NULL;
        COMMENT ON COLUMN customers.orders IS 'it''s 100 %';
        GRANT SELECT (orders) ON customers TO PUBLIC;
        ALTER TABLE customers ALTER COLUMN orders SET STORAGE EXTERNAL;
        CREATE INDEX customers_orders_gin ON customers USING gin (orders);
        ALTER TABLE customers ADD CONSTRAINT short CHECK (length(orders::text) < 1000);"""
    )
    empty_shop.execute(more + "CREATE INDEX customers_orders_idx ON customers (orders, name);")
    before, structure, rows = values(empty_shop), fingerprint(empty_shop), digest(empty_shop)
    uses = ["index customers_orders_idx"]
    uses += [] if empty_shop.sqlite else ["index customers_orders_gin", "constraint short on customers"]
    empty_shop.apply(RemoveColumn(**MIRROR, drift="keep", acknowledged=tuple(uses)))
    assert [each.name for each in empty_shop.table("customers").indexes if "orders" in each.name] == []

    empty_shop.run(to="zero")

    assert values(empty_shop) == before
    assert fingerprint(empty_shop) == structure
    if empty_shop.sqlite:
        assert columns(empty_shop) == ("id", "orders", "name")
        assert digest(empty_shop) == rows
    else:
        assert columns(empty_shop) == ("id", "name", "orders")
        assert empty_shop.value("SELECT col_description('customers'::regclass, 4)") == "it's 100 %"
        assert (
            empty_shop.value("SELECT attstorage FROM pg_attribute WHERE attname = 'orders' AND attnum = 4")
            == "e"
        )
        assert empty_shop.value("SELECT has_column_privilege('public', 'customers', 'orders', 'SELECT')")


def test_it_may_run_twice_and_again_after_it_was_reversed(empty_shop: Shop) -> None:
    fill(empty_shop, ROWS)
    before = values(empty_shop)
    empty_shop.apply(VIEW)
    empty_shop.apply(REMOVE)
    empty_shop.apply(REMOVE)
    empty_shop.run(to="0001_step")
    assert values(empty_shop) == before
    empty_shop.run()
    assert values(empty_shop, "customers_compat") == before
    empty_shop.run(to="zero")
    assert values(empty_shop) == before


def test_a_column_that_was_gone_already_is_no_business_of_the_reverse(empty_shop: Shop) -> None:
    fill(empty_shop, ROWS)
    empty_shop.execute("ALTER TABLE customers DROP COLUMN orders")
    empty_shop.apply(REMOVE)
    empty_shop.run(to="zero")
    assert columns(empty_shop) == ("id", "name")


def test_a_column_that_repeats_nothing_is_removed_and_put_back_as_well(empty_shop: Shop) -> None:
    empty_shop.execute("""
        CREATE TABLE "Odd %s" ("a ""x" varchar(5), b integer, "note %" varchar(20) DEFAULT '5 %' NOT NULL, c integer,
                               PRIMARY KEY (b, "a ""x"));
        INSERT INTO "Odd %s" VALUES ('a', 1, 'one', 9), ('b', 1, '', 8), ('é', 2, '%s', NULL)""")
    before = empty_shop.target.rows('SELECT * FROM "Odd %s" ORDER BY b, 1')
    empty_shop.apply(RemoveColumn(table='"Odd %s"', column="note %"))
    assert not empty_shop.table('"Odd %s"').has_columns(("note %",))
    empty_shop.execute("INSERT INTO \"Odd %s\" VALUES ('new', 3, 7)")
    empty_shop.run(to="zero")
    found = empty_shop.target.rows('SELECT "a ""x", b, "note %", c FROM "Odd %s" ORDER BY b, 1')
    assert found[:3] == before
    assert found[3] == ("new", 3, "5 %", 7)


def test_rows_that_nothing_can_fill_stop_the_reverse_before_it_begins(empty_shop: Shop) -> None:
    empty_shop.execute("CREATE TABLE notes (id integer PRIMARY KEY, note varchar(9) NOT NULL);")
    empty_shop.execute("INSERT INTO notes VALUES (1, 'a')")
    empty_shop.apply(RemoveColumn(table="notes", column="note"))
    empty_shop.execute("INSERT INTO notes VALUES (2)")
    with pytest.raises(SchemaFixRefused, match="1 rows were made since, and nothing says"):
        empty_shop.run(to="zero")
    assert empty_shop.table("notes").column_names == ("id",)
    empty_shop.execute("DELETE FROM notes WHERE id = 2")
    empty_shop.run(to="zero")
    assert empty_shop.target.rows("SELECT * FROM notes") == [(1, "a")]


def test_a_table_without_a_key_is_refused(empty_shop: Shop) -> None:
    empty_shop.execute("CREATE TABLE notes (id integer, note varchar(9));")
    with pytest.raises(SchemaFixRefused, match="could not be given back: it has no primary key"):
        empty_shop.apply(RemoveColumn(table="notes", column="note"))
    (empty_shop.root / "target/migrations/0001_step.py").unlink()
    empty_shop.execute("CREATE TABLE more (id integer PRIMARY KEY, note text)")
    with pytest.raises(SchemaFixRefused, match="id is in its key"):
        empty_shop.apply(RemoveColumn(table="more", column="id"))


# -- dependents ----------------------------------------------------------------------------

USERS = """
CREATE VIEW sales_report AS SELECT c.name, c.orders FROM customers c;
CREATE VIEW "report 2" AS SELECT count(orders) AS n FROM sales_report;
CREATE VIEW no_reader AS SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id;
CREATE INDEX customers_orders_idx ON customers (orders);
"""


def test_who_uses_the_column_stops_it_by_name_until_acknowledged(empty_shop: Shop) -> None:
    fill(empty_shop, ROWS)
    empty_shop.execute(USERS)
    second = "view report 2" if empty_shop.sqlite else 'view "report 2"'
    with pytest.raises(SchemaFixRefused, match="is used by") as refused:
        empty_shop.apply(REMOVE)
    assert "view sales_report (dropped with it)" in refused.value.what
    assert f"{second} (dropped with it)" in refused.value.what
    assert "index customers_orders_idx" in refused.value.what
    assert "no_reader" not in refused.value.what
    assert '"view sales_report"' in refused.value.hint
    assert "orders" in columns(empty_shop)

    (empty_shop.root / "target/migrations/0001_step.py").unlink()
    before, structure = values(empty_shop), fingerprint(empty_shop)
    names = ("view sales_report", second, "index customers_orders_idx")
    empty_shop.apply(RemoveColumn(**MIRROR, acknowledged=names))
    left = {each.name.name for each in empty_shop.schema()}
    assert not {"sales_report", "report 2"} & left
    assert "no_reader" in left

    empty_shop.run(to="zero")
    assert fingerprint(empty_shop) == structure
    assert values(empty_shop) == before
    assert empty_shop.value('SELECT n FROM "report 2"') == 8


def test_what_reads_the_compatibility_view_is_not_in_the_way(empty_shop: Shop) -> None:
    fill(empty_shop, ROWS)
    empty_shop.apply(VIEW)
    empty_shop.execute("CREATE VIEW report AS SELECT id, orders FROM customers_compat")
    before = values(empty_shop, "report")
    empty_shop.apply(REMOVE)
    assert values(empty_shop, "report") == before
    empty_shop.run(to="0001_step")
    assert values(empty_shop, "report") == before


def test_triggers_functions_and_rules_are_found(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute("DROP TABLE orders; DROP TABLE customers")
    fill(shop, ROWS)
    shop.execute("""
        CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.orders IS NULL THEN RAISE NOTICE '%', NEW.id; END IF; RETURN NEW; END $$;
        CREATE TRIGGER seeing AFTER UPDATE OF orders ON customers FOR EACH ROW EXECUTE FUNCTION seen();
        ALTER TABLE customers DISABLE TRIGGER seeing;
        CREATE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT count(orders) FROM customers';
        CREATE FUNCTION other() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM orders';
        CREATE MATERIALIZED VIEW cached AS SELECT id, orders FROM customers;
        CREATE UNIQUE INDEX cached_idx ON cached (id);
        CREATE RULE quiet AS ON UPDATE TO customers WHERE NEW.orders = '"x"' DO INSTEAD NOTHING;
        CREATE STATISTICS both_ (dependencies) ON name, id FROM customers;
    """)
    structure = fingerprint(shop)
    uses = ("trigger seeing on customers", "function seen()", "function total()", "materialized view cached",
            "rule quiet on customers")  # fmt: skip
    for number in range(len(uses)):
        with pytest.raises(SchemaFixRefused, match="is used by") as refused:
            shop.apply(RemoveColumn(**MIRROR, acknowledged=uses[:number] + uses[number + 1 :]))
        assert uses[number] in refused.value.what
        assert "other()" not in refused.value.what
        (shop.root / "target/migrations/0001_step.py").unlink()
    shop.apply(RemoveColumn(**MIRROR, acknowledged=uses))
    shop.run(to="zero")
    assert fingerprint(shop) == structure
    assert shop.value("SELECT count(*) FROM cached") == len(ROWS)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("CREATE POLICY own ON customers USING (orders IS NOT NULL)", "policy own on table customers"),
        (
            "ALTER TABLE customers ADD COLUMN g text GENERATED ALWAYS AS (orders ->> 'count') STORED",
            "generated column g",
        ),
    ],
)
def test_what_must_be_changed_by_hand_is_in_the_way(postgres_shop: Shop, statement: str, named: str) -> None:
    postgres_shop.execute("DROP TABLE orders; DROP TABLE customers")
    fill(postgres_shop, ROWS)
    postgres_shop.execute(statement)
    with pytest.raises(SchemaFixRefused, match=named):
        postgres_shop.apply(REMOVE)


def test_triggers_and_generated_columns_are_found_on_sqlite(sqlite_shop: Shop) -> None:
    shop = sqlite_shop
    shop.execute("DROP TABLE orders; DROP TABLE customers")
    fill(shop, ROWS)
    shop.execute("""
        CREATE TRIGGER seeing AFTER UPDATE ON orders BEGIN UPDATE customers SET orders = NULL WHERE id = 99; END;
        CREATE TRIGGER other AFTER UPDATE ON orders BEGIN SELECT 1; END;
        CREATE VIEW every AS SELECT * FROM customers;
        CREATE VIEW broken AS SELECT * FROM missing;""")
    before, structure = values(shop), fingerprint(shop)
    with pytest.raises(SchemaFixRefused) as refused:
        shop.apply(REMOVE)
    assert refused.value.what == (
        "customers.orders is used by view every (left as it is); trigger seeing (dropped with it)"
    )
    (shop.root / "target/migrations/0001_step.py").unlink()
    shop.apply(RemoveColumn(**MIRROR, acknowledged=("view every", "trigger seeing")))
    shop.run(to="zero")
    assert (values(shop), fingerprint(shop)) == (before, structure)
    shop.execute("ALTER TABLE customers ADD COLUMN g AS (orders || 'x')")
    with pytest.raises(SchemaFixRefused, match="is used by constraint of customers"):
        shop.apply(REMOVE)


# -- partitions and writers ----------------------------------------------------------------


def test_a_partitioned_table_loses_its_column_and_gets_it_back(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute("DROP TABLE orders; DROP TABLE customers")
    shop.execute("""
        CREATE TABLE customers (id integer PRIMARY KEY, orders json, name text) PARTITION BY RANGE (id);
        CREATE TABLE low PARTITION OF customers FOR VALUES FROM (0) TO (5);
        CREATE TABLE high PARTITION OF customers FOR VALUES FROM (5) TO (100);
        CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, total numeric);
        INSERT INTO customers VALUES (1, '{"count":  0}'), (7, '[ ]'), (8, NULL), (9, '{"count": 0, "count": 0}')""")
    before = values(shop)
    shop.apply(VIEW)
    shop.apply(REMOVE)
    assert values(shop, "customers_compat") == before
    shop.run(to="zero")
    assert values(shop) == before


class Writer(threading.Thread):
    """Inserts, updates and deletes customers until their column is gone; remembers what was committed."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.written: dict[int, int] = {}
        self.deleted: set[int] = set()

    def run(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection, contextlib.suppress(psycopg.Error):
            for number in range(1, 1_000_000):
                self.write(connection, number, number * 37 % 5000 + 1)

    def write(self, connection: psycopg.Connection, number: int, row: int) -> None:
        value = json.dumps({"count": 0, "n": number})
        if number % 10 == 0:
            connection.execute("DELETE FROM customers WHERE id = %s", [row])
            self.deleted.add(row)
        elif number % 10 == 1:
            connection.execute("INSERT INTO customers (id, orders) VALUES (%s, %s)", [number + 10_000, value])
            self.written[number + 10_000] = number
        elif row not in self.deleted:
            connection.execute("UPDATE customers SET orders = %s WHERE id = %s", [value, row])
            self.written[row] = number


def test_nothing_is_lost_while_others_write(postgres_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = postgres_shop
    shop.execute("DROP TABLE orders; DROP TABLE customers")
    fill(shop)
    shop.execute("""INSERT INTO customers SELECT n, '{"count": 0}', 'n' FROM generate_series(1, 5000) n""")
    shop.apply(VIEW)
    monkeypatch.setattr("integrity.conf.batch_rows", lambda: 20)
    writer = Writer(shop.target.url)
    writer.start()
    until(lambda: len(writer.written) > 50 or not writer.is_alive())
    shop.apply(REMOVE)
    writer.join(PATIENCE)

    assert len(writer.written) > 50
    found = {row[0]: json.loads(row[1]) for row in values(shop, "customers_compat")}
    kept = {row: number for row, number in writer.written.items() if row not in writer.deleted}
    assert {row: found[row].get("n") for row in kept} == kept
    assert not writer.deleted & set(found)
    shop.run(to="0001_step")
    assert {row[0]: json.loads(row[1]) for row in values(shop)} == found


def test_killed_between_copy_and_removal_it_goes_on(
    postgres_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = postgres_shop
    shop.execute("DROP TABLE orders; DROP TABLE customers")
    fill(shop, ROWS)
    before = values(shop)

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LeavingColumn, "_remove", killed)
        with pytest.raises(KeyboardInterrupt):
            shop.apply(REMOVE)
    shop.execute("""UPDATE customers SET orders = '{"count": 2, "late": 1}' WHERE id = 1""")
    shop.run()
    shop.run(to="zero")
    after = values(shop)
    assert json.loads(after[0][1]) == {"count": 2, "late": 1}
    assert after[1:] == before[1:]


def test_killed_while_it_comes_back_it_goes_on(postgres_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = postgres_shop
    shop.execute("DROP TABLE orders; DROP TABLE customers")
    fill(shop, ROWS)
    shop.execute("CREATE INDEX customers_orders_idx ON customers (orders)")
    before, structure = values(shop), fingerprint(shop)
    shop.apply(VIEW)
    shop.apply(RemoveColumn(**MIRROR, view="customers_compat", acknowledged=("index customers_orders_idx",)))

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    for step in ("_fill", "_end"):
        with monkeypatch.context() as patch:
            patch.setattr(ReturningColumn, step, killed)
            with pytest.raises(KeyboardInterrupt):
                shop.run(to="0001_step")
        assert values(shop, "customers_compat") == before
    shop.run(to="zero")
    assert values(shop) == before
    assert fingerprint(shop) == structure


def test_a_view_that_was_adopted_is_somebody_elses_and_in_the_way_like_any_other(empty_shop: Shop) -> None:
    fill(empty_shop, ROWS)
    empty_shop.execute("CREATE VIEW customers_compat AS SELECT id, orders, name FROM customers")
    structure = fingerprint(empty_shop)
    empty_shop.apply(VIEW)
    with pytest.raises(SchemaFixRefused, match=r"is used by view customers_compat \(dropped with it\)"):
        empty_shop.apply(REMOVE)
    (empty_shop.root / "target/migrations/0002_step.py").unlink()
    empty_shop.apply(RemoveColumn(**MIRROR, view="customers_compat", acknowledged=("view customers_compat",)))
    empty_shop.run(to="zero")
    assert fingerprint(empty_shop) == structure


def test_what_others_write_meanwhile_is_not_rewritten_with_old_numbers(
    postgres_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = postgres_shop
    shop.execute("DROP TABLE orders; DROP TABLE customers")
    fill(shop)
    shop.execute("""INSERT INTO customers SELECT n, '{"count": 7}', 'n' FROM generate_series(1, 2000) n""")
    monkeypatch.setattr("integrity.conf.batch_rows", lambda: 20)
    done = threading.Event()
    written: list[int] = []

    def order() -> None:
        """Every order is counted by its customer's row in the same transaction, whatever that says."""
        with psycopg.connect(shop.target.url) as connection:
            while not done.is_set():
                number = len(written) + 1
                customer = number * 37 % 2000 + 1
                connection.execute("INSERT INTO orders VALUES (%s, %s)", [number, customer])
                connection.execute(
                    "UPDATE customers SET orders = jsonb_set(orders, '{count}', "
                    "to_jsonb((orders ->> 'count')::int + 1)) WHERE id = %s",
                    [customer],
                )
                connection.commit()
                written.append(number)

    writer = threading.Thread(target=order)
    writer.start()
    until(lambda: len(written) > 10 or not writer.is_alive())
    shop.apply(RepairMirror(**MIRROR, only_in_json="journal"))
    done.set()
    writer.join()
    assert len(written) > 10
    wrong = """SELECT count(*) FROM customers c WHERE (orders ->> 'count')::int
        <> (SELECT count(*) FROM orders o WHERE o.customer_id = c.id)"""
    assert shop.value(wrong) == 0


def test_a_table_is_proved_the_same_although_the_column_stands_last(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute("DROP TABLE orders; DROP TABLE customers")
    fill(shop, ROWS)
    structure = as_recorded(shop.schema())
    record = RunRecord(1, "cleanup", State.FINISHED, "", {}, structure, "", "", "")
    with Target("target").reading() as session:
        before = session.engine.digest(session, session.schema().table(shop.table("customers").name))
    shop.apply(REMOVE)
    shop.run(to="zero")
    with Target("target").reading() as session:
        name, schema = shop.table("customers").name, session.schema()
        assert session.engine.digest(session, schema.table(name)) != before
        assert session.engine.digest(session, in_order(schema, name, record).table(name)) == before
    found = differences(structure, as_recorded(shop.schema()))
    assert found == ["public.customers: columns in another order"]
