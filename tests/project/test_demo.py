"""The demo tells of every system that has a fixture and a catalog, of those that are asked for, in order."""

import shlex
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rich.console import Console

from integrity_project.management.commands import demo
from integrity_project.story import Story
from integrity_project.systems import SYSTEMS

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], int, bool]]:
    """What is told, without telling it."""
    calls: list[tuple[list[str], int, bool]] = []

    def tell(names: list[str], *, rows: int, serve: bool) -> int:
        calls.append((names, rows, serve))
        return 0

    monkeypatch.setattr(demo, "tell", tell)
    monkeypatch.delenv("SERVE", raising=False)
    return calls


def run(*words: str) -> Any:
    with pytest.raises(SystemExit) as ended:
        call_command(demo.Command(), *words)
    return ended.value.code


def test_every_system_with_a_catalog_is_told_of() -> None:
    catalogs = {path.parent.name for path in (CHECKOUT / "migrations_catalog").glob("*/catalog.toml")}
    assert set(SYSTEMS) == catalogs


def test_without_a_name_all_are_told_of(told: list[Any]) -> None:
    assert run() == 0
    assert told == [(list(SYSTEMS), 20000, True)]


def test_one_or_some_can_be_asked_for_in_any_order(told: list[Any]) -> None:
    run("mexc", "gaztime", "mexc", "--rows", "500", "--no-serve")
    assert told == [(["mexc", "gaztime"], 500, False)]


def test_the_environment_ends_it_after_the_story(told: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVE", "0")
    run("gaztime")
    assert told == [(["gaztime"], 20000, False)]


def test_a_wrong_name_is_answered_with_the_nearest_right_one(told: list[Any]) -> None:
    with pytest.raises(CommandError, match="There is no system 'gastime'. Did you mean gaztime?"):
        call_command(demo.Command(), "gastime")
    assert not told


def test_a_command_is_shown_as_it_can_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Story, "_ended", lambda self, words: 0)
    shown = StringIO()
    words = (
        "integrity_explain",
        'on table "orders" violates',
        "--reference",
        "orders.user_id",
        *["more"] * 30,
    )
    Story({}, Console(file=shown, width=60)).run(*words)
    [line] = shown.getvalue().splitlines()
    assert shlex.split(line) == ["$", "manage.py", *words]


def test_too_few_rows_are_refused(told: list[Any]) -> None:
    with pytest.raises(CommandError, match="--rows 5 is too few"):
        call_command(demo.Command(), "--rows", "5")
    assert not told
