"""What is looked at before and after each migration: said, counted, stored, and heeded."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from integrity import models
from integrity.database.locks import Lock
from integrity.database.session import Target
from integrity.operations import AddForeignKey
from integrity_project.postgres import PostgresServer
from integrity_project.targets import database_settings
from tests.commands import run, run_json
from tests.management.conftest import CATALOG, SHOP, Shop
from tests.servers import EmptyTarget, MakePostgresDatabase, RegisterTarget

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

CLEAN = "DELETE FROM orders WHERE customer_id >= 90; DELETE FROM lines WHERE order_id >= 10"
FLOWS = """
[[flow]]
name = "An order of nobody"
statements = ["INSERT INTO orders (id, customer_id) VALUES (500, 12345)"]

[[flow]]
name = "An order of Ann"
statements = ["INSERT INTO orders (id, customer_id) VALUES (500, 1)"]

[[flow]]
name = "Never worked"
statements = ["INSERT INTO nothing VALUES (1)"]
"""


@pytest.fixture
def written(shop: Shop) -> Shop:
    """The broken shop with its migrations written."""
    assert run("makemigrations", shop.alias).code == 0
    return shop


@pytest.fixture
def postgres_shop(
    newest_postgres: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
    tmp_path: Path,
) -> Shop:
    """The broken shop on the newest PostgreSQL alone."""
    url = make_postgres_database(newest_postgres)
    target = EmptyTarget(register_target("target", url), "postgresql", url, newest_postgres)
    found = Shop(target, tmp_path / "catalogs")
    found.execute(SHOP)
    return found


def checks(document: Any) -> dict[str, list[tuple[str, str]]]:
    """What was looked at, by migration number."""
    return {
        each["name"][:4]: [(check["what"], check["verdict"]) for check in each["checks"]]
        for each in document["migrations"]
    }


def test_what_is_whole_passes_every_check_and_the_run_remembers_them(written: Shop) -> None:
    written.execute(CLEAN)
    done = run_json("migrate", written.alias)
    found = checks(done)
    assert found["0001"] == [("locks", "passed"), ("index", "passed")]
    assert sorted(set(found["0002"])) == [
        ("enforced", "passed"),
        ("foreign key", "passed"),
        ("locks", "passed"),
        ("orphans", "passed"),
    ]
    assert {verdict for _, verdict in found["0003"]} == {"passed"}
    stored = models.MigrationRun.objects.get(migration__startswith="0002")
    assert [(each["what"], each["verdict"]) for each in stored.checks] == found["0002"]
    assert {each["moment"] for each in stored.checks} == {"before", "after"}


def test_orphans_are_noted_where_new_rows_are_bound_and_stop_what_binds_all(written: Shop) -> None:
    first = run_json("migrate", written.alias, "--phase", 2)
    assert ("orphans", "noted") in checks(first)["0002"]
    before = written.state()
    stopped = run("migrate", written.alias, "--format", "json")
    assert stopped.code == 2
    failed = [each for each in stopped.json["checks"] if each["verdict"] == "failed"]
    assert [each["what"] for each in failed] == ["orphans", "orphans"]
    assert "3 rows break orders.customer_id → customers.id" in stopped.err
    assert "integrity_cleanup target --reference 'orders.customer_id'" in stopped.err
    assert "Likewise for the others" in stopped.err
    assert "was not begun" in stopped.err
    assert "23503" not in stopped.err
    assert written.state() == before
    stored = models.MigrationRun.objects.get(migration__startswith="0003")
    assert stored.state == "failed"
    assert [each["verdict"] for each in stored.checks].count("failed") == 2


def test_the_list_is_short_and_says_which_passed(written: Shop) -> None:
    ran = run("migrate", written.alias)
    assert "✓ index: lines.order_id: lines_order_idx is valid" in ran.err
    assert "! orphans: 3 rows break orders.customer_id → customers.id: new ones are refused" in ran.err
    assert "✓ enforced: orders.customer_id: fk_orders_customer refuses a row that breaks it" in ran.err
    assert "✗ orphans: 1 row breaks lines.order_id → orders.id" in ran.err


def test_a_dry_run_looks_too_and_changes_nothing(written: Shop) -> None:
    before = written.state()
    planned = run_json("migrate", written.alias, "--dry-run")
    assert ("orphans", "failed") in checks(planned)["0003"]
    assert ("orphans", "noted") in checks(planned)["0002"]
    assert written.state() == before
    assert not models.MigrationRun.objects.exists()


def test_without_checks_the_migration_still_refuses_by_itself(written: Shop) -> None:
    done = run("migrate", written.alias, "--no-checks")
    assert done.code == 2
    assert "✓" not in done.err
    assert "break" in done.err
    assert models.MigrationRun.objects.filter(state="finished").count() == 2
    assert {tuple(each.checks) for each in models.MigrationRun.objects.all()} == {()}


def test_repairs_that_come_first_are_reckoned_with(shop: Shop) -> None:
    shop.write_catalog(
        CATALOG.replace('on_delete = "SET NULL"', 'on_delete = "SET NULL"\norphans = "set_null"').replace(
            'on_delete = "CASCADE"', 'on_delete = "CASCADE"\norphans = "delete"'
        )
    )
    assert run("makemigrations", shop.alias, "--with-repairs").code == 0
    planned = run_json("migrate", shop.alias, "--dry-run")
    verdicts = [verdict for each in checks(planned).values() for _, verdict in each]
    assert "failed" not in verdicts
    ran = run("migrate", shop.alias)
    assert ran.code == 0, ran.err


def test_a_flow_that_a_migration_breaks_stops_there_and_one_that_never_worked_does_not(shop: Shop) -> None:
    shop.execute(CLEAN)
    shop.write_catalog(CATALOG + FLOWS)
    assert run("makemigrations", shop.alias).code == 0
    stopped = run("migrate", shop.alias, "--format", "json")
    assert stopped.code == 2
    failed = [each for each in stopped.json["checks"] if each["verdict"] == "failed"]
    assert [(each["what"], each["subject"]) for each in failed] == [("flow", "An order of nobody")]
    assert "is applied" in stopped.err
    runs = {each.migration[:4]: each for each in models.MigrationRun.objects.all()}
    assert {number: each.state for number, each in runs.items()} == {"0001": "finished", "0002": "finished"}
    assert "An order of nobody" in runs["0002"].error
    again = run_json("migrate", shop.alias)
    assert ("flow", "noted") in checks(again)["0003"]
    assert run("migrate", shop.alias, "zero", "--no-input").code == 0


def test_what_a_migration_claims_and_did_not_do_is_noticed(
    written: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AddForeignKey, "make", lambda operation, work: None)
    stopped = run("migrate", written.alias)
    assert stopped.code == 2
    assert "There is no foreign key" in stopped.err


@contextmanager
def held(shop: Shop, *, statement: str, writes: bool = True) -> Iterator[None]:
    """Somebody whose transaction stays open."""
    if shop.vendor == "sqlite":
        with closing(
            sqlite3.connect(database_settings(shop.target.url)["NAME"], isolation_level=None)
        ) as other:
            other.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            yield
            other.execute("ROLLBACK")
    else:
        with psycopg.connect(shop.target.url, application_name="nightly report") as other:
            other.execute(statement)
            other.execute("SELECT pg_sleep(2.1)")
            yield
            other.rollback()


def test_a_long_transaction_in_the_way_stops_it_before_its_first_change(written: Shop) -> None:
    written.execute(CLEAN)
    assert run("migrate", written.alias, "--phase", "1").code == 0
    with held(written, statement="UPDATE orders SET note = note"):
        before = {} if written.vendor == "sqlite" else written.state()
        stopped = run("migrate", written.alias, "--phase", "2")
        assert stopped.code == 2
        if written.vendor != "sqlite":
            assert "nightly report" in stopped.err
            assert "pg_terminate_backend" in stopped.err
            assert "was not begun" in stopped.err
            assert written.state() == before
    assert run("migrate", written.alias).code == 0


def test_a_table_that_somebody_holds_for_himself_alone_is_not_waited_for_without_end(written: Shop) -> None:
    written.execute(CLEAN)
    with held(written, statement="LOCK TABLE orders IN ACCESS EXCLUSIVE MODE"):
        stopped = run("migrate", written.alias)
        assert stopped.code == 2
        if written.vendor != "sqlite":
            assert "nightly report" in stopped.err
    assert run("migrate", written.alias).code == 0


def test_a_mistake_in_the_catalog_does_not_keep_a_migration_from_being_reversed(written: Shop) -> None:
    written.execute(CLEAN)
    assert run("migrate", written.alias).code == 0
    written.write_catalog("[[flow]]\nnames = 1")
    back = run_json("migrate", written.alias, "zero", "--no-input")
    assert [each["state"] for each in back["migrations"]] == ["reversed"] * 3
    assert ("flow", "skipped") in checks(back)["0001"]


def test_readers_are_not_in_the_way_of_a_foreign_key(written: Shop) -> None:
    written.execute(CLEAN)
    assert run("migrate", written.alias, "--phase", "1").code == 0
    with held(written, statement="SELECT count(*) FROM orders", writes=False):
        ran = run("migrate", written.alias, "--phase", "2")
        assert ran.code == 0, ran.err


def test_a_transaction_of_a_role_that_hides_its_age_counts_only_while_it_stays(
    postgres_shop: Shop,
) -> None:
    shop = postgres_shop
    url = shop.target.url
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(
            "CREATE ROLE hidden_from LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO hidden_from"
        )
    try:
        with psycopg.connect(url) as other, Target(shop.alias).changing() as session, session.transaction():
            other.execute("UPDATE orders SET note = note")
            session.execute("SET LOCAL ROLE hidden_from")
            schema = session.schema()
            tables = [schema.table(schema.resolve("orders"))]
            [found] = session.engine.blockers(session, tables, Lock.SHARE_ROW_EXCLUSIVE)
            assert str(found).startswith("a transaction (process ")
            other.rollback()
            other.execute("UPDATE orders SET note = note")
            [again] = session.engine.blockers(session, tables, Lock.SHARE_ROW_EXCLUSIVE)
            assert again.key != found.key
    finally:
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute("DROP OWNED BY hidden_from; DROP ROLE hidden_from")


def test_rows_that_cannot_be_looked_at_do_not_pass_for_whole(written: Shop, settings: Any) -> None:
    settings.INTEGRITY |= {"STATEMENT_TIMEOUT_MS": 1}
    if written.vendor == "sqlite":
        return
    written.execute(
        "INSERT INTO orders (id, customer_id) SELECT 1000 + i, i FROM generate_series(1, 200000) i"
    )
    ran = run("migrate", written.alias, "--format", "json", "--phase", 2)
    assert ran.code in (0, 2)
    assert "passed" not in [
        each["verdict"]
        for step in ran.json.get("migrations", [])
        for each in step["checks"]
        if each["what"] == "orphans"
    ]


def test_what_an_operation_before_it_makes_possible_is_no_obstacle(shop: Shop) -> None:
    shop.execute(CLEAN)
    shop.execute("CREATE TABLE ledgers (id integer, order_id integer)")
    folder = shop.root / shop.alias / "migrations"
    folder.mkdir(parents=True)
    (folder / "0001_both.py").write_text(
        "from integrity.operations import AddForeignKey, AddUnique, CatalogMigration\n\n\n"
        "class Migration(CatalogMigration):\n    target = 'target'\n    phase = 3\n    operations = [\n"
        "        AddUnique(table='orders', columns=('id', 'customer_id'), name='orders_both'),\n"
        "        AddForeignKey(table='ledgers', columns=('id', 'order_id'), to='orders',\n"
        "            to_columns=('id', 'customer_id'), name='fk_ledgers_orders'),\n    ]\n"
    )
    done = run_json("migrate", shop.alias)
    assert ("foreign_key", "skipped") in checks(done)["0001"]
    assert ("foreign key", "passed") in checks(done)["0001"]


def test_what_nothing_makes_possible_stops_before_the_first_change(shop: Shop) -> None:
    folder = shop.root / shop.alias / "migrations"
    folder.mkdir(parents=True)
    (folder / "0001_both.py").write_text(
        "from integrity.operations import AddForeignKey, AddIndex, CatalogMigration\n\n\n"
        "class Migration(CatalogMigration):\n    target = 'target'\n    phase = 3\n    operations = [\n"
        "        AddIndex(table='customers', columns=('name',), name='customers_name'),\n"
        "        AddForeignKey(table='lines', columns=('label',), to='orders', to_columns=('note',),\n"
        "            name='fk_lines_note'),\n    ]\n"
    )
    before = shop.state()
    stopped = run("migrate", shop.alias)
    assert stopped.code == 2
    assert "orders.note is no key" in stopped.err
    assert shop.state() == before
