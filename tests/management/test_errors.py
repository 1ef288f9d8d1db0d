"""What goes wrong says what, where, and what to do; nothing is lost, and nothing half done."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from integrity.database.session import Target
from integrity.repairs.run import held
from integrity_project.postgres import PostgresServer
from integrity_project.targets import database_settings
from tests.commands import run, run_json
from tests.management.conftest import CATALOG, SHOP, SYSTEM_ROW, Shop
from tests.servers import MakePostgresDatabase, RegisterTarget

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

EVERY = ["audit", "backup", "plan", "verify", "log", "startcatalog", "makemigrations"]


@pytest.mark.parametrize("command", [*EVERY, "migrate", "cleanup --no-input", "reassign --no-input"])
def test_an_unknown_target_is_told_with_those_that_are_known(command: str) -> None:
    name, *options = command.split()
    ran = run(name, "shp", *options)
    assert ran.code == 2
    assert "There is no target 'shp' (DATABASES). Known are: default." in ran.err
    assert ran.out == ""


@pytest.mark.parametrize("command", [*EVERY, "cleanup --no-input"])
def test_a_server_that_is_not_there_is_named(command: str, register_target: RegisterTarget) -> None:
    register_target("away", "postgresql://somebody@127.0.0.1:1/away")
    name, *options = command.split()
    ran = run(name, "away", *options)
    assert ran.code == 2
    assert "(away)" in ran.err
    assert "Check HOST and PORT" in ran.err or "pg_dump failed" in ran.err


def test_a_file_that_is_not_there_is_not_made(register_target: RegisterTarget, tmp_path: Path) -> None:
    register_target("gone", f"sqlite:///{tmp_path / 'gone.sqlite3'}")
    ran = run("audit", "gone")
    assert ran.code == 2
    assert "(gone)" in ran.err
    assert not (tmp_path / "gone.sqlite3").exists()


def test_a_wrong_password_is_never_repeated(
    newest_postgres: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
) -> None:
    url = make_postgres_database(newest_postgres)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS integrity_locked_out")
        connection.execute("CREATE ROLE integrity_locked_out LOGIN PASSWORD 'right'")
    name = database_settings(url)["NAME"]
    hba = newest_postgres.data_dir / "pg_hba.conf"
    before = hba.read_text()
    try:
        hba.write_text("host all integrity_locked_out all scram-sha-256\n" + before)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")
        address = f"{newest_postgres.host}:{newest_postgres.port}"
        register_target("shut", f"postgresql://integrity_locked_out:hunter2@{address}/{name}")
        ran = run("audit", "shut")
    finally:
        hba.write_text(before)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("DROP ROLE integrity_locked_out")
    assert ran.code == 2
    assert "refused the user or password" in ran.err
    assert "Correct USER and PASSWORD" in ran.err
    assert "hunter2" not in ran.err + ran.out


def test_a_role_that_may_only_read_is_told_what_it_lacks(
    newest_postgres: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
    tmp_path: Path,
) -> None:
    url = make_postgres_database(newest_postgres)
    role = f"reader_{database_settings(url)['NAME']}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SHOP)
        connection.execute(f"CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    register_target("read", newest_postgres.url(database_settings(url)["NAME"], user=role))
    lent = tmp_path / "lent.toml"
    lent.write_text(CATALOG)
    ran = run("cleanup", "read", "--catalog", lent, "--action", "suggested", "--no-input")
    assert ran.code == 2
    assert "GRANT CREATE ON DATABASE" in ran.err
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            f"CREATE SCHEMA integrity_journal AUTHORIZATION {role}; "
            f"GRANT DELETE, UPDATE ON lines, orders TO {role}"
        )
        locked = run("cleanup", "read", "--catalog", lent, "--action", "suggested", "--no-input")
        left = connection.execute("SELECT count(*) FROM lines").fetchone()
        connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    assert locked.code == 2
    assert "GRANT UPDATE ON" in locked.err
    assert "customers" in locked.err
    assert left in ((4,), (3,))


def test_a_file_that_may_only_be_read_stays_as_it_is(
    register_target: RegisterTarget, tmp_path: Path, lent: Path
) -> None:
    file = tmp_path / "fixed.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(SHOP)
    register_target("fixed", f"sqlite:///{file}")
    target = Target("fixed")
    target.settings["NAME"] = f"file:{file}?mode=ro"
    target.settings["OPTIONS"] = {"uri": True}
    ran = run("cleanup", "fixed", "--catalog", lent, "--action", "suggested", "--no-input")
    assert ran.code == 2
    assert "cannot be written (fixed)" in ran.err
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM lines").fetchone() == (4,)


@pytest.fixture
def lent(tmp_path: Path) -> Path:
    """A catalog that is lent to a target."""
    file = tmp_path / "lent.toml"
    file.write_text(CATALOG)
    return file


def test_a_target_without_a_catalog_is_audited_with_what_it_declares(shop: Shop) -> None:
    shop.catalog.unlink()
    found = run_json("audit", shop.alias)
    assert found["coverage"]["references"] == 0
    assert run("migrate", shop.alias).code == 2
    assert "integrity_makemigrations target" in run("migrate", shop.alias).err
    missing = run("audit", shop.alias, "--catalog", shop.root / "nowhere.toml")
    assert missing.code == 2
    assert "nowhere.toml" in missing.err


def test_a_typo_in_a_catalog_names_file_entry_and_the_right_word(shop: Shop) -> None:
    shop.write_catalog(CATALOG.replace("on_delete", "on_delet", 1))
    ran = run("audit", shop.alias)
    assert ran.code == 2
    assert str(shop.catalog) in ran.err
    assert "Did you mean on_delete?" in ran.err
    shop.write_catalog(CATALOG.replace("customers.id", "customer.id"))
    ran = run("plan", shop.alias)
    assert ran.code == 2
    assert "Did you mean customers?" in ran.err


def test_an_unknown_reference_is_told_with_those_that_are_known(shop: Shop) -> None:
    ran = run("plan", shop.alias, "--reference", "orders.custom_id", "--action", "delete")
    assert ran.code == 2
    assert "orders.customer_id" in ran.err


def test_set_null_on_not_null_is_refused_before_anything_happens(shop: Shop) -> None:
    before = shop.state()
    ran = run("cleanup", shop.alias, "--reference", "lines.order_id", "--action", "set_null", "--no-input")
    assert ran.code == 2
    assert "lines.order_id cannot be set to NULL: the column is NOT NULL" in ran.err
    assert shop.state() == before


def test_a_reassignment_without_a_system_row_says_where_to_describe_it(shop: Shop) -> None:
    ran = run("reassign", shop.alias, "--reference", "orders.customer_id", "--no-input")
    assert ran.code == 2
    assert "[system_row.customers]" in ran.err
    assert "--to" in ran.err
    unknown = run("reassign", shop.alias, "--reference", "orders.customer_id", "--to", "55", "--no-input")
    assert unknown.code == 2
    assert "customers has no row 55" in unknown.err


def test_a_repair_that_is_running_keeps_a_second_one_out(shop: Shop) -> None:
    before = shop.state()
    with held(Target(shop.alias)):
        ran = run("cleanup", shop.alias, "--action", "suggested", "--no-input")
        assert ran.code == 2
        assert "A repair of this target is running (target)" in ran.err
        assert run("rollback", shop.alias, 1, "--no-input").code == 2
    assert shop.state() == before


def test_a_locked_file_is_left_alone(shop: Shop) -> None:
    if shop.vendor != "sqlite":
        lock_orders_on_postgresql(shop)
        return
    before = shop.state()
    with closing(sqlite3.connect(database_settings(shop.target.url)["NAME"])) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        ran = run("cleanup", shop.alias, "--action", "suggested", "--no-input")
        writer.rollback()
    assert ran.code == 2
    assert "locked" in ran.err
    assert "Traceback" not in ran.err
    assert shop.state() == before


def lock_orders_on_postgresql(shop: Shop) -> None:
    before = shop.state()
    with psycopg.connect(shop.target.url) as writer:
        writer.execute("LOCK TABLE orders IN EXCLUSIVE MODE")
        ran = run("cleanup", shop.alias, "--action", "suggested", "--no-input")
    assert ran.code == 2
    assert "A lock was not granted" in ran.err
    assert shop.state() == before


def test_a_plan_of_another_time_is_refused(shop: Shop) -> None:
    plan = run_json("plan", shop.alias, "--action", "suggested")
    shop.execute("INSERT INTO orders VALUES (13, 92, 'new')")
    before = shop.state()
    more = run("cleanup", shop.alias, "--plan", plan["hash"], "--no-input")
    assert more.code == 2
    assert "Make and look at a new plan" in more.err
    shop.execute("ALTER TABLE lines ADD COLUMN more integer")
    other = run("cleanup", shop.alias, "--plan", plan["hash"], "--no-input")
    assert other.code == 2
    assert "The schema changed since the plan was made" in other.err
    assert shop.rows("SELECT count(*) FROM orders")[0][0] == 7
    assert before["structure"] != shop.state()["structure"]
    unknown = run("cleanup", shop.alias, "--plan", "0123456789", "--no-input")
    assert unknown.code == 2
    assert "No plan begins with 0123456789" in unknown.err


def test_more_rows_than_allowed_are_refused(shop: Shop) -> None:
    before = shop.state()
    ran = run("cleanup", shop.alias, "--action", "suggested", "--max-rows", "2", "--no-input")
    assert ran.code == 2
    assert "more than --max-rows 2" in ran.err
    assert shop.state() == before


def test_nobody_is_asked_where_nobody_is(shop: Shop) -> None:
    before = shop.state()
    for command in ("cleanup", "reassign"):
        ran = run(command, shop.alias)
        assert ran.code == 2
        assert "standard input is not a terminal" in ran.err
        assert "--no-input" in ran.err
    assert shop.state() == before


def test_a_backup_can_be_required(shop: Shop) -> None:
    refused = run("cleanup", shop.alias, "--action", "suggested", "--no-input", "--require-backup")
    assert refused.code == 2
    assert "integrity_backup target" in refused.err
    taken = run_json("backup", shop.alias)
    done = run_json("cleanup", shop.alias, "--action", "suggested", "--no-input", "--require-backup")
    log = run_json("log", shop.alias, "--run", done["run"])
    assert log["backup"] == taken["file"]


def test_a_reassignment_that_cannot_be_told_from_json(shop: Shop) -> None:
    shop.write_catalog(CATALOG + SYSTEM_ROW.replace("id = 1000\n", ""))
    ran = run("reassign", shop.alias, "--reference", "orders.customer_id", "--no-input", "--format", "json")
    assert ran.code == 2
    error = ran.json["error"]
    assert ran.json["target"] == "target"
    assert set(error) == {"kind", "what", "where", "hint"}
    assert error["kind"] == "catalog_error"
    assert "system_row.customers" in error["where"]


def test_an_unknown_run_is_told_with_those_that_are_known(shop: Shop) -> None:
    ran = run("rollback", shop.alias, 7, "--no-input")
    assert ran.code == 2
    assert "There is no run 7" in ran.err


def test_a_site_without_its_tables_says_migrate(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connection  # noqa: PLC0415 - only here is the site's own database touched

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE integrity_target RENAME TO integrity_target_away")
    try:
        ran = run("audit", shop.alias)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE integrity_target_away RENAME TO integrity_target")
    assert ran.code == 2
    assert "Run manage.py migrate." in ran.err


def test_what_nobody_foresaw_is_one_line(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise ZeroDivisionError("division by zero\nand more")

    monkeypatch.setattr("integrity.management.commands.integrity_audit.audit_and_store", fail)
    ran = run("audit", shop.alias)
    assert ran.code == 2
    assert ran.err == "ZeroDivisionError: division by zero. Run with --traceback to see where."
    assert "Traceback" in run("audit", shop.alias, traceback=True).err
