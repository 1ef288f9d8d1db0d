"""What cannot be converted is said before the first change, and what was half-way goes on."""

import threading
import time
from typing import Any

import psycopg
import pytest

from integrity.database.session import Session
from integrity.exceptions import ChecksFailed, SchemaFixRefused, TargetBusy
from integrity.operations import ConvertColumn, ConvertKey
from integrity.operations.operation import CatalogOperation
from integrity.tasks import migrate_and_store
from tests.operations import migrating
from tests.operations.conftest import Shop
from tests.operations.test_convert_key import digests
from tests.operations.test_live_writers import held

pytestmark = pytest.mark.newest_postgres_only

PAIR = """
CREATE TABLE p (id {text} PRIMARY KEY, note text);
CREATE TABLE c (id integer PRIMARY KEY, p_id {text} REFERENCES p (id));
"""
TO_WHOLE = ConvertKey(table="p", column="id", from_type="text", to_type="integer", referring=(("c", "p_id"),))
TO_TEXT = ConvertKey(table="p", column="id", from_type="integer", to_type="text", referring=(("c", "p_id"),))


def refused(shop: Shop, operation: CatalogOperation, said: str) -> SchemaFixRefused:
    before, rows = shop.schema().structure(), digests(shop)
    with pytest.raises(SchemaFixRefused, match=said) as error:
        shop.apply(operation)
    assert (shop.schema().structure(), digests(shop)) == (before, rows)
    (shop.root / shop.alias / "migrations" / "0001_step.py").unlink()
    return error.value


def test_values_of_a_key_that_cannot_be_read_are_listed(empty_shop: Shop) -> None:
    empty_shop.execute(PAIR.format(text="text"))
    empty_shop.execute("INSERT INTO p VALUES ('1', NULL), ('main', NULL), ('9223372036854775808', NULL)")

    error = refused(empty_shop, TO_WHOLE, r"2 rows of p\.id have 2 values that integer cannot read")

    listing = error.hint.removeprefix("List them with: ").split("; then")[0]
    assert sorted(empty_shop.target.rows(listing)) == [("9223372036854775808", 1), ("main", 1)]
    assert error.hint.endswith("; then change or delete these rows, and what refers to them.")


def test_two_spellings_that_would_be_one_key_are_found(empty_shop: Shop) -> None:
    empty_shop.execute(PAIR.format(text="text"))
    empty_shop.execute("INSERT INTO p VALUES ('7', 'a'), ('007', 'b'), (' 7', 'c'), ('8', 'd')")

    error = refused(empty_shop, TO_WHOLE, r"3 rows of p\.id would share 1 value of a key")

    listing = error.hint.removeprefix("List them with: ").split("; then")[0]
    assert empty_shop.target.rows(listing) == [(7, 3)]


def test_two_spellings_made_since_stop_the_way_back(empty_shop: Shop) -> None:
    empty_shop.execute(PAIR.format(text="integer"))
    empty_shop.execute("INSERT INTO p VALUES (7, 'a')")
    empty_shop.apply(TO_TEXT)
    empty_shop.execute("INSERT INTO p VALUES ('007', 'b')")

    with pytest.raises(SchemaFixRefused, match="2 rows of p.id would share 1 value"):
        empty_shop.run(to="zero")

    empty_shop.execute("DELETE FROM p WHERE id = '007'")
    empty_shop.run(to="zero")
    assert empty_shop.target.rows("SELECT * FROM p") == [(7, "a")]


def test_one_side_of_a_foreign_key_alone_is_refused_with_its_name(empty_shop: Shop) -> None:
    empty_shop.execute(PAIR.format(text="integer"))
    alone = ConvertKey(table="p", column="id", from_type="integer", to_type="text")
    refused(empty_shop, alone, r"p\.id is bound by the foreign key \S+ of c\.p_id")
    other = ConvertColumn(table="c", column="p_id", from_type="integer", to_type="text")
    refused(empty_shop, other, "Convert both of its sides")


