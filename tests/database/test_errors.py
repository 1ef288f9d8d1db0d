"""What keeps a target from being opened or read is said in words to act on, without a secret."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.test import override_settings

from integrity.audit import audit
from integrity.database.session import Target
from integrity.exceptions import (
    MissingPrivilege,
    NoRoom,
    NotCheckable,
    ReadOnlyTarget,
    TargetBusy,
    TargetUnreachable,
    TimedOut,
    WrongCredentials,
)
from integrity.references.catalog import Catalog
from integrity_project.postgres import PostgresServer
from tests.servers import SQLITE, EmptyTarget, MakePostgresDatabase, RegisterTarget


def open_and_read(alias: str) -> None:
    with Target(alias).reading() as session:
        session.schema()


# ---------------------------------------------------------------------------------------- SQLite


def test_a_missing_file_is_not_made(sqlite_path: Path, register_target: RegisterTarget) -> None:
    register_target("gone", f"sqlite:///{sqlite_path}")

    with pytest.raises(TargetUnreachable, match=r"There is no file .*\(gone\)\. Correct NAME"):
        open_and_read("gone")
    with pytest.raises(TargetUnreachable), Target("gone").migrating():
        pass
    assert not sqlite_path.exists()


def test_a_file_that_is_no_database_is_said(sqlite_path: Path, register_target: RegisterTarget) -> None:
    sqlite_path.write_bytes(b"name,price\nring,7\n" * 100)
    register_target("csv", f"sqlite:///{sqlite_path}")

    with pytest.raises(TargetUnreachable, match="not a SQLite database"):
        open_and_read("csv")


def test_a_locked_file_is_busy(sqlite_path: Path, register_target: RegisterTarget) -> None:
    register_target("busy", f"sqlite:///{sqlite_path}")
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as writer:
        writer.execute("CREATE TABLE t (x)")
        writer.execute("BEGIN EXCLUSIVE")
        with (
            override_settings(INTEGRITY={"LOCK_TIMEOUT_MS": 50}),
            pytest.raises(TargetBusy, match=r"locked by another connection \(busy\)\. Nothing was changed"),
        ):
            open_and_read("busy")


def test_a_file_that_cannot_be_written_can_be_read(
    sqlite_path: Path, register_target: RegisterTarget
) -> None:
    with closing(sqlite3.connect(sqlite_path)) as connection:
        connection.execute("CREATE TABLE t (x)")
    register_target("fixed", f"sqlite:///{sqlite_path}")
    Target("fixed").settings["NAME"] = f"file:{sqlite_path}?mode=ro"
    Target("fixed").settings["OPTIONS"] = {"uri": True}

    open_and_read("fixed")
    with Target("fixed").changing() as session, pytest.raises(ReadOnlyTarget), session.transaction():
        session.execute("INSERT INTO t VALUES (1)")


# ------------------------------------------------------------------------------------ PostgreSQL


@pytest.fixture
def postgresql(
    postgres_server: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
) -> EmptyTarget:
    url = make_postgres_database(postgres_server)
    return EmptyTarget(register_target("target", url), "postgresql", url, postgres_server)


@pytest.fixture
def reader(postgresql: EmptyTarget, register_target: RegisterTarget) -> Iterator[str]:
    """A role without any right, and the alias under which it opens the target."""
    assert postgresql.server is not None
    database = postgresql.url.rpartition("/")[2]
    role = f"reader_{database.rpartition('_')[2]}"
    postgresql.execute_script(f"CREATE ROLE {role} LOGIN")
    register_target("reader", postgresql.server.url(database, user=role))
    yield role
    postgresql.execute_script(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_an_unreachable_server_is_said(register_target: RegisterTarget) -> None:
    register_target("far", "postgresql://somebody:secret@127.0.0.1:1/shop")

    with pytest.raises(TargetUnreachable, match=r"cannot be reached.*\(far\)\. Check HOST and PORT") as error:
        open_and_read("far")
    assert "secret" not in str(error.value)


def test_an_unknown_database_is_said(
    postgres_server: PostgresServer, register_target: RegisterTarget
) -> None:
    register_target("nodb", postgres_server.url("no_such_database"))

    with pytest.raises(TargetUnreachable, match=r"no such database.*Correct NAME"):
        open_and_read("nodb")


def test_an_unknown_role_is_wrong_credentials(
    postgres_server: PostgresServer, register_target: RegisterTarget
) -> None:
    register_target("norole", postgres_server.url("postgres", user="nobody_knows"))

    with pytest.raises(WrongCredentials, match=r"nobody_knows.*Correct USER and PASSWORD"):
        open_and_read("norole")


def test_a_read_only_server_says_so(postgresql: EmptyTarget) -> None:
    postgresql.execute_script("CREATE TABLE t (x int)")
    with Target("target").reading() as session, pytest.raises(ReadOnlyTarget, match="primary server"):
        session.execute("INSERT INTO t VALUES (1)")


def test_a_statement_past_its_limit_times_out(empty_target: EmptyTarget) -> None:
    slow = {
        "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n",
        "postgresql": "SELECT pg_sleep(60)",
    }
    with (
        pytest.raises(TimedOut, match="past its time limit"),
        Target("target").reading(statement_timeout_ms=100) as session,
    ):
        session.rows(slow[empty_target.vendor])


def test_a_check_that_times_out_is_coverage_and_no_finding(empty_target: EmptyTarget) -> None:
    if empty_target.vendor != SQLITE:
        return
    empty_target.execute_script(
        "CREATE TABLE p (id text); CREATE TABLE c (p text REFERENCES p (id));"
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 20000)"
        "INSERT INTO c SELECT x FROM n; INSERT INTO p SELECT 'x' || p FROM c;"
    )
    result = audit(Target("target"), Catalog(), statement_timeout_ms=1)

    assert [each["reference"] for each in result.coverage.timed_out] == ["c.p"]
    assert not result.coverage.complete
    assert result.with_code("orphaned_rows") == []


def test_no_right_to_read_is_coverage_with_the_grant(postgresql: EmptyTarget, reader: str) -> None:
    postgresql.execute_script(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p (id));"
        f"GRANT SELECT ON c TO {reader}"
    )
    result = audit(Target("reader"), Catalog())

    assert not result.coverage.complete
    assert "may not read public.p" in result.coverage.skipped[0]["reason"]
    assert "GRANT SELECT ON" in result.coverage.skipped[0]["reason"]
    assert result.with_code("orphaned_rows") == []


def test_no_right_to_read_a_column_is_coverage(postgresql: EmptyTarget, reader: str) -> None:
    postgresql.execute_script(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (x int, p int REFERENCES p (id));"
        f"GRANT SELECT ON p TO {reader}; GRANT SELECT (x) ON c TO {reader}"
    )
    result = audit(Target("reader"), Catalog())

    assert not result.coverage.complete
    assert f'GRANT SELECT ("p") ON "public"."c" TO "{reader}";' in result.coverage.skipped[0]["reason"]


@pytest.mark.parametrize("hidden", ["p", "c"])
def test_rows_hidden_by_policies_never_make_an_orphan(
    postgresql: EmptyTarget, reader: str, hidden: str
) -> None:
    postgresql.execute_script(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p (id));"
        "INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1), (2);"
        f"GRANT SELECT ON p, c TO {reader}; ALTER TABLE {hidden} ENABLE ROW LEVEL SECURITY;"
        f"CREATE POLICY few ON {hidden} USING (false)"
    )
    result = audit(Target("reader"), Catalog())

    assert result.with_code("orphaned_rows") == []
    assert not result.coverage.complete
    assert "Row-level security hides rows" in result.coverage.skipped[0]["reason"]
    assert "BYPASSRLS" in result.coverage.skipped[0]["reason"]


def test_no_right_to_change_is_said_with_the_grant(postgresql: EmptyTarget, reader: str) -> None:
    postgresql.execute_script(f"CREATE TABLE t (x int); GRANT SELECT ON t TO {reader}")

    with (
        Target("reader").changing() as session,
        pytest.raises(MissingPrivilege, match=r"permission denied for table t.*GRANT .* ON t"),
        session.transaction(),
    ):
        session.execute("DELETE FROM t")


def test_no_right_to_lock_a_parent_is_said_with_the_grant(postgresql: EmptyTarget, reader: str) -> None:
    postgresql.execute_script(f'CREATE TABLE "P q" (x int); GRANT SELECT ON "P q" TO {reader}')
    with Target("reader").changing() as session:
        table = next(iter(session.schema()))
        with pytest.raises(MissingPrivilege, match=r"may not lock.*GRANT UPDATE ON"), session.transaction():
            session.engine.lock_referenced(session, [table], [])


def test_a_lock_that_others_hold_is_busy(postgresql: EmptyTarget) -> None:
    postgresql.execute_script("CREATE TABLE t (x int)")
    with Target("target").changing() as holder, holder.transaction():
        holder.execute("LOCK TABLE t")
        with (
            override_settings(INTEGRITY={"LOCK_TIMEOUT_MS": 50}),
            Target("target").changing() as session,
            pytest.raises(TargetBusy, match="lock was not granted"),
            session.transaction(),
        ):
            session.execute("DELETE FROM t")


@pytest.mark.newest_postgres_only
def test_what_the_server_lacks_is_told_apart(postgresql: EmptyTarget) -> None:
    said = {
        ("53100", "could not extend file: No space left on device"): (NoRoom, "Give it disk or memory"),
        ("53400", "temporary file size exceeds temp_file_limit"): (NoRoom, "raise the limit that it names"),
        ("53300", "too many clients"): (TargetBusy, "max_connections"),
        ("58030", "could not read block 3"): (TargetUnreachable, "after its disks"),
        ("XX000", "could not write to file: Disk quota exceeded"): (TargetUnreachable, "after its disks"),
        ("42501", "could not open file: Read-only file system"): (ReadOnlyTarget, "mounted read-only"),
    }
    with Target("target").changing() as session:
        for (code, text), (kind, advice) in said.items():
            with pytest.raises(kind, match=advice):
                session.execute(f"DO $$ BEGIN RAISE EXCEPTION '{text}' USING ERRCODE = '{code}'; END $$")


@pytest.mark.newest_postgres_only
def test_a_connection_that_ends_without_a_word_is_lost(postgresql: EmptyTarget) -> None:
    with Target("target").changing() as session:
        session.connection.connection.close()
        with pytest.raises(TargetUnreachable, match="The connection was lost"):
            session.execute("SELECT 1")


def test_what_cannot_be_checked_says_why() -> None:
    error = NotCheckable("MATCH PARTIAL is not supported yet", where="c.p → p.id", hint="Wait.")

    assert str(error) == "MATCH PARTIAL is not supported yet (c.p → p.id). Wait."
