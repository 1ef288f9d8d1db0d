"""libSQL as an engine reads what SQLite reads, and says what it cannot do."""

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from integrity.database.libsql.driver import Connection
from integrity.database.libsql.engine import LibSQLEngine
from integrity.database.session import Target
from integrity.exceptions import TargetBusy, TargetUnreachable, TimedOut
from tests.commands import run, run_json
from tests.servers import RegisterTarget

ODD = """
CREATE TABLE plain (a, b TEXT); CREATE TABLE keyed (id INTEGER PRIMARY KEY, n BIGINT, r REAL, b BLOB, t TEXT COLLATE NOCASE);
CREATE TABLE without (k TEXT, l INT, PRIMARY KEY (k, l)) WITHOUT ROWID; CREATE TABLE "nothing" (a);
CREATE TABLE "o'd""d % 100%s" ("a b" INT, "?" TEXT, made AS ("a b" + 1) STORED);
INSERT INTO plain (rowid, a, b) VALUES (5, 1, 'x'), (9223372036854775807, '1', NULL), (-7, 1.0, ''), (6, x'31', 'é☃');
INSERT INTO keyed VALUES (9007199254740993, 9223372036854775807, 1e300, x'', 'A'), (-5, -9223372036854775808, -0.0, x'00ff', 'a');
INSERT INTO keyed VALUES (2147483648, 2147483648, 0.1, NULL, CAST(x'610062' AS TEXT));
INSERT INTO without VALUES ('a', 1), ('A', 1); INSERT INTO "o'd""d % 100%s" VALUES (4294967296, '?');
"""
BAD = "INSERT INTO keyed VALUES (1, 1, 1, x'ff', CAST(x'61ff62' AS TEXT))"
WIDE = f"CREATE TABLE wide ({', '.join(f'c{n}' for n in range(1_500))}); INSERT INTO wide (c3, c1499) VALUES ('x', 1)"


@pytest.fixture
def file(tmp_path: Path, register_target: RegisterTarget) -> Path:
    """A file that is a target twice; the two are never open at once."""
    path = tmp_path / "odd.db"
    register_target("libsql", f"libsql:///{path}")
    register_target("sqlite", f"sqlite:///{path}")
    return path