def test_a_key_that_is_not_what_the_migration_says_is_refused(empty_shop: Shop) -> None:
    empty_shop.execute("CREATE TABLE p (id date PRIMARY KEY); CREATE TABLE c (p_id date)")
    refused(empty_shop, TO_TEXT, r"p\.id is date, not integer")
    dates = ConvertKey(table="p", column="id", from_type="date", to_type="text")
    refused(empty_shop, dates, "cannot become text")
    empty_shop.execute("DROP TABLE p; CREATE TABLE p (id integer PRIMARY KEY)")
    refused(empty_shop, TO_TEXT, r"c\.p_id is date, which cannot become text")


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ("n integer GENERATED ALWAYS AS (id + 1) STORED", "GENERATED|generated column n"),
        ("n integer, CHECK (id > n)", "CHECK|operator does not exist"),
    ],
)
def test_what_would_mean_something_else_is_named(empty_shop: Shop, extra: str, named: str) -> None:
    empty_shop.execute(f"CREATE TABLE p (id integer PRIMARY KEY, {extra})")
    refused(empty_shop, ConvertKey(table="p", column="id", from_type="integer", to_type="text"), named)


@pytest.mark.engine("postgresql")
def test_a_column_by_which_a_table_is_partitioned_is_refused(empty_shop: Shop) -> None:
    empty_shop.execute("""
        CREATE TABLE p (id integer) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
        CREATE TABLE a (id integer); CREATE TABLE b () INHERITS (a)""")
    key = ConvertColumn(table="p", column="id", from_type="integer", to_type="text")
    refused(empty_shop, key, "the partitioning of its table")
    part = ConvertColumn(table="p1", column="id", from_type="integer", to_type="text")
    refused(empty_shop, part, "p1 is a partition|p1 inherits")
    refused(empty_shop, ConvertColumn(table="a", column="id", from_type="integer", to_type="text"), "inherit")


@pytest.mark.engine("postgresql")
def test_a_collation_would_be_forgotten(empty_shop: Shop) -> None:
    empty_shop.execute('CREATE TABLE p (id text COLLATE "C" PRIMARY KEY); CREATE TABLE c (p_id integer)')
    refused(empty_shop, TO_WHOLE, "COLLATE")


@pytest.mark.engine("sqlite")
def test_rows_that_a_key_finds_by_affinity_alone_stop_it(empty_shop: Shop) -> None:
    empty_shop.execute("""
        CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (p_id text REFERENCES p (id));
        INSERT INTO p VALUES (7); INSERT INTO c VALUES ('007')""")
    refused(empty_shop, TO_TEXT, "would be broken by 1 more row")


@pytest.mark.engine("sqlite")
def test_orphans_that_stood_before_are_no_obstacle(empty_shop: Shop) -> None:
    empty_shop.execute(PAIR.format(text="integer"))
    empty_shop.execute("INSERT INTO p VALUES (1, 'a'); INSERT INTO c VALUES (1, 1), (2, 99)")
    before = digests(empty_shop)
    empty_shop.apply(TO_TEXT)
    assert empty_shop.target.rows("PRAGMA foreign_key_check") == [("c", 2, "p", 0)]
    empty_shop.run(to="zero")
    assert digests(empty_shop) == before


@pytest.mark.engine("postgresql")
def test_another_default_given_since_stops_the_way_back(empty_shop: Shop) -> None:
    empty_shop.execute(PAIR.format(text="integer"))
    empty_shop.apply(TO_TEXT)
    empty_shop.execute("ALTER TABLE p ALTER id SET DEFAULT 'x'")
    with pytest.raises(SchemaFixRefused, match="has another default by now: 'x'::text"):
        empty_shop.run(to="zero")


def test_what_is_converted_already_is_adopted_and_stays(empty_shop: Shop) -> None:
    empty_shop.execute(PAIR.format(text="text"))
    empty_shop.apply(TO_TEXT)
    empty_shop.run(to="zero")
    assert empty_shop.table("p").column("id").type.lower() == "text"


def test_half_a_conversion_that_somebody_made_by_hand_is_completed_and_only_that_goes_back(
    empty_shop: Shop,
) -> None:
    empty_shop.execute(
        "CREATE TABLE p (id text PRIMARY KEY); CREATE TABLE c (p_id integer); INSERT INTO c VALUES (1)"
    )
    empty_shop.apply(TO_TEXT)
    assert empty_shop.target.rows("SELECT p_id FROM c") == [("1",)]
    empty_shop.run(to="zero")
    assert empty_shop.target.rows("SELECT p_id FROM c") == [(1,)]
    assert empty_shop.table("p").column("id").type.lower() == "text"


