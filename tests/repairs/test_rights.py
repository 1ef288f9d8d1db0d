"""A role that may not do something is told which right it lacks, and nothing is changed."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from integrity.exceptions import MissingPrivilege, NotCheckable, ReadOnlyTarget
from tests.repairs.world import World
from tests.servers import RegisterTarget

TABLES = """
CREATE TABLE p (id integer PRIMARY KEY);
CREATE TABLE c (id integer PRIMARY KEY, p integer);
INSERT INTO p VALUES (1);
INSERT INTO c VALUES (1, 1), (2, 9);
"""


@pytest.fixture
def role(postgres_world: World) -> Any:
    """A role without any rights, dropped afterwards."""
    postgres_world.given(TABLES, "c.p -> p.id CASCADE")
    name = "r" + postgres_world.target.url.rsplit("/", 1)[-1].rsplit("_", 1)[-1][:20]
    world = postgres_world
    world.target.execute_script(
        f"CREATE ROLE {name} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA public TO {name}"
    )
    yield name
    world.target.execute_script(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


def as_role(world: World, role: str, register_target: RegisterTarget) -> World:
    from django.db import connections  # noqa: PLC0415

    alias = register_target("limited", world.target.url)
    connections.databases[alias]["USER"] = role
    connections.databases[alias]["PASSWORD"] = "x"
    return World(replace(world.target, alias=alias), world.lend, world.catalog)


def test_a_role_without_the_right_to_make_the_journal(
    postgres_world: World, role: str, register_target: RegisterTarget
) -> None:
    before = postgres_world.rows()
    postgres_world.target.execute_script(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    world = as_role(postgres_world, role, register_target)

    with pytest.raises(
        MissingPrivilege, match=r"without it nothing is changed.*CREATE SCHEMA integrity_journal"
    ):
        world.repair()

    assert postgres_world.rows() == before
    postgres_world.target.execute_script(f"CREATE SCHEMA integrity_journal AUTHORIZATION {role}")
    result = world.repair()
    assert world.roll_back(result.run).proof.rows_equal
    assert postgres_world.rows() == before


def test_a_role_that_may_not_lock_the_parent(
    postgres_world: World, role: str, register_target: RegisterTarget
) -> None:
    before = postgres_world.rows()
    postgres_world.target.execute_script(
        f"GRANT SELECT ON p TO {role}; GRANT ALL ON c TO {role};"
        f"CREATE SCHEMA integrity_journal AUTHORIZATION {role}"
    )
    world = as_role(postgres_world, role, register_target)

    with pytest.raises(MissingPrivilege, match=f'GRANT UPDATE ON "public"."p" TO "{role}";'):
        world.repair()

    assert postgres_world.rows() == before


def test_a_role_that_may_only_read(postgres_world: World, role: str, register_target: RegisterTarget) -> None:
    before = postgres_world.rows()
    postgres_world.target.execute_script(
        f"GRANT SELECT ON p, c TO {role}; GRANT UPDATE ON p TO {role};"
        f"CREATE SCHEMA integrity_journal AUTHORIZATION {role}"
    )
    world = as_role(postgres_world, role, register_target)

    with pytest.raises(MissingPrivilege, match=r"permission denied for table c.*GRANT"):
        world.repair()

    assert postgres_world.rows() == before


def test_rows_that_a_policy_hides_are_no_missing_parents(
    postgres_world: World, role: str, register_target: RegisterTarget
) -> None:
    before = postgres_world.rows()
    postgres_world.target.execute_script(
        f"GRANT ALL ON p, c TO {role}; ALTER TABLE p ENABLE ROW LEVEL SECURITY;"
        f"CREATE POLICY none ON p USING (false); CREATE SCHEMA integrity_journal AUTHORIZATION {role}"
    )
    world = as_role(postgres_world, role, register_target)

    assert "Row-level security" in world.plan().notes[0]
    with pytest.raises(NotCheckable, match="Row-level security"):
        world.ask("delete", "c.p")
    with pytest.raises(NotCheckable, match="Row-level security"):
        world.repair(postgres_world.plan().from_json(postgres_world.plan().as_json() | {"target": "limited"}))
    assert postgres_world.rows() == before


def test_a_database_that_is_read_only(postgres_world: World) -> None:
    world = postgres_world.given(TABLES, "c.p -> p.id CASCADE")
    before, plan = world.rows(), world.plan()
    name = world.value("SELECT current_database()")
    world.target.execute_script(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    try:
        result = world.repair(plan)  # our transactions say READ WRITE themselves
        assert result.state == "finished"
    finally:
        world.target.execute_script("SET default_transaction_read_only = off")
    world.roll_back(result.run)
    assert world.rows() == before


def test_a_sqlite_file_that_cannot_be_written(sqlite_world: World, sqlite_path: Path) -> None:
    from django.db import connections  # noqa: PLC0415

    world = sqlite_world.given(TABLES, "c.p -> p.id CASCADE")
    plan, before = world.plan(), world.rows()
    connections.databases["target"]["NAME"] = f"file:{sqlite_path}?mode=ro"
    connections.databases["target"]["OPTIONS"] = {"uri": True}

    with pytest.raises(ReadOnlyTarget, match="cannot be written"):
        world.repair(plan)

    assert world.rows() == before


def test_nobody_else_may_read_the_journal(postgres_world: World, role: str) -> None:
    world = postgres_world
    world.target.execute_script(f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC, {role}")
    world.target.execute_script(f"ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO PUBLIC, {role}")
    world.repair()

    assert world.value("SELECT count(*) FROM integrity_journal.run1_c") == 1
    for privilege in ("USAGE", "CREATE"):
        assert not world.value(f"SELECT has_schema_privilege('{role}', 'integrity_journal', '{privilege}')")
    world.target.execute_script(f"ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC, {role}")
    world.target.execute_script(f"ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM PUBLIC, {role}")


def test_the_journal_is_no_part_of_the_target(world: World) -> None:
    from integrity.audit import audit  # noqa: PLC0415
    from integrity.database.session import Target  # noqa: PLC0415

    world.given(TABLES, "c.p -> p.id CASCADE")
    world.repair()

    with Target("target").reading() as session:
        assert sorted(name.name for name in session.schema().tables) == ["c", "p"]
    found = audit(Target("target"), world.catalog).findings
    assert not [each for each in found if "integrity" in str(each.table)]


def test_a_file_that_is_no_database_is_told(sqlite_world: World, sqlite_path: Path) -> None:
    world = sqlite_world.given(TABLES, "c.p -> p.id CASCADE")
    plan = world.plan()
    sqlite_path.write_bytes(b"this is no database" * 1000)

    with pytest.raises(Exception, match="not a SQLite database"):
        world.repair(plan)
    with pytest.raises(sqlite3.DatabaseError):
        world.rows()
