"""mexc on libSQL: the whole way of its record by commands alone, on a file that SQLite reads as well."""

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError

from fixtures import mexc
from integrity.database.session import Target
from tests.commands import run, run_json
from tests.servers import RegisterTarget

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Mexc:
    """The file, and what is in it."""

    path: Path

    def state(self, alias: str = "mexc") -> dict[str, str]:
        """Digest every table, and the structure."""
        with Target(alias).reading() as session:
            schema = session.schema()
            rows = {
                str(table.name): str(session.engine.digest(session, table))
                for table in schema
                if table.name.name != "django_migrations"
            }
        return rows | {"structure": schema.fingerprint()}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what the application would see, with enforcement on."""
        with Target("mexc").migrating() as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("mexc") / "mexc.db"
    mexc.build(path, rows=300)
    return path


@pytest.fixture
def system(built: Path, tmp_path: Path, settings: Any, register_target: RegisterTarget) -> Mexc:
    settings.INTEGRITY = {"BACKUP_ROOT": tmp_path / "backups"}
    path = Path(shutil.copy(built, tmp_path / "mexc.db"))
    register_target("mexc", f"libsql:///{path}")
    return Mexc(path)


def orphans(document: dict[str, Any]) -> int:
    return sum(each["rows"] for each in document["findings"] if each["code"] == "orphaned_rows")


def test_the_whole_way_there_and_back_again(system: Mexc, register_target: RegisterTarget) -> None:
    before = system.state()
    backup = run_json("backup", "mexc")
    register_target("copy", f"sqlite:///{backup['file']}")
    assert system.state("copy") == before

    found = run("audit", "mexc", "--format", "json")
    assert found.code == 1
    assert orphans(found.json) > 0
    assert found.json["server_version"].endswith("(libSQL)")

    planned = run_json("plan", "mexc", "--action", "suggested")
    cleaned = run_json("cleanup", "mexc", "--plan", planned["hash"], "--no-input", "--require-backup")
    assert (cleaned["state"], cleaned["refusals"]) == ("finished", [])
    assert cleaned["rows"] == planned["blast_radius"]

    assert run("migrate", "mexc").code == 0
    verified = run("verify", "mexc", "--format", "json")
    assert verified.code == 0, verified.out
    assert len(verified.json["constraints"]) == 7
    assert all(each["enforced"] and each["validated"] for each in verified.json["constraints"])

    assert system.rows("PRAGMA foreign_keys") == [(1,)]
    assert system.rows("PRAGMA foreign_key_check") == []
    logged = run_json("log", "mexc")
    assert [each["run"] for each in logged["runs"]] == [cleaned["run"]]

    back = run("rollback", "mexc", cleaned["run"], "--with-migrations", "--no-input", "--format", "json")
    assert back.code == 0, back.out + back.err
    assert back.json["proof"]["rows_equal"] is True
    assert back.json["proof"]["schema_equal"] is True
    assert system.state() == before


def test_an_audit_says_the_same_by_both_drivers(system: Mexc, register_target: RegisterTarget) -> None:
    register_target("plain", f"sqlite:///{system.path}")
    catalog = Path("migrations_catalog/mexc/catalog.toml").resolve()
    said = [run("audit", name, "--catalog", catalog, "--format", "json").json for name in ("mexc", "plain")]
    for document in said:
        for word in ("target", "server_version", "run"):
            document.pop(word)
    by_libsql, by_sqlite = (json.dumps(each, sort_keys=True) for each in said)
    assert by_libsql.replace("mexc", "plain") == by_sqlite.replace("mexc", "plain")
    assert system.state("mexc") == system.state("plain")


def test_a_backup_keeps_rowids_and_counters(
    tmp_path: Path, settings: Any, register_target: RegisterTarget
) -> None:
    settings.INTEGRITY = {"BACKUP_ROOT": tmp_path / "backups"}
    file = tmp_path / "file.db"
    with closing(sqlite3.connect(file)) as made:
        made.executescript(
            "PRAGMA journal_mode = wal; CREATE TABLE plain (a);"
            "INSERT INTO plain (rowid, a) VALUES (7, 'x'), (-3, 'y');"
            "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO counted VALUES (90);"
            "DELETE FROM counted; PRAGMA user_version = 5; PRAGMA application_id = 6"
        )
    register_target("file", f"libsql:///{file}")
    with closing(sqlite3.connect(run_json("backup", "file")["file"])) as copy:
        assert copy.execute("SELECT rowid, a FROM plain ORDER BY 1").fetchall() == [(-3, "y"), (7, "x")]
        assert copy.execute("SELECT * FROM sqlite_sequence").fetchall() == [("counted", 90)]
        assert copy.execute("PRAGMA user_version").fetchone() == (5,)
        assert copy.execute("PRAGMA application_id").fetchone() == (6,)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_orphans_are_kept_until_somebody_decides_and_new_ones_are_refused(system: Mexc) -> None:
    found = orphans(run("audit", "mexc", "--format", "json").json)
    assert run("migrate", "mexc", "--phase", "2").code == 0
    after = run("audit", "mexc", "--format", "json").json
    assert orphans(after) == found
    assert "unenforced_connections" in {each["code"] for each in after["findings"]}
    assert run("migrate", "mexc").code == 2
    with pytest.raises(IntegrityError, match="FOREIGN KEY constraint failed"):
        system.rows("UPDATE snipe_targets SET user_id = 'nobody'")
    kept = run_json(
        "cleanup", "mexc", "--action", "keep", "--reason", "who owned them is asked", "--no-input"
    )
    assert kept["rows"] == {}
    assert run("verify", "mexc").code == 1
    assert run("verify", "mexc", "--allow-kept").code == 0


def test_a_deleted_user_takes_along_what_is_theirs(system: Mexc) -> None:
    assert run("migrate", "mexc", "--phase", "2").code == 0
    run_json("cleanup", "mexc", "--action", "suggested", "--no-input")
    (user, rows) = system.rows("SELECT user_id, count(*) FROM transactions GROUP BY 1 ORDER BY 2 DESC")[0]
    assert rows > 0
    system.rows(f"DELETE FROM user WHERE id = '{user}'")
    assert system.rows(f"SELECT count(*) FROM transactions WHERE user_id = '{user}'") == [(0,)]


def test_a_table_that_was_put_back_from_its_backup_is_found_without_its_key(system: Mexc) -> None:
    """The record's rollback by hand: drop the table, rename the copy."""
    run_json("cleanup", "mexc", "--action", "suggested", "--no-input")
    assert run("migrate", "mexc").code == 0
    for statement in (
        "CREATE TABLE user_preferences_backup AS SELECT * FROM user_preferences",
        "DROP TABLE IF EXISTS user_preferences",
        "ALTER TABLE user_preferences_backup RENAME TO user_preferences",
    ):
        system.rows(statement)
    verified = run("verify", "mexc")
    assert verified.code == 1
    assert "fk_user_preferences_user_id" in verified.out


URL = "libsql://mexc-ada.turso.io"


def test_a_database_of_the_service_is_refused_with_the_way_to_go(register_target: RegisterTarget) -> None:
    register_target("mexc", "libsql:////srv/mexc.db")
    Target("mexc").settings["NAME"] = URL
    ran = run("audit", "mexc")
    assert ran.code == 2
    assert "cannot be a target by its URL" in ran.err
    assert "docs/libsql.md" in ran.err


def test_without_the_package_its_name_is_said(system: Mexc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libsql", None)
    ran = run("audit", "mexc")
    assert ran.code == 2
    assert "pip install 'django-referential-integrity[libsql]'" in ran.err