@pytest.mark.django_db(transaction=True)
def test_the_check_before_a_migration_names_what_is_in_the_way(empty_shop: Shop) -> None:
    empty_shop.execute(PAIR.format(text="text"))
    empty_shop.execute("INSERT INTO p VALUES ('x', 'a')")
    empty_shop.migration("0001_step", TO_WHOLE)
    with pytest.raises(ChecksFailed, match="that integer cannot read"):
        migrate_and_store(empty_shop.alias)
    empty_shop.execute("UPDATE p SET id = '5'")
    migrate_and_store(empty_shop.alias)
    assert empty_shop.target.rows("SELECT id FROM p") == [(5,)]


def test_a_failure_in_the_middle_leaves_nothing_and_the_next_run_ends_it(
    empty_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_shop.execute(PAIR.format(text="text"))
    empty_shop.execute("INSERT INTO p VALUES ('01', 'a'); INSERT INTO c VALUES (1, '01')")
    before, rows = empty_shop.schema().structure(), digests(empty_shop)

    def die(*arguments: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as broken:
        broken.setattr("integrity.operations.converted.remember", die)
        with pytest.raises(RuntimeError, match="killed"):
            empty_shop.apply(TO_WHOLE)
    assert (empty_shop.schema().structure(), digests(empty_shop)) == (before, rows)

    empty_shop.run()
    with monkeypatch.context() as broken:
        broken.setattr("integrity.operations.converted.forget", die)
        with pytest.raises(RuntimeError, match="killed"):
            empty_shop.run(to="zero")
    assert empty_shop.target.rows("SELECT id FROM p") == [(1,)]
    empty_shop.run(to="zero")
    assert (empty_shop.schema().structure(), digests(empty_shop)) == (before, rows)


def test_a_process_that_is_killed_half_way_goes_on_at_the_next_run(empty_shop: Shop) -> None:
    empty_shop.execute(PAIR.format(text="integer"))
    numbers = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) "
        "INSERT INTO p SELECT i, 'n' FROM n;"
        "INSERT INTO c SELECT id, id FROM p"
    )
    empty_shop.execute(numbers)
    rows = digests(empty_shop)
    empty_shop.migration("0001_step", TO_TEXT)
    for package in (empty_shop.root / "__init__.py", empty_shop.root / "target" / "__init__.py",
                    empty_shop.root / "target" / "migrations" / "__init__.py"):  # fmt: skip
        package.touch()
    (empty_shop.root / "target" / "apps.py").write_text(
        "from django.apps import AppConfig\n\nclass Config(AppConfig):\n"
        f"    name = '{empty_shop.root.name}.target'\n    label = 'catalog_target'\n"
    )
    process = migrating.start(empty_shop.target.url, empty_shop.root, "own", "0001_step")
    until = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < until and not begun(empty_shop):
        time.sleep(0.01)
    process.kill()
    process.wait()

    empty_shop.run()
    assert empty_shop.table("p").column("id").type.lower() == "text"
    empty_shop.run(to="zero")
    assert digests(empty_shop) == rows


def begun(shop: Shop) -> bool:
    """Whether the conversion holds its lock."""
    if shop.sqlite:
        time.sleep(0.6)
        return True
    query = "SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'p'::regclass"
    return bool(shop.target.rows(query))


# ------------------------------------------------------------------------------------ others at work


@pytest.mark.engine("postgresql")
def test_writers_wait_and_get_through(empty_shop: Shop) -> None:
    empty_shop.execute(PAIR.format(text="integer"))
    empty_shop.execute("INSERT INTO p SELECT i, 'n' FROM generate_series(1, 20000) i")
    errors: list[str] = []
    done = threading.Event()

    def write() -> None:
        number = 0
        with psycopg.connect(empty_shop.target.url, autocommit=True) as connection:
            while not done.is_set():
                number += 1
                try:
                    connection.execute(f"INSERT INTO c VALUES ({number}, '{number % 20000 + 1}')")
                except psycopg.Error as error:
                    errors.append(str(error))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        empty_shop.apply(TO_TEXT)
        time.sleep(0.1)
        empty_shop.run(to="zero")
    finally:
        done.set()
        writer.join()
    assert errors == []
    assert empty_shop.value("SELECT count(*) FROM c") > 1
    assert empty_shop.table("c").column("p_id").type == "integer"


