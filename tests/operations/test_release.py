"""A deployment connects, makes the log table first, applies what is pending, and says how it ended."""

import time
from pathlib import Path
from typing import Any

import pytest

from integrity.database.session import Target
from integrity.operations import AddIndex, CreateTable
from integrity.operations.migration_states import migration_status
from integrity.tasks import release
from integrity_project.postgres import PostgresServer
from tests.commands import environment, manage, run
from tests.operations.commanding import start
from tests.operations.conftest import Shop
from tests.servers import MakePostgresDatabase, RegisterTarget

pytestmark = [pytest.mark.newest_postgres_only, pytest.mark.django_db]

CATALOG = """
[log]
table = "site_logs"
columns = { type = "level", message = "message" }

[[required_table]]
table = "site_logs"
columns = [
  { name = "id", type = "integer", null = false },
  { name = "level", type = "text", null = false },
  { name = "message", type = "text" },
]
primary_key = ["id"]
"""
COLUMNS = (
    {"name": "id", "type": "integer", "null": False},
    {"name": "level", "type": "text", "null": False},
    {"name": "message", "type": "text"},
)
INDEX = AddIndex(table="orders", columns=("status",), name="orders_status_idx")
LOG = CreateTable(table="site_logs", columns=COLUMNS, primary_key=("id",))


@pytest.fixture
def deployed(shop: Shop) -> Shop:
    """A shop whose log table is made by its second migration."""
    shop.migration("0001_index", INDEX)
    shop.migration("0002_log", LOG)
    (shop.root / shop.alias / "catalog.toml").write_text(CATALOG)
    return shop


def applied(shop: Shop) -> list[str]:
    return [each.name for each in migration_status(Target(shop.alias)) if each.state == "applied"]


def test_it_does_everything_once_in_its_order(deployed: Shop) -> None:
    before = deployed.fingerprint()

    ran = run("migrate", deployed.alias, "--release", "--format", "json")

    assert ran.code == 0
    (done,) = ran.json["release"]
    assert done["state"] == "released"
    assert [(each["what"], each["failed"]) for each in done["steps"]] == [
        ("connection", False),
        ("log table", False),
        ("migration", False),
        ("migration", False),
    ]
    assert [each["name"] for each in done["migrations"]] == ["0001_index", "0002_log"]
    assert "target: log table: site_logs made" in ran.err

    again = run("migrate", deployed.alias, "--release")
    assert again.code == 0
    assert "nothing to do" in again.out
    assert "nothing is pending" in again.err

    deployed.run(to="zero")
    assert deployed.fingerprint() == before


def test_the_log_table_is_there_when_a_later_step_fails(deployed: Shop) -> None:
    file = deployed.root / deployed.alias / "migrations" / "0001_index.py"
    odd = "        RunSQL('SELECT nonsense FROM nowhere', ''),\n    ]\n"
    file.write_text(file.read_text().removesuffix("    ]\n") + odd)

    ran = run("migrate", deployed.alias, "--release", "--format", "json")

    assert ran.code == 2
    (done,) = ran.json["release"]
    assert done["state"] == "failed"
    assert "nowhere" in done["error"]["what"]
    assert deployed.table("site_logs")
    assert applied(deployed) == []


def test_a_log_table_that_no_migration_makes_is_made_by_its_entry(shop: Shop) -> None:
    shop.migration("0001_index", INDEX)
    (shop.root / shop.alias / "catalog.toml").write_text(CATALOG)

    assert run("migrate", shop.alias, "--release").code == 0

    assert shop.table("site_logs").column_names == ("id", "level", "message")
    assert run("migrate", shop.alias, "--release").code == 0


def test_a_log_table_that_nothing_makes_fails_it(shop: Shop) -> None:
    shop.migration("0001_index", INDEX)
    (shop.root / shop.alias / "catalog.toml").write_text(CATALOG.split("[[", maxsplit=1)[0])

    ran = run("migrate", shop.alias, "--release")

    assert ran.code == 2
    assert "The log table site_logs is missing, and nothing says how it is made" in ran.err
    assert applied(shop) == ["0001_index"]


def test_one_target_that_fails_keeps_no_other_from_being_released(
    deployed: Shop, register_target: RegisterTarget, tmp_path: Path
) -> None:
    register_target("nowhere", f"sqlite:///{tmp_path / 'nowhere.sqlite3'}")

    ran = run("migrate", "nowhere", deployed.alias, "--release", "--wait", "0")

    assert ran.code == 2
    assert "nowhere: failed" in ran.err
    assert applied(deployed) == ["0001_index", "0002_log"]


def test_what_makes_no_sense_together_is_refused(deployed: Shop) -> None:
    assert "--release goes without --dry-run" in run("migrate", deployed.alias, "--release", "--dry-run").err
    ran = run("migrate", deployed.alias, "0001", "0002")
    assert ran.code == 2
    assert "several targets take --release" in ran.err
    assert applied(deployed) == []


def test_only_what_belongs_to_the_environment_is_released(deployed: Shop) -> None:
    catalog = deployed.root / deployed.alias / "catalog.toml"
    catalog.write_text(
        CATALOG + '[environment.test]\nmigrations = ["0001_index"]\n[environment.production]\n'
    )

    assert run("migrate", deployed.alias, "--release", "--environment", "production").code == 0

    assert applied(deployed) == ["0002_log"]


def test_two_instances_at_once_both_end_well(deployed: Shop, tmp_path: Path) -> None:
    env = environment(tmp_path / "site.sqlite3", {"target": deployed.target.url})
    assert manage(env, "migrate", "--verbosity", "0").code == 0
    arguments = ("integrity_migrate", "target", "--release", "--no-input", "--wait", "60")

    both = [start(env, deployed.root, *arguments) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]

    assert [process.returncode for process in both] == [0, 0], said
    assert sorted("released" in out for out, _ in said) == [False, True]
    assert applied(deployed) == ["0001_index", "0002_log"]


def test_a_server_that_is_starting_is_waited_for(
    newest_postgres: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from integrity.exceptions import TargetUnreachable  # noqa: PLC0415

    tries = iter([TargetUnreachable("the database system is starting up")] * 2)
    reading = Target.reading

    def starting(self: Target, **options: Any) -> Any:
        for error in tries:
            raise error
        return reading(self, **options)

    shop.migration("0001_index", INDEX)
    monkeypatch.setattr(Target, "reading", starting)
    done = release(shop.alias, wait=30)

    if shop.sqlite:  # a file does not start
        assert done.state == "failed"
    else:
        assert done.state == "released", done.error
        assert "at attempt 3" in done.steps[0].message


def test_a_server_that_does_not_come_is_given_up(register_target: RegisterTarget) -> None:
    register_target("target", "postgresql://nobody@127.0.0.1:9/nothing")
    began = time.monotonic()

    done = release("target", wait=1)

    assert done.state == "failed"
    assert 1 <= time.monotonic() - began < 20
    assert "cannot be reached" in str(done.error)
