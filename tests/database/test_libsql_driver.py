"""The libSQL driver behind the interface of ``sqlite3``: no value is lost, and errors are sqlite3's."""

import datetime
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from integrity.database.libsql.base import FormatCursor
from integrity.database.libsql.driver import Connection
from tests.waiting import PATIENCE

Open = Callable[..., Connection]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens one file again and again."""
    connections: list[Connection] = []

    def connect(**options: Any) -> Connection:
        connections.append(Connection(str(tmp_path / "file.db"), **options))
        return connections[-1]

    yield connect
    for connection in connections:
        connection.close()


@pytest.fixture
def libsql(opened: Open) -> Connection:
    return opened()


VALUES: list[Any] = [
    None, 0, 1, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**53 + 1, 2**62, 2**63 - 1, -(2**63), True,
    1.5, -0.0, 1e308, float("inf"), "", "text", "naïve ☃", "a?b", "'", b"", b"\x00\xff", bytearray(b"x"),
    memoryview(b"y"), Decimal("1.123456789012345678"), datetime.date(2024, 2, 29), "x" * 100_000,
    datetime.datetime(2024, 2, 29, 12, 30, 1, 5, tzinfo=datetime.UTC),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_every_value_arrives_as_sqlite3_has_it(libsql: Connection, value: Any) -> None:
    sql = "SELECT ?, typeof(?), 'between ?', ? -- and ?"
    read = libsql.execute(sql, [value] * 3).fetchone()
    with closing(sqlite3.connect(":memory:")) as memory:
        # Django's backend has registered its adapters for Decimal and moments with sqlite3.
        assert repr(read) == repr(memory.execute(sql, [value] * 3).fetchone())


def test_a_large_number_is_stored_whole_and_found_again(libsql: Connection) -> None:
    libsql.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n, text TEXT)")
    rows = [(2**62 + 1, -(2**40), "?"), (2**33, 5, "%")]
    libsql.cursor().executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    assert libsql.execute("SELECT * FROM t ORDER BY id DESC").fetchall() == rows
    assert libsql.execute("SELECT n FROM t WHERE id = ?", [2**62 + 1]).fetchall() == [(-(2**40),)]
    assert libsql.execute("SELECT typeof(n) FROM t").fetchall() == [("integer",)] * 2


@pytest.mark.parametrize(
    ("params", "error"),
    [([], sqlite3.ProgrammingError), ([1], sqlite3.ProgrammingError), ([1, 2, 3], sqlite3.ProgrammingError),
     ([1, object()], sqlite3.ProgrammingError), ([1, 2**63], OverflowError), ([1, "\ud800"], UnicodeError)],
)  # fmt: skip
def test_parameters_that_do_not_fit_are_refused(
    libsql: Connection, params: list[Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        libsql.execute("SELECT ?, ? -- ?", params)


def test_djangos_marks_are_understood(libsql: Connection) -> None:
    cursor = FormatCursor(libsql)
    assert cursor.execute("SELECT %s, '100%%', %s", (2**40, "%s")).fetchone() == (2**40, "100%", "%s")
    assert cursor.execute("SELECT '100%'").fetchone() == ("100%",)
    assert cursor.execute("SELECT %(b)s, %(a)s, %(b)s", {"a": 1, "b": 2**40}).fetchone() == (2**40, 1, 2**40)


SCHEMA = """
CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE s (n INT) STRICT;
CREATE TABLE c (id INTEGER PRIMARY KEY, u UNIQUE, n NOT NULL, k CHECK (k > 0), p REFERENCES p (id));
INSERT INTO c VALUES (1, 1, 1, 1, NULL);
CREATE TRIGGER kept BEFORE DELETE ON c BEGIN SELECT RAISE(ABORT, 'rows of c are kept'); END
"""


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO c VALUES (2, 1, 1, 1, NULL)",
        "INSERT INTO c VALUES (2, 2, NULL, 1, NULL)",
        "INSERT INTO c VALUES (2, 2, 1, -1, NULL)",
        "INSERT INTO c VALUES (2, 2, 1, 1, 5)",
        "INSERT INTO c VALUES ('x', 2, 1, 1, 5)",
        "INSERT INTO s VALUES ('x')",
        "DELETE FROM c",
        "SELECT * FROM nowhere",
        "SELECT nothing FROM c",
        "SELEC 1",
        "SELECT (1",
        "INSERT INTO c VALUES (1, 2)",
        "INSERT INTO c (x) VALUES (1)",
        "SELECT nofunction(1)",
        "SELECT abs(1, 2)",
        "SELECT json('x')",
        "SELECT abs(-9223372036854775808)",
        "CREATE TABLE c (a)",
        "DROP TABLE nowhere",
        "COMMIT",
        "SELECT 1; SELECT 2",
        "DELETE FROM p; DELETE FROM c",
        "DELETE FROM c WHERE nothing = 1",
    ],
)
def test_errors_are_those_of_sqlite3(libsql: Connection, sql: str) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as memory:
        memory.execute("PRAGMA foreign_keys = ON")
        for each in SCHEMA.strip().split(";\n"):
            memory.executescript(each)
            for part in [each] if "TRIGGER" in each else each.split(";"):
                libsql.execute(part)
        with pytest.raises((sqlite3.Error, sqlite3.Warning)) as expected:
            memory.execute(sql).fetchall()
    with pytest.raises(sqlite3.Error) as found:
        libsql.execute(sql).fetchall()
    assert str(found.value) == str(expected.value)
    if sys.version_info >= (3, 12) or ";" not in sql:
        assert type(found.value) is type(expected.value)


def test_a_trigger_may_have_several_statements(libsql: Connection) -> None:
    libsql.execute("CREATE TABLE t (a)")
    libsql.execute("CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END;")
    assert libsql.execute("SELECT ';' ; -- the end;").fetchall() == [(";",)]


def test_a_result_ends(libsql: Connection) -> None:
    cursor = libsql.execute("SELECT 1 UNION SELECT 2 UNION SELECT 3")
    assert cursor.fetchone() == (1,)
    assert cursor.fetchmany(5) == [(2,), (3,)]
    assert (cursor.fetchone(), cursor.fetchmany(), cursor.fetchall(), list(cursor)) == (None, [], [], [])


def test_rows_are_counted_where_they_change(libsql: Connection) -> None:
    run = libsql.execute
    assert run("CREATE TABLE t (a INTEGER PRIMARY KEY, b)").rowcount == -1
    assert run("INSERT INTO t VALUES (2, 1), (5000000000, 2)").rowcount == 2
    assert run("INSERT INTO t (b) VALUES (3)").lastrowid == 5_000_000_001
    assert run("CREATE TRIGGER more AFTER UPDATE ON t BEGIN DELETE FROM t WHERE a > 2; END").rowcount == -1
    assert run("UPDATE t SET b = 5 WHERE a = 2").rowcount == 1
    assert run("UPDATE t SET b = 5 WHERE a = 7").rowcount == 0
    assert run("/* all */ DELETE FROM t").rowcount == 1
    assert run("SELECT * FROM t").rowcount == -1
    assert run("BEGIN").rowcount == -1
    assert [column[0] for column in run("SELECT a, b AS c FROM t").description or ()] == ["a", "c"]
    assert run("COMMIT").description is None


def test_a_statement_that_is_let_go_locks_nothing(libsql: Connection) -> None:
    libsql.execute("CREATE TABLE t (a)")
    libsql.execute("INSERT INTO t VALUES (1), (2)")
    cursor = libsql.execute("SELECT * FROM t")
    assert cursor.fetchone() == (1,)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        libsql.execute("DROP TABLE t")
    cursor.close()
    libsql.execute("DROP TABLE t")


def test_waiting_for_a_lock_lets_other_threads_work(opened: Open) -> None:
    holder, waiter = opened(), opened(timeout=PATIENCE)
    holder.execute("CREATE TABLE t (a)")
    holder.execute("BEGIN IMMEDIATE")
    later = threading.Timer(0.2, holder.commit)  # never begins where the one that waits lets nobody work
    later.start()
    waiter.execute("BEGIN IMMEDIATE")
    waiter.rollback()
    later.join()


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_lock_is_waited_for_no_longer_than_told(opened: Open, journal: str) -> None:
    holder, waiter = opened(), opened(timeout=0.2)
    holder.execute(f"PRAGMA journal_mode = {journal}").fetchall()
    holder.execute("CREATE TABLE t (a)")
    waiter.execute("SELECT * FROM t").fetchall()
    holder.execute("BEGIN EXCLUSIVE")
    sql = "SELECT * FROM t" if journal == "delete" else "INSERT INTO t VALUES (1)"
    began = time.monotonic()
    with pytest.raises(sqlite3.OperationalError, match="database is locked"):
        waiter.execute(sql).fetchall()
    assert time.monotonic() - began >= 0.2
    holder.commit()
    waiter.execute(sql).fetchall()


def test_two_that_wait_for_one_another_do_not(opened: Open) -> None:
    """A reader that wants to write while another writes: SQLite does not ask the busy handler either."""
    one, other = opened(), opened(timeout=PATIENCE)
    one.execute("CREATE TABLE t (a)")
    for each in (one, other):
        each.execute("BEGIN")
        each.execute("SELECT * FROM t").fetchall()
    one.execute("INSERT INTO t VALUES (1)")
    began = time.monotonic()
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("INSERT INTO t VALUES (2)")
    assert time.monotonic() - began < PATIENCE
    other.rollback()
    one.commit()


def test_transactions_are_begun_by_statements_alone(libsql: Connection) -> None:
    libsql.execute("CREATE TABLE t (a)")
    libsql.execute("INSERT INTO t VALUES (1)")
    assert libsql.in_transaction is False
    libsql.execute("BEGIN")
    libsql.execute("DELETE FROM t")
    assert libsql.in_transaction is True
    libsql.rollback()
    libsql.commit()
    assert libsql.execute("SELECT * FROM t").fetchall() == [(1,)]
    libsql.isolation_level = None
    with pytest.raises(sqlite3.NotSupportedError, match="atomic"):
        libsql.isolation_level = ""


def test_a_closed_connection_says_so(libsql: Connection) -> None:
    libsql.close()
    libsql.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        libsql.execute("SELECT 1")


def test_text_that_is_not_utf_8_is_an_error_that_leaves_the_connection_usable(
    libsql: Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(sqlite3.OperationalError, match="not UTF-8"):
        libsql.execute("SELECT CAST(x'ff41' AS TEXT)").fetchall()
    assert libsql.execute("SELECT 1").fetchall() == [(1,)]
    capfd.readouterr()


def test_a_result_of_any_size_needs_little_memory(libsql: Connection) -> None:
    cursor = libsql.execute(
        "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s) SELECT n, zeroblob(100000) FROM s"
    )
    assert [row[0] for row in cursor.fetchmany(3)] == [1, 2, 3]
    cursor.close()


def test_a_time_that_is_over_ends_a_result(libsql: Connection) -> None:
    cursor = libsql.execute("SELECT 1 UNION SELECT 2")
    assert cursor.fetchone() == (1,)
    libsql.overdue = lambda: True
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        cursor.fetchone()