@pytest.mark.engine("postgresql")
def test_it_gives_up_soon_where_somebody_holds_a_lock_and_is_applied_later(empty_shop: Shop) -> None:
    empty_shop.execute(PAIR.format(text="integer"))
    empty_shop.execute("INSERT INTO p VALUES (1, 'a'); INSERT INTO c VALUES (1, 1)")
    with held(empty_shop, "UPDATE c SET p_id = 1"):
        began = time.monotonic()
        with pytest.raises(TargetBusy, match="A lock was not granted"):
            empty_shop.apply(TO_TEXT)
        assert time.monotonic() - began < 5
    empty_shop.run()
    assert empty_shop.target.rows("SELECT p_id FROM c") == [("1",)]


@pytest.mark.engine("postgresql")
def test_values_that_appear_before_the_lock_is_granted_stop_it(
    empty_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_shop.execute(PAIR.format(text="text"))
    original, calls = Session.retrying, []

    def late(self: Session, *arguments: Any, **more: Any) -> Any:
        if not calls:
            calls.append(1)
            empty_shop.execute("INSERT INTO p VALUES ('late', 'x')")
        return original(self, *arguments, **more)

    monkeypatch.setattr(Session, "retrying", late)
    with pytest.raises(SchemaFixRefused, match="1 row of p.id has a value"):
        empty_shop.apply(TO_WHOLE)
    assert empty_shop.table("p").column("id").type.lower() == "text"


# ------------------------------------------------------------------------------------ odd corners


@pytest.mark.engine("postgresql")
def test_a_key_whose_triggers_somebody_disabled_is_named(empty_shop: Shop) -> None:
    empty_shop.execute(PAIR.format(text="integer"))
    empty_shop.execute("ALTER TABLE c DISABLE TRIGGER ALL")
    refused(empty_shop, TO_TEXT, "The triggers of the foreign key c_p_id_fkey are disabled")


@pytest.mark.engine("sqlite")
def test_rows_whose_key_is_null_cannot_be_given_another_spelling_back(empty_shop: Shop) -> None:
    empty_shop.execute("""
        CREATE TABLE a (id text PRIMARY KEY, n text);
        INSERT INTO a VALUES (NULL, '01'), (NULL, '1'), ('k', '001')""")
    convert = ConvertColumn(table="a", column="n", from_type="text", to_type="integer")
    refused(
        empty_shop, convert, "1 values of a.n would be written otherwise, in rows whose primary key is NULL"
    )


@pytest.mark.engine("sqlite")
def test_statistics_of_the_planner_survive_and_autoincrement_may_stand_behind_the_columns(
    empty_shop: Shop,
) -> None:
    empty_shop.execute("""
        CREATE TABLE p (id INTEGER, n, PRIMARY KEY (id AUTOINCREMENT)); CREATE INDEX p_n ON p (n);
        CREATE TABLE c (id integer PRIMARY KEY, p_id integer REFERENCES p (id));
        INSERT INTO p (n) VALUES (1), (2), (2); DELETE FROM p WHERE id = 3; ANALYZE""")
    before, rows = empty_shop.target.rows("SELECT * FROM sqlite_stat1 ORDER BY 1, 2"), digests(empty_shop)
    empty_shop.apply(TO_TEXT)
    assert empty_shop.target.rows("SELECT * FROM sqlite_stat1 ORDER BY 1, 2") == before
    empty_shop.run(to="zero")
    empty_shop.execute("INSERT INTO p (n) VALUES (9)")
    assert empty_shop.value("SELECT id FROM p WHERE n = 9") == 4
    empty_shop.execute("DELETE FROM p WHERE n = 9")
    assert digests(empty_shop) == rows


@pytest.mark.engine("postgresql")
def test_a_default_of_another_kind_may_be_given_with_the_type(empty_shop: Shop) -> None:
    empty_shop.execute("CREATE TABLE \"P %s\" (id text DEFAULT 'none' PRIMARY KEY)")
    before = empty_shop.schema().structure()
    empty_shop.apply(
        ConvertKey(table='"P %s"', column="id", from_type="text", to_type="uuid", default="gen_random_uuid()")
    )
    empty_shop.execute('INSERT INTO "P %s" DEFAULT VALUES')
    empty_shop.run(to="zero")
    assert empty_shop.schema().structure() == before
    assert len(empty_shop.value('SELECT id FROM "P %s"')) == 36
