"""Both systems become enforced by the migrations that are shipped, and go back to what they were."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from fixtures import gaztime, mexc
from integrity.database.schema import Schema
from integrity.database.session import Target
from integrity.exceptions import SchemaFixRefused
from integrity.operations.fixes import schema_fixes
from integrity.operations.runner import run_migrations
from integrity.operations.writer import write_migrations
from integrity.references.catalog import load_catalog
from integrity.references.resolve import known_references
from integrity_project.postgres import PostgresServer
from tests import forking
from tests.servers import MakePostgresDatabase, RegisterTarget

ROOT = Path(__file__).parents[2]


@dataclass
class System:
    """A system in its broken state, as a target."""

    alias: str
    url: str
    foreign_keys: int
    indexes: int

    def schema(self) -> Schema:
        """Read the structure as it is."""
        with Target(self.alias).reading() as session:
            return session.schema()

    def clean(self) -> None:
        """Delete orphans by hand until there is none."""
        target = Target(self.alias)
        references = known_references(self.schema(), load_catalog(self.alias))
        for _ in range(4):
            with target.changing() as session:
                for each in references:
                    columns = f"c.{each.columns[0]} IS NOT NULL AND c.{each.columns[0]} NOT IN "
                    name = f'"{each.referenced_table.name}"'
                    with session.transaction():
                        session.execute(
                            f"DELETE FROM {each.table.name} AS c WHERE {columns}"
                            f"(SELECT {each.referenced_columns[0]} FROM {name})"
                        )


@pytest.fixture(params=["gaztime", "mexc"])
def system(
    request: pytest.FixtureRequest,
    newest_postgres: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
    tmp_path: Path,
) -> Iterator[System]:
    """Gaztime on PostgreSQL and the sniper bot on SQLite."""
    if request.param == "gaztime":
        url = make_postgres_database(newest_postgres)
        gaztime.build(url, rows=400)
        yield System(register_target("gaztime", url), url, 11, 7)
    else:
        file = tmp_path / "mexc.sqlite3"
        mexc.build(file, rows=400)
        yield System(register_target("mexc", f"sqlite:///{file}"), f"sqlite:///{file}", 7, 4)


def test_all_phases_are_applied_and_reversed(system: System) -> None:
    before = system.schema()
    known = {index.name for table in before for index in table.indexes}

    run_migrations(Target(system.alias), phase=2)
    with pytest.raises(SchemaFixRefused, match="cannot be validated"):
        run_migrations(Target(system.alias))
    system.clean()
    run_migrations(Target(system.alias))

    after = system.schema()
    wanted = {entry.name for entry in load_catalog(system.alias).references}
    assert {key.name for key in after.foreign_keys() if key.validated} == wanted
    assert len(wanted) == system.foreign_keys
    added = {index.name for table in after for index in table.indexes} - known
    assert len(added - {"django_migrations_pkey"}) == system.indexes
    assert run_migrations(Target(system.alias)).steps == ()

    run_migrations(Target(system.alias), to="zero")
    assert system.schema().fingerprint() == before.fingerprint()


def test_the_migrations_that_are_shipped_are_those_that_would_be_written(
    system: System, tmp_path: Path
) -> None:
    catalog = load_catalog(system.alias)
    schema = system.schema()
    fixes = schema_fixes(schema, catalog, known_references(schema, catalog))

    files = write_migrations(system.alias, fixes, root=tmp_path / "migrations_catalog", dry_run=True)

    for file in files:
        shipped = ROOT / "migrations_catalog" / file.path.relative_to(tmp_path / "migrations_catalog")
        if shipped.name != "__init__.py":
            assert shipped.read_text() == file.text


@pytest.mark.parametrize("kind", ["AddIndex", "AddForeignKey"])
def test_a_run_that_is_killed_goes_on_when_it_is_run_again(system: System, kind: str) -> None:
    before = system.schema().fingerprint()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "integrity_project.settings",
        "INTEGRITY_TARGETS": f"{system.alias}={system.url}",
    }

    killed = forking.start("tests.operations.dying", system.alias, kind, env=environment)
    assert killed.wait(120) == -signal.SIGKILL
    run_migrations(Target(system.alias), phase=2)

    assert len(list(system.schema().foreign_keys())) == system.foreign_keys
    run_migrations(Target(system.alias), to="zero")
    assert system.schema().fingerprint() == before


def test_djangos_own_commands_show_the_sql_and_find_no_changes(system: System) -> None:
    shown, alias = StringIO(), system.alias

    call_command("sqlmigrate", f"catalog_{alias}", "0002", database=alias, stdout=shown)
    assert (
        shown.getvalue().count("ADD CONSTRAINT" if alias == "gaztime" else "CONSTRAINT")
        == system.foreign_keys
    )
    shown.truncate(0)
    call_command("sqlmigrate", f"catalog_{alias}", "0001", database=alias, backwards=True, stdout=shown)
    assert shown.getvalue().count("DROP INDEX") == system.indexes


def test_djangos_own_migrate_works_on_postgresql(system: System) -> None:
    if system.alias == "gaztime":
        call_command("migrate", "catalog_gaztime", "0002", database="gaztime", verbosity=0)
        assert len(list(system.schema().foreign_keys())) == system.foreign_keys
        call_command("migrate", "catalog_gaztime", "zero", database="gaztime", verbosity=0)
        assert list(system.schema().foreign_keys()) == []


@pytest.mark.django_db
def test_a_bare_migrate_of_the_site_is_harmless() -> None:
    call_command("migrate", verbosity=0)
    call_command("makemigrations", check=True, verbosity=0)

    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        cursor.execute("SELECT name FROM django_migrations WHERE app = 'catalog_gaztime'")
        assert len(cursor.fetchall()) == 3
    assert "orders" not in tables


@pytest.mark.django_db(transaction=True)
def test_the_sql_for_another_database_is_none() -> None:
    shown = StringIO()
    call_command("sqlmigrate", "catalog_gaztime", "0002", stdout=shown)
    assert "-- Nothing on default: this migrates gaztime (--database=gaztime)" in shown.getvalue()


def test_keys_that_a_file_declares_and_violates_are_adopted_and_stay(
    register_target: RegisterTarget, tmp_path: Path
) -> None:
    file = tmp_path / "mexc.sqlite3"
    mexc.build(file, rows=400, declared=True)
    bot = System(register_target("mexc", f"sqlite:///{file}"), f"sqlite:///{file}", 7, 4)
    before = bot.schema()

    run_migrations(Target("mexc"), phase=2)
    assert len(list(bot.schema().foreign_keys())) == 7
    with pytest.raises(SchemaFixRefused, match="cannot be validated"):
        run_migrations(Target("mexc"))
    bot.clean()
    run_migrations(Target("mexc"))
    run_migrations(Target("mexc"), to="zero")

    assert bot.schema().fingerprint() == before.fingerprint()
