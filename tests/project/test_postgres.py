"""The embedded PostgreSQL starts where it can, and says why where it cannot."""

import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from integrity_project import postgres_installation
from integrity_project.postgres import PostgresError, find_servers, start
from integrity_project.postgres_account import ServerAccount, scratch_folder
from integrity_project.postgres_installation import Installation, reachable

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="not root: nobody else's user to run as")


@pytest.fixture
def newest() -> Installation:
    return find_servers()[0]


@pytest.fixture
def nobody() -> ServerAccount:
    entry = pwd.getpwnam("nobody")
    return ServerAccount("nobody", entry.pw_uid, entry.pw_gid, switched=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's account can enter, as those of pytest are not."""
    made = scratch_folder(ServerAccount.choose(), "integrity-test-")
    yield made
    shutil.rmtree(made)


def test_one_server_of_each_major_version_is_found() -> None:
    majors = [found.major for found in find_servers()]
    assert majors == sorted(set(majors), reverse=True)
    assert 18 in majors


def test_data_is_kept_in_the_folder_that_was_named(newest: Installation, folder: Path) -> None:
    with start(newest, folder / "data", durable=True) as server:
        _execute(server.url(), "CREATE TABLE kept (id integer)")
    with start(newest, folder / "data") as server:
        _execute(server.url(), "DROP TABLE kept")


def test_nothing_is_left_of_a_temporary_server(newest: Installation) -> None:
    with start(newest) as server:
        process, folder = server.process, server.socket_dir
    assert process.poll() == 0
    assert not folder.exists()


def test_stopping_twice_is_harmless(newest: Installation) -> None:
    server = start(newest)
    server.stop()
    server.stop()


def test_a_folder_of_another_version_is_refused(newest: Installation, folder: Path) -> None:
    (folder / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresError, match="belongs to PostgreSQL 9"):
        start(newest, folder)


def test_a_server_that_does_not_start_shows_its_log(newest: Installation, folder: Path) -> None:
    start(newest, folder / "data").stop()
    (folder / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(PostgresError, match="no_such_setting"):
        start(newest, folder / "data")


@as_root
def test_a_folder_that_the_account_cannot_enter_is_refused(tmp_path: Path, newest: Installation) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    with pytest.raises(PostgresError, match="cannot enter"):
        start(newest, tmp_path / "closed" / "data")


@as_root
def test_an_installation_out_of_reach_is_copied(
    tmp_path: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    newest: Installation,
    nobody: ServerAccount,
) -> None:
    folder.chmod(0o755)
    monkeypatch.setattr(postgres_installation, "CACHE", folder)
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    (hidden / "packages").symlink_to(newest.bin_dir.parents[2])
    bin_dir = hidden / "packages" / newest.bin_dir.relative_to(newest.bin_dir.parents[2])
    found = reachable(replace(newest, bin_dir=bin_dir), nobody)
    assert found.bin_dir.is_relative_to(folder)
    assert stat.S_IMODE(found.bin_dir.stat().st_mode) == 0o755


@as_root
def test_the_server_runs_as_an_ordinary_user(newest: Installation) -> None:
    with start(newest) as server:
        assert Path(f"/proc/{server.process.pid}").stat().st_uid != 0


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(statement.encode())
