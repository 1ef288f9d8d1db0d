"""Each check by its id: when it speaks, when it is silent, and what it advises."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin import AdminSite
from django.db import connections

from integrity import checks, conf, models
from integrity.admin import JobAdmin, register
from tests.servers import RegisterTarget

VIOLATED = """
CREATE TABLE parents (id integer PRIMARY KEY);
CREATE TABLE children (id integer PRIMARY KEY, parent_id integer REFERENCES parents (id));
INSERT INTO children VALUES (1, 99);
"""


def test_w001_a_target_that_tests_would_migrate(register_target: RegisterTarget, sqlite_path: Path) -> None:
    alias = register_target("shop", f"sqlite:///{sqlite_path}")
    assert checks.check_test_databases() == []
    connections.databases[alias]["TEST"] = {"MIGRATE": True}
    (warning,) = checks.check_test_databases()
    assert warning.id == "integrity.W001"
    assert warning.hint == 'Add "TEST": {"MIGRATE": False} to DATABASES["shop"].'


def test_w002_a_setting_that_nobody_reads(settings: Any) -> None:
    settings.INTEGRITY = {"BATCH_ROWS": 10}
    assert checks.check_settings() == []
    settings.INTEGRITY = {"BATCH_ROW": 10}
    (warning,) = checks.check_settings()
    assert warning.id == "integrity.W002"
    assert warning.hint == "Did you mean BATCH_ROWS?"


def test_w002_knows_every_setting_that_is_read() -> None:
    text = Path(conf.__file__).read_text(encoding="utf-8")
    read = {line.split('_setting("')[1].split('"')[0] for line in text.splitlines() if '_setting("' in line}
    assert set(checks.SETTINGS) == read


def test_e002_a_second_person_is_not_left_out_by_a_slip(settings: Any) -> None:
    settings.INTEGRITY = {"APPROVALS": True, "APPROVAL_DAYS": 3, "TYPED_ROWS": 0}
    assert checks.check_approvals() == []
    settings.INTEGRITY = {"APPROVALS": "1000", "APPROVAL_DAYS": None, "TYPED_ROWS": -1}
    errors = checks.check_approvals()
    assert [error.id for error in errors] == ["integrity.E002"] * 3
    assert "INTEGRITY['APPROVALS'] is '1000'" in errors[0].msg


def test_w003_a_file_on_which_plain_migrate_fails(register_target: RegisterTarget, sqlite_path: Path) -> None:
    alias = register_target("shop", f"sqlite:///{sqlite_path}")
    with closing(sqlite3.connect(sqlite_path)) as connection:
        connection.executescript(VIOLATED)
    assert checks.check_standing_violations() == [], "only when the database is asked for"
    (warning,) = checks.check_standing_violations(databases=[alias])
    assert warning.id == "integrity.W003"
    assert "manage.py integrity_migrate shop" in (warning.hint or "")


def test_w003_is_silent_where_nothing_is_violated(register_target: RegisterTarget, sqlite_path: Path) -> None:
    sqlite3.connect(sqlite_path).close()
    alias = register_target("shop", f"sqlite:///{sqlite_path}")
    assert checks.check_standing_violations(databases=[alias]) == []


def test_w003_leaves_a_missing_file_to_whoever_needs_it(
    register_target: RegisterTarget, sqlite_path: Path
) -> None:
    alias = register_target("shop", f"sqlite:///{sqlite_path}")
    assert checks.check_standing_violations(databases=[alias]) == []
    assert not sqlite_path.exists()


def test_w006_a_file_that_two_libraries_open(register_target: RegisterTarget, sqlite_path: Path) -> None:
    register_target("one", f"sqlite:///{sqlite_path}")
    register_target("same", f"sqlite:///{sqlite_path}")
    register_target("other", f"libsql:///{sqlite_path}x")
    assert checks.check_shared_files() == []
    register_target("also", f"libsql:///{sqlite_path.parent}/../{sqlite_path.parent.name}/{sqlite_path.name}")
    (warning,) = checks.check_shared_files()
    assert warning.id == "integrity.W006"
    assert warning.msg == "one, same, also are one file, opened by SQLite and by libSQL."


@pytest.mark.parametrize(("said", "words"), [("threads", "taken for"), ("tasks", "no backend of TASKS")])
def test_w007_jobs_that_nobody_would_carry_out_so(said: str, words: str, settings: Any) -> None:
    assert checks.check_carrier() == []
    settings.INTEGRITY = {"CARRIER": said}
    (warning,) = checks.check_carrier()
    assert warning.id == "integrity.W007"
    assert words in warning.msg


def test_w008_a_second_admin_site_with_some_of_the_pages() -> None:
    site = AdminSite("office")
    assert checks.check_admin_sites() == [], "a site without pages of this app is none of its business"
    site.register(models.Job, JobAdmin)
    (warning,) = checks.check_admin_sites()
    assert warning.id == "integrity.W008"
    assert "'office' has pages of this app, but not those of Approval, AuditRun" in warning.msg
    register(site)
    assert checks.check_admin_sites() == []


def test_e001_a_catalog_with_a_mistake(
    register_target: RegisterTarget, sqlite_path: Path, tmp_path: Path, settings: Any
) -> None:
    settings.INTEGRITY = {"CATALOG_ROOT": tmp_path}
    register_target("shop", f"sqlite:///{sqlite_path}")
    assert checks.check_catalogs() == [], "a target without a catalog is no error"
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "catalog.toml").write_text("[[referense]]\n")
    (error,) = checks.check_catalogs()
    assert error.id == "integrity.E001"
    assert "catalog.toml" in error.msg
    assert error.hint == "Did you mean reference?"


@pytest.mark.parametrize("number", ["W001", "W002", "W003", "W006", "W007", "W008", "E001", "E002"])
def test_every_check_is_named_after_its_id(number: str) -> None:
    assert f"integrity.{number}" in Path(checks.__file__).read_text(encoding="utf-8")
