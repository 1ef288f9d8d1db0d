"""A target is opened by one door, which holds one moment and leaves nothing behind."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest
from django.db import DatabaseError

from integrity.audit import audit
from integrity.database.session import Session, Target, engine_for
from integrity.exceptions import TargetBusy, UnknownTarget, UnsupportedVendor
from integrity.references.catalog import Catalog
from tests.servers import SQLITE, EmptyTarget

TABLES = """
CREATE TABLE p (id integer PRIMARY KEY);
CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id));
"""


def test_an_unknown_alias_says_the_known_ones() -> None:
    with pytest.raises(UnknownTarget, match=r"There is no target 'nowhere'.*Known are: .*default"):
        Target("nowhere")


def test_an_unknown_vendor_says_the_known_ones() -> None:
    with pytest.raises(UnsupportedVendor, match=r"oracle.*Only postgresql, sqlite can"):
        engine_for("oracle", "old")


def test_reading_sees_one_moment(empty_target: EmptyTarget) -> None:
    if empty_target.vendor == SQLITE:
        empty_target.execute_script("PRAGMA journal_mode = wal")
    empty_target.execute_script(TABLES)
    with Target("target").reading() as session:
        before = session.value("SELECT count(*) FROM p")
        empty_target.execute_script("INSERT INTO p VALUES (1)")
        assert session.value("SELECT count(*) FROM p") == before == 0
        assert session.engine.one_moment(session)


def test_reading_cannot_write_on_postgresql(empty_target: EmptyTarget) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(TABLES)
    with Target("target").reading() as session, pytest.raises(Exception, match="read-only"):
        session.execute("INSERT INTO p VALUES (1)")


@pytest.mark.parametrize(("mode", "snapshot"), [("wal", "one"), ("delete", "per_reference")])
def test_coverage_says_whether_a_file_was_seen_at_one_moment(
    empty_target: EmptyTarget, mode: str, snapshot: str
) -> None:
    if empty_target.vendor != SQLITE:
        return
    empty_target.execute_script(f"PRAGMA journal_mode = {mode};" + TABLES)

    def write_meanwhile(progress: object) -> None:
        empty_target.execute_script("INSERT INTO p VALUES (NULL)")

    assert audit(Target("target"), Catalog()).coverage.snapshot == "one"
    result = audit(Target("target"), Catalog(), on_progress=write_meanwhile)
    assert result.coverage.snapshot == snapshot


def test_a_failed_look_leaves_the_reading_usable(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(TABLES)
    with Target("target").reading() as session:
        with pytest.raises(DatabaseError), session.look():
            session.rows("SELECT nothing FROM p")
        with session.look():
            assert session.value("SELECT count(*) FROM p") == 0


def test_a_transaction_is_kept_or_taken_back(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(TABLES)
    with Target("target").changing() as session:
        with session.transaction():
            assert session.execute("INSERT INTO p VALUES (%s)", [1]) == 1
        with pytest.raises(DatabaseError):
            insert_twice(session)
    assert empty_target.rows("SELECT id FROM p") == [(1,)]


def insert_twice(session: Session) -> None:
    with session.transaction():
        session.execute("INSERT INTO p VALUES (2)")
        session.execute("INSERT INTO p VALUES (2)")


def test_a_stream_yields_everything_in_pieces(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(TABLES + "INSERT INTO p VALUES (1), (2), (3), (4), (5)")
    with Target("target").reading() as session:
        stream = session.stream("SELECT id FROM p WHERE id > %s ORDER BY id", [1], size=2)
        assert [row[0] for row in stream] == [2, 3, 4, 5]


def test_percent_signs_of_names_reach_the_database_as_they_are(empty_target: EmptyTarget) -> None:
    empty_target.execute_script('CREATE TABLE "50%s" ("%d%%" integer); INSERT INTO "50%s" VALUES (7)')
    with Target("target").reading() as session:
        (table,) = list(session.schema())
        assert (table.name.name, table.column_names) == ("50%s", ("%d%%",))
        assert session.engine.digest(session, table).rows == 1


def test_a_lock_that_is_not_granted_is_tried_again(empty_target: EmptyTarget) -> None:
    attempts: list[int] = []

    def work() -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise TargetBusy("Not yet")
        return "done"

    with Target("target").changing() as session:
        assert session.retrying(work) == "done"
        with pytest.raises(TargetBusy):
            session.retrying(raising(TargetBusy("Never")), attempts=2)


def raising(error: Exception) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


def test_the_target_is_held_once(empty_target: EmptyTarget) -> None:
    target = Target("target")
    with target.engine.hold_target(target, "repair") as first:
        with target.engine.hold_target(target, "repair") as second:
            assert (first, second) == (True, False)
        with target.engine.hold_target(target, "migration") as other:
            assert other
    with target.engine.hold_target(target, "repair") as again:
        assert again


def test_django_own_connection_of_the_alias_is_left_closed(empty_target: EmptyTarget) -> None:
    with Target("target").migrating() as connection:
        assert connection.alias == "target"
        assert connection.is_usable()
    assert connection.connection is None


def test_nothing_is_left_open(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(TABLES)
    sessions: list[Session] = []
    with Target("target").reading() as session:
        sessions.append(session)
    with Target("target").changing() as session:
        session.execute("INSERT INTO p VALUES (1)") if empty_target.vendor == SQLITE else None
        sessions.append(session)

    assert [session.connection.connection for session in sessions] == [None, None]
    if empty_target.vendor == SQLITE:
        with closing(sqlite3.connect(Target("target").settings["NAME"])) as connection:
            connection.execute("DROP TABLE c")
    else:
        with psycopg.connect(empty_target.url, autocommit=True) as connection:
            connection.execute("SET lock_timeout = 500; DROP TABLE c")


def test_settings_of_the_alias_are_not_touched(empty_target: EmptyTarget) -> None:
    before = repr(Target("target").settings)
    with Target("target").reading():
        pass
    assert repr(Target("target").settings) == before