def make(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as made:
        made.executescript(sql)


def digests(alias: str) -> dict[str, str]:
    with Target(alias).reading() as session:
        return {str(each.name): str(session.engine.digest(session, each)) for each in session.schema()}


@pytest.mark.parametrize(
    "sql", [ODD, ODD + BAD, "PRAGMA encoding = 'UTF-16';" + ODD, "PRAGMA encoding = 'UTF-16be';" + ODD, WIDE],
    ids=["odd values", "text that is not UTF-8", "UTF-16", "UTF-16be", "many columns"],
)  # fmt: skip
def test_digests_are_those_of_sqlite(file: Path, sql: str) -> None:
    make(file, sql)
    assert digests("libsql") == digests("sqlite")


def test_the_structure_is_read_as_sqlite_reads_it(file: Path) -> None:
    make(file, ODD)
    with Target("libsql").reading() as session:
        by_libsql = session.schema()
        assert isinstance(session.engine, LibSQLEngine)
        assert session.vendor == "sqlite"
    with Target("sqlite").reading() as session:
        by_sqlite = session.schema()
    assert by_libsql.fingerprint() == by_sqlite.fingerprint()
    assert by_libsql.version.endswith(" (libSQL)")


REFERRING = """
CREATE TABLE p (id BIGINT PRIMARY KEY, note TEXT);
CREATE TABLE c (id INTEGER PRIMARY KEY, p BIGINT REFERENCES p (id), t TEXT, b BLOB);
INSERT INTO p VALUES (1099511627776, 'x'), (9223372036854775807, 'y');
INSERT INTO c VALUES (9007199254740993, 1099511627777, CAST(x'610062' AS TEXT), x'00'), (2, -9223372036854775808, NULL, NULL);
INSERT INTO c VALUES (3, 1099511627776, CAST(x'61ff' AS TEXT), NULL), (4, NULL, '', x'');
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("action", ["delete", "set_null", "restore_parent"])
def test_a_repair_and_its_rollback_lose_nothing_of_large_numbers_and_odd_text(
    file: Path, action: str
) -> None:
    make(file, REFERRING)
    catalog = file.with_name("catalog.toml")
    catalog.write_text("[restore.p]\nnote = 'made again'\n")
    before = digests("sqlite")
    done = run_json("cleanup", "libsql", "--action", action, "--catalog", catalog, "--no-input")
    assert done["refusals"] == []
    assert digests("libsql") != before
    with closing(sqlite3.connect(file)) as seen:
        assert seen.execute("PRAGMA foreign_key_check").fetchall() == []
        assert {kind for (kind,) in seen.execute("SELECT DISTINCT typeof(p) FROM c")} <= {"integer", "null"}
    back = run_json("rollback", "libsql", done["run"], "--no-input")
    assert back["proof"]["rows_equal"] is True
    after = digests("sqlite")
    assert {name: after[name] for name in before} == before


@pytest.mark.django_db(transaction=True)
def test_orphans_are_reassigned_to_a_large_key(file: Path) -> None:
    make(file, REFERRING)
    run_json("reassign", "libsql", "--reference", "c.p", "--to", "9223372036854775807", "--no-input")
    with closing(sqlite3.connect(file)) as seen:
        assert seen.execute("SELECT p, typeof(p) FROM c WHERE id = 2").fetchall() == [(2**63 - 1, "integer")]


@pytest.mark.django_db(transaction=True)
def test_text_that_the_driver_cannot_read_is_not_checked_and_said(
    file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make(file, "CREATE TABLE p (id TEXT PRIMARY KEY); CREATE TABLE c (p TEXT REFERENCES p (id));"
         "INSERT INTO c VALUES (CAST(x'61ff' AS TEXT))")  # fmt: skip
    audited = run("audit", "libsql", "--format", "json")
    capfd.readouterr()
    assert audited.code == 2
    assert audited.json["coverage"]["complete"] is False
    (skipped,) = audited.json["coverage"]["skipped"]
    assert "not UTF-8" in skipped["reason"]


ENDLESS = "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s) SELECT n FROM s"


def test_a_time_limit_ends_what_gives_rows(file: Path) -> None:
    make(file, ODD)
    with Target("libsql").reading(statement_timeout_ms=50) as session, pytest.raises(TimedOut):
        for _ in session.stream(ENDLESS):
            pass


def test_work_is_counted_in_steps_as_on_sqlite(file: Path) -> None:
    make(file, "CREATE TABLE t (a INTEGER PRIMARY KEY, b); CREATE INDEX b ON t (b);"
         "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 2000) INSERT INTO t SELECT n, n FROM s")  # fmt: skip
    works = []
    for alias in ("libsql", "sqlite"):
        with Target(alias).reading() as session:
            works.append(session.engine.work(session, "SELECT sum(a) FROM t WHERE b > %s", [1_000]))
    assert works[0].plan == works[1].plan
    assert works[0].accesses == works[1].accesses
    assert works[0].rows == works[1].rows == 1
    assert works[0].steps == pytest.approx(works[1].steps, rel=0.2)


def test_a_file_that_is_written_to_is_waited_for_then_left_alone(file: Path, settings: Any) -> None:
    settings.INTEGRITY = {"LOCK_TIMEOUT_MS": 200}
    make(file, ODD)
    with Target("libsql").changing() as writer, Target("libsql").changing() as other:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(TargetBusy, match="locked by another connection"), other.transaction():
            pass
        writer.execute("ROLLBACK")
        with other.transaction():
            other.execute('DELETE FROM "nothing"')


def test_a_writer_is_waited_for_while_it_goes_on_in_another_thread(file: Path) -> None:
    make(file, ODD)
    begun, ended = threading.Event(), []

    def write() -> None:
        with Target("libsql").changing() as session, session.transaction():
            session.execute('INSERT INTO "nothing" VALUES (1)')
            begun.set()
            time.sleep(0.2)
            ended.append(True)

    thread = threading.Thread(target=write)
    thread.start()
    begun.wait(60)
    with Target("libsql").changing() as session, session.transaction():
        assert ended == [True]
        session.execute('INSERT INTO "nothing" VALUES (2)')
    thread.join()


def test_a_file_that_is_not_there_is_not_made(file: Path) -> None:
    with pytest.raises(TargetUnreachable, match="There is no file"), Target("libsql").reading():
        pass
    assert not file.exists()


@pytest.mark.parametrize("end", ["-info", "-client_wal_index"])
def test_a_replica_of_a_service_is_left_alone(file: Path, end: str) -> None:
    make(file, ODD)
    Path(f"{file}{end}").write_text("{}")
    with pytest.raises(TargetUnreachable, match="is a replica"), Target("libsql").reading():
        pass


def test_options_of_a_service_are_refused(file: Path) -> None:
    make(file, ODD)
    Target("libsql").settings["OPTIONS"] = {"sync_url": "libsql://x.turso.io", "auth_token": "t0ken"}
    said = "auth_token, sync_url is not for a local"
    with pytest.raises(TargetUnreachable, match=said) as refused, Target("libsql").reading():
        pass
    assert "t0ken" not in str(refused.value)
    assert "docs/libsql.md" in refused.value.hint
    assert "Install" not in str(refused.value)


def test_an_encrypted_file_is_read_with_its_key_and_not_without(tmp_path: Path, file: Path) -> None:
    key = {"encryption_key": "k" * 32}
    with closing(Connection(str(file), **key)) as made:
        made.execute("CREATE TABLE t (a)")
    Target("libsql").settings["OPTIONS"] = key
    with Target("libsql").reading() as session:
        assert [each.name.name for each in session.schema()] == ["t"]
    Target("libsql").settings["OPTIONS"] = {}
    with pytest.raises(TargetUnreachable), Target("libsql").reading():
        pass


@pytest.mark.parametrize("content", [b"hello" * 1_000, None], ids=["no database", "a folder"])
def test_a_file_that_is_no_database_is_said(file: Path, content: bytes | None) -> None:
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(TargetUnreachable), Target("libsql").reading():
        pass
