"""The scripts of a plan do what the repair does, in psql and in sqlite3, and take it back exactly."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.plans import Plan, Request, make_plan
from integrity.plans.script import Scripts, scripts
from integrity.references import Catalog, known_references
from integrity.references.reference import Resolution
from integrity.repairs import run_repair
from integrity_project.targets import database_settings
from tests.catalogs import LendCatalog
from tests.servers import EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

ODD = """
CREATE TABLE "People %" (id integer PRIMARY KEY, "Na""me" varchar(40), boss_id integer);
CREATE TABLE "order" (a integer, b integer, person_id integer, total integer DEFAULT 7, PRIMARY KEY (a, b));
CREATE TABLE notes (order_a integer, order_b integer, body varchar(80), person_id integer DEFAULT 1);
INSERT INTO "People %" VALUES
  (1, 'Ann', NULL), (2, '100% Bob', 1), (3, 'O''Neil', 99), (4, 'Dee', 3), (5, 'Ed', 4);
INSERT INTO "order" VALUES (1, 1, 1, 5), (1, 2, 3, 6), (2, 1, 88, 7), (2, 2, 5, 8);
INSERT INTO notes VALUES
  (1, 1, 'fine', 1), (1, 2, 'a', 1), (1, 2, 'a', 1), (2, 1, '%s', NULL), (9, 9, 'lost', 2),
  (NULL, 9, 'none', 2), (1, 1, 'by a ghost', 77);
"""
CATALOG = """
[[reference]]
from = '"People %".boss_id'
to = '"People %".id'
on_delete = "CASCADE"
orphans = "delete"

[[reference]]
from = '"order".person_id'
to = '"People %".id'
on_delete = "CASCADE"
orphans = "delete"

[[reference]]
from = "notes.order_a,order_b"
to = '"order".a,b'
on_delete = "SET NULL"
orphans = "set_null"

[[reference]]
from = "notes.person_id"
to = '"People %".id'
on_delete = "SET DEFAULT"
orphans = "reassign"

[system_row."People %"]
id = 1000
"Na\\"me" = "100% nobody's"
"""

LATE = {
    "postgresql": 'ALTER TABLE "order" ADD CONSTRAINT late FOREIGN KEY (person_id) REFERENCES "People %"',
    "sqlite": """
        CREATE TABLE later (a integer, b integer, person_id integer REFERENCES "People %" (id),
                            total integer DEFAULT 7, PRIMARY KEY (a, b));
        INSERT INTO later SELECT * FROM "order";
        DROP TABLE "order";
        ALTER TABLE later RENAME TO "order";
    """,
}
LATE_SAID = {"postgresql": "late", "sqlite": "a foreign key stands by now"}


def run_script(target: EmptyTarget, script: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a script as somebody would who has nothing but the engine's own shell."""
    file = folder / "script.sql"
    file.write_text(script, encoding="utf-8")
    if target.server is not None:
        command = [str(target.server.bin_dir / "psql"), "--no-psqlrc", "--file", str(file), target.url]
        return subprocess.run(command, capture_output=True, text=True, check=False)
    name = database_settings(target.url)["NAME"]
    shell = shutil.which("sqlite3")
    if shell:
        with file.open() as text:
            return subprocess.run(
                [shell, "-bail", name], stdin=text, capture_output=True, text=True, check=False
            )
    return run_in_python(name, script)


def run_in_python(name: str, script: str) -> "subprocess.CompletedProcess[str]":
    with closing(sqlite3.connect(name)) as connection:
        try:
            connection.executescript(script)
        except sqlite3.Error as error:
            return subprocess.CompletedProcess([], 1, "", str(error))
    return subprocess.CompletedProcess([], 0, "", "")


def digests(target: EmptyTarget) -> dict[str, str]:
    with Target(target.alias).reading() as session:
        schema = session.schema()
        rows = {str(each.name): str(session.engine.digest(session, each)) for each in schema}
    return rows | {"structure": schema.fingerprint()}


def planned(target: EmptyTarget, catalog: Catalog, *requests: Request) -> tuple[Plan, Scripts]:
    plan = make_plan(Target(target.alias), catalog, requests)
    with Target(target.alias).reading() as session:
        schema = session.schema()
    return plan, scripts(plan, schema, known_references(schema, catalog))


@pytest.fixture
def odd(empty_target: EmptyTarget) -> EmptyTarget:
    """Names that need quotes, a self-reference, composite keys, a table without any."""
    empty_target.execute_script(ODD)
    return empty_target


@pytest.fixture
def catalog(tmp_path: Path, lend_catalog: LendCatalog) -> Catalog:
    """What should hold there."""
    return lend_catalog(CATALOG)


