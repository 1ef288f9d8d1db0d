"""What the environment says becomes settings, or an error that names the entry and hides the password."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from integrity_project.environment import flag, secret_key
from integrity_project.targets import LIBSQL, POSTGRESQL, SQLITE, database_settings, parse_targets

PASSWORD = "s3cret"
ROOT = Path(__file__).resolve().parents[2]


def test_no_targets_are_no_error() -> None:
    assert parse_targets("  ") == {}


def test_targets_keep_their_names_and_order() -> None:
    targets = parse_targets("shop=postgresql://ada@db.example/shop\n old=sqlite:////srv/old.sqlite3")
    assert [(alias, entry["ENGINE"]) for alias, entry in targets.items()] == [
        ("shop", POSTGRESQL),
        ("old", SQLITE),
    ]


def test_a_url_may_contain_equals_signs() -> None:
    entry = parse_targets("shop=postgresql://ada@db.example/shop?sslmode=require")["shop"]
    assert entry["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize("url", ["postgresql://ada@db.example/shop", "sqlite:////srv/old.sqlite3"])
def test_targets_can_share_a_catalog_and_no_driver_hears_of_it(url: str) -> None:
    entry = database_settings(f"{url}?catalog=cts")
    assert entry["CATALOG"] == "cts"
    assert "catalog" not in entry.get("OPTIONS", {})
    assert "CATALOG" not in database_settings(url)


@pytest.mark.parametrize("url", ["postgresql://ada@db.example/shop", "sqlite:////srv/old.sqlite3"])
def test_django_neither_migrates_targets_for_tests_nor_wraps_requests(url: str) -> None:
    entry = database_settings(url)
    assert entry["TEST"] == {"MIGRATE": False}
    assert entry["ATOMIC_REQUESTS"] is False
    assert entry["CONN_MAX_AGE"] == 0


def test_a_postgresql_target_can_stand_behind_a_pooler() -> None:
    assert database_settings("postgresql://ada@db.example/shop")["DISABLE_SERVER_SIDE_CURSORS"] is True


@pytest.mark.parametrize(("query", "seconds"), [("", 5), ("?connect_timeout=30", 30)])
def test_an_unreachable_server_says_so_in_time(query: str, seconds: int) -> None:
    options = database_settings(f"postgresql://ada@db.example/shop{query}")["OPTIONS"]
    assert int(options["connect_timeout"]) == seconds


def test_a_password_may_contain_any_character() -> None:
    assert database_settings("postgresql://ada:a%40b%2Fc@db.example/shop")["PASSWORD"] == "a@b/c"


def test_a_libsql_file_is_written_as_one_of_sqlite() -> None:
    entry = database_settings("libsql:////srv/old%20one.db?timeout=7")
    assert (entry["ENGINE"], entry["NAME"]) == (LIBSQL, "/srv/old one.db")
    assert entry["TEST"] == {"MIGRATE": False}


def test_a_sqlite_target_is_found_from_any_folder() -> None:
    assert database_settings("sqlite:////srv/old.sqlite3")["NAME"] == "/srv/old.sqlite3"
    assert Path(database_settings("sqlite:///old.sqlite3")["NAME"]).is_absolute()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"postgresql://ada:{PASSWORD}@db.example/shop", "entry 1: not of the form name=url"),
        ("shop=", "entry 1: not of the form name=url"),
        (
            f"ok=sqlite:////srv/a =postgresql://ada:{PASSWORD}@db.example/x",
            "entry 2: not of the form name=url",
        ),
        (f"my-shop=postgresql://ada:{PASSWORD}@db.example/x", "letters, digits and underscores"),
        (
            f"default=postgresql://ada:{PASSWORD}@db.example/x",
            "'default' is the site's own database",
        ),
        (f"shop=postgresql://ada:{PASSWORD}@db.example:port/x", "Target 'shop': its URL cannot be read"),
        (f"shop=postgresql://ada:{PASSWORD}@[db/x", "Target 'shop': its URL cannot be read"),
        (f"shop={PASSWORD}", "Target 'shop': its URL cannot be read"),
        (f"shop=mysql://ada:{PASSWORD}@db.example/x", "mysql is not supported"),
        (f"shop=postgresql://ada:{PASSWORD}@db.example", "Target 'shop': its URL names no database"),
        ("shop=sqlite://:memory:", "Target 'shop': a SQLite target must be a file"),
        ("shop=sqlite://", "Target 'shop': a SQLite target must be a file"),
        ("shop=libsql://shop-ada.turso.io?authToken=t0ken", "Target 'shop': a database of Turso's service"),
        ("shop=sqlite:////srv/a shop=sqlite:////srv/b", "names 'shop' twice"),
    ],
)
def test_a_mistake_is_named_and_no_password_shown(text: str, message: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        parse_targets(text)
    assert message in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(("value", "on"), [("1", True), ("True", True), ("off", False), ("", False)])
def test_a_flag_understands_the_usual_words(monkeypatch: pytest.MonkeyPatch, value: str, on: bool) -> None:
    monkeypatch.setenv("DEBUG", value)
    assert flag("DEBUG", default=not on) is on


def test_a_mistyped_flag_does_not_mean_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "flase")
    with pytest.raises(ImproperlyConfigured, match="neither on nor off"):
        flag("DEBUG", default=True)


def test_a_secret_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    assert secret_key(path) == secret_key(path) == path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_the_settings_take_both_variables_from_the_environment(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path}/own.sqlite3",
        "INTEGRITY_TARGETS": f"old=sqlite:///{tmp_path}/old.sqlite3",
    }
    code = "from integrity_project.settings import DATABASES as d; print(*(d[n]['NAME'] for n in d))"
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == [f"{tmp_path}/own.sqlite3", f"{tmp_path}/old.sqlite3"]


@pytest.mark.parametrize("command", ["integrity_audit", "migrate", "check"])
def test_a_mistake_in_the_environment_is_one_line_and_never_reads_as_findings(command: str) -> None:
    environment = {**os.environ, "INTEGRITY_TARGETS": f"shop=mysql://ada:{PASSWORD}@db.example/x"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    ran = subprocess.run(
        [sys.executable, "manage.py", command],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: Target 'shop': ")
    assert len(ran.stderr.splitlines()) == 1
    assert PASSWORD not in ran.stderr
