"""Databases that nobody prepared for this: several schemas, odd names, no catalog, declared and violated."""

from pathlib import Path
from typing import Any

import pytest

from integrity.database.session import Target
from integrity_project.postgres import PostgresServer
from tests.commands import run, run_json
from tests.management.conftest import CATALOG, Shop
from tests.servers import EmptyTarget, MakePostgresDatabase, RegisterTarget

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

ODD = """
CREATE SCHEMA "Sales Dept"; CREATE SCHEMA auth;
CREATE TABLE auth.users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "E-Mail" text);
CREATE TABLE "Sales Dept"."Order" (tenant integer, no integer, "user" bigint, net numeric, gross numeric
  GENERATED ALWAYS AS (net * 1.15) STORED, PRIMARY KEY (tenant, no));
CREATE TABLE public."Line 100%" ("Tenant" integer, "Order.No" integer, body text);
CREATE TABLE public.log (what text);
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.log VALUES (TG_OP); RETURN OLD; END $$;
CREATE TRIGGER shout BEFORE DELETE ON "Sales Dept"."Order" FOR EACH ROW EXECUTE FUNCTION shout();
INSERT INTO auth.users ("E-Mail") VALUES ('a'), ('b');
INSERT INTO "Sales Dept"."Order" (tenant, no, "user", net) VALUES (1, 1, 1, 10), (1, 2, 7, 20), (2, 1, 8, 30);
INSERT INTO "Line 100%" VALUES (1, 1, 'x'), (1, 2, 'y'), (1, 2, 'y'), (5, 5, '%'), (NULL, 5, 'z');
"""
LENT = """
[[reference]]
from = '"Sales Dept".Order.user'
to = "auth.users.id"
on_delete = "CASCADE"
orphans = "delete"

[[reference]]
from = '"Line 100%".Tenant,"Order.No"'
to = '"Sales Dept".Order.tenant,no'
on_delete = "CASCADE"
orphans = "delete"
"""


def state(alias: str) -> dict[str, str]:
    with Target(alias).reading() as session:
        schema = session.schema()
        return {str(each.name): str(session.engine.digest(session, each)) for each in schema} | {
            "structure": schema.fingerprint()
        }


@pytest.fixture
def odd(
    newest_postgres: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
    settings: Any,
    tmp_path: Path,
) -> EmptyTarget:
    """Schemas, odd names, a composite key, a generated column, a trigger, a table without a key."""
    settings.INTEGRITY = {"CATALOG_ROOT": tmp_path / "catalogs"}
    url = make_postgres_database(newest_postgres)
    made = EmptyTarget(register_target("odd", url), "postgresql", url, newest_postgres)
    made.execute_script(ODD)
    return made


def test_odd_names_are_repaired_and_taken_back(odd: EmptyTarget, tmp_path: Path) -> None:
    lent = tmp_path / "lent.toml"
    lent.write_text(LENT)
    before = state("odd")
    found = run("audit", "odd", "--catalog", lent, "--format", "json").json["findings"]
    assert {each["table"]: each["rows"] for each in found if each["code"] == "orphaned_rows"} == {
        "Order": 2,
        "Line 100%": 1,
    }
    plan = run_json("plan", "odd", "--catalog", lent, "--sql", tmp_path / "fix.sql")
    assert plan["blast_radius"]["public.Line 100%"]["deleted"] == 3
    assert "The trigger shout" in run("plan", "odd", "--catalog", lent).out
    done = run_json("cleanup", "odd", "--catalog", lent, "--plan", plan["hash"], "--no-input")
    assert done["refusals"] == []
    assert odd.rows('SELECT count(*) FROM "Line 100%"') == [(2,)]
    chosen = ("--reference", '"Line 100%".Tenant,"Order.No"')
    log = run_json("log", "odd", "--run", done["run"], *chosen)
    assert sum(each["rows"] for each in log["changes"]) == 3
    odd.execute_script("DELETE FROM log")
    back = run_json("rollback", "odd", done["run"], "--catalog", lent, "--no-input")
    assert back["proof"]["rows_equal"] is True
    assert state("odd") == before


def test_migrations_of_odd_names_can_be_written_and_applied(
    odd: EmptyTarget, tmp_path: Path, settings: Any
) -> None:
    lent = tmp_path / "lent.toml"
    lent.write_text(LENT)
    run_json("cleanup", "odd", "--catalog", lent, "--no-input")
    written = run_json("makemigrations", "odd", "--catalog", lent)
    assert len(written["fixes"]) == 4
    assert run("migrate", "odd").code == 0, run("migrate", "odd").err
    assert run("verify", "odd", "--catalog", lent).code == 0
    assert run("migrate", "odd", "zero", "--no-input").code == 0


def test_declared_keys_that_rows_violate_are_found_without_a_catalog(shop: Shop) -> None:
    if shop.vendor != "sqlite":
        return  # only SQLite lets rows violate what is declared
    shop.catalog.unlink()
    shop.execute(
        "CREATE TABLE parts (id integer PRIMARY KEY, "
        "line_id integer REFERENCES lines (id) ON DELETE CASCADE);"
        "INSERT INTO parts VALUES (1, 1), (2, 999);"
    )
    before = shop.state()
    found = run("audit", shop.alias, "--format", "json").json["findings"]
    assert {each["code"] for each in found} >= {"orphaned_rows", "unenforced_connections"}
    done = run_json("cleanup", shop.alias, "--action", "suggested", "--no-input")
    assert shop.rows("SELECT id FROM parts") == [(1,)]
    assert run("verify", shop.alias).code == 0
    run_json("rollback", shop.alias, done["run"], "--no-input")
    assert shop.state() == before


def test_the_sites_own_database_is_a_target_like_any_other(shop: Shop) -> None:
    ran = run("audit", "default", "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.json["coverage"]["references"] > 5
    assert run("verify", "default", "--fail-on", "error").code in (0, 1)


def test_a_catalog_is_written_from_the_one_that_was_lent(shop: Shop, tmp_path: Path) -> None:
    lent = tmp_path / "lent.toml"
    lent.write_text(CATALOG)
    shop.catalog.unlink()
    run_json("startcatalog", shop.alias, "--catalog", lent)
    assert run_json("makemigrations", shop.alias, "--dry-run")["fixes"]