def test_the_forward_script_does_what_the_repair_does(
    odd: EmptyTarget, catalog: Catalog, tmp_path: Path
) -> None:
    before = digests(odd)
    plan, made = planned(odd, catalog)
    ran = run_script(odd, made.forward, tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    by_script = digests(odd)
    assert by_script != before
    ran = run_script(odd, made.rollback, tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert digests(odd) == before
    done = run_repair(Target(odd.alias), plan, catalog=catalog)
    assert done.refusals == []
    assert digests(odd) == by_script


def test_a_script_keeps_to_the_rows_and_keys_that_were_chosen(
    odd: EmptyTarget, catalog: Catalog, tmp_path: Path
) -> None:
    before = digests(odd)
    plan, made = planned(
        odd,
        catalog,
        Request(parse_path('"order".person_id'), Resolution.DELETE, rows=(("2", "1"),)),
        Request(parse_path("notes.order_a,order_b"), Resolution.SET_NULL, keys=(("9", "9"),)),
        Request(parse_path('"People %".boss_id'), Resolution.KEEP, rows=(("3",),)),
        Request(parse_path('"People %".boss_id'), Resolution.DELETE),
    )
    ran = run_script(odd, made.forward, tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert odd.rows('SELECT count(*) FROM "People %" WHERE id = 3') == [(1,)]
    by_script = digests(odd)
    assert by_script != before
    assert run_script(odd, made.rollback, tmp_path).returncode == 0
    assert digests(odd) == before
    assert run_repair(Target(odd.alias), plan, catalog=catalog).refusals == []
    assert digests(odd) == by_script


def test_the_scripts_run_where_statements_come_one_by_one(
    odd: EmptyTarget, catalog: Catalog, tmp_path: Path
) -> None:
    before = digests(odd)
    _, made = planned(odd, catalog)
    odd.execute_script(made.forward)
    assert digests(odd) != before
    odd.execute_script(made.rollback)
    assert digests(odd) == before


def test_more_rows_than_planned_stop_the_script_whole(
    odd: EmptyTarget, catalog: Catalog, tmp_path: Path
) -> None:
    _, made = planned(odd, catalog)
    odd.execute_script('INSERT INTO "order" VALUES (3, 3, 66, 1)')
    before = digests(odd)
    ran = run_script(odd, made.forward, tmp_path)
    assert "more rows would be touched than the plan approved" in ran.stderr
    assert digests(odd) == before


def test_a_second_run_changes_nothing(odd: EmptyTarget, catalog: Catalog, tmp_path: Path) -> None:
    _, made = planned(odd, catalog)
    assert run_script(odd, made.forward, tmp_path).returncode == 0
    after = digests(odd)
    assert run_script(odd, made.forward, tmp_path).stderr != ""
    assert digests(odd) == after


def test_a_row_that_was_changed_since_stops_the_rollback_whole(
    odd: EmptyTarget, catalog: Catalog, tmp_path: Path
) -> None:
    _, made = planned(odd, catalog)
    assert run_script(odd, made.forward, tmp_path).returncode == 0
    odd.execute_script("UPDATE notes SET body = 'newer' WHERE body = '%s'")
    after = digests(odd)
    assert "changed or deleted since" in run_script(odd, made.rollback, tmp_path).stderr
    assert digests(odd) == after


def test_a_row_that_was_made_anew_stops_the_rollback_whole(
    odd: EmptyTarget, catalog: Catalog, tmp_path: Path
) -> None:
    _, made = planned(odd, catalog)
    assert run_script(odd, made.forward, tmp_path).returncode == 0
    odd.execute_script("INSERT INTO \"People %\" VALUES (3, 'another', 1)")
    after = digests(odd)
    assert run_script(odd, made.rollback, tmp_path).stderr != ""
    assert digests(odd) == after


def test_triggers_do_not_act_on_rows_that_come_back(
    odd: EmptyTarget, catalog: Catalog, tmp_path: Path
) -> None:
    if odd.vendor == "sqlite":
        odd.execute_script(
            'CREATE TRIGGER shout AFTER INSERT ON "People %" BEGIN '
            'UPDATE "People %" SET "Na""me" = \'made\' WHERE id = NEW.id; END'
        )
    else:
        odd.execute_script(
            "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS "
            '$$ BEGIN NEW."Na""me" := \'made\'; RETURN NEW; END $$;'
            'CREATE TRIGGER shout BEFORE INSERT ON "People %" FOR EACH ROW EXECUTE FUNCTION shout()'
        )
    people = Request(resolution=Resolution.DELETE)
    before = digests(odd)
    _, made = planned(odd, catalog, people)
    assert run_script(odd, made.forward, tmp_path).stderr == ""
    assert run_script(odd, made.rollback, tmp_path).stderr == ""
    assert digests(odd) == before


def test_a_foreign_key_that_came_since_stops_the_rollback(
    odd: EmptyTarget, catalog: Catalog, tmp_path: Path
) -> None:
    _, made = planned(odd, catalog)
    assert run_script(odd, made.forward, tmp_path).returncode == 0
    odd.execute_script(LATE[odd.vendor])
    after = digests(odd)
    assert LATE_SAID[odd.vendor] in run_script(odd, made.rollback, tmp_path).stderr
    assert digests(odd) == after
