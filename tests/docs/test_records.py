"""Every item of every record has its line in docs/systems.md, and what stands there works."""

import re
import shlex
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, load_command_class
from django.core.management.base import CommandParser

from integrity_project.systems import SYSTEMS, Ground
from tests.commands import run
from tests.docs import records
from tests.docs.test_documents import CHECKOUT, COMMANDS, text
from tests.servers import MakePostgresDatabase, RegisterTarget

FINDS = {"audit", "diagnose", "explain", "scripts"}
"""They end with 1 where something is wrong, as it is in a broken system."""
PLACES = {"TARGET": "shop", "RUN": "1", "NAME": "0001", "PATH": "folder"}


@cache
def section(system: str) -> str:
    """What docs/systems.md says of a system."""
    found = re.search(rf"^## {system}\b.*?(?=^## |\Z)", text("docs/systems.md"), re.MULTILINE | re.DOTALL)
    assert found, f"docs/systems.md has no section {system}"
    return found[0]


def rows(system: str) -> list[tuple[str, str]]:
    """First and second cell of each row."""
    return re.findall(r"^\| (.+?) \| (.+) \|$", section(system), re.MULTILINE)


def console(system: str) -> list[list[str]]:
    """The commands of its console blocks, in order."""
    blocks = re.findall(r"```console\n(.*?)```", section(system), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    words = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [each[1:] for each in words if each[:1] == ["manage.py"] and each[1].startswith("integrity_")]


def inline(system: str) -> list[list[str]]:
    """The commands within the text."""
    spans = re.findall(r"`(?:manage\.py )?(integrity_[^`]+)`", section(system))
    return [words for words in map(shlex.split, spans) if words[0] in COMMANDS]


def test_every_system_has_its_list_of_items() -> None:
    assert set(records.SYSTEMS) == set(SYSTEMS)


@pytest.mark.parametrize("system", records.SYSTEMS)
def test_every_item_of_a_record_has_its_line(system: str) -> None:
    headings = set(re.findall(r"^#+ (.+)$", section(system), re.MULTILINE))
    lines = headings | {first for first, _ in rows(system)}
    answers = records.answers(system)
    assert len(answers) > 40
    assert not sorted(set(answers.values()) - lines)


@pytest.mark.parametrize("system", records.SYSTEMS)
def test_what_is_outside_the_product_says_why(system: str) -> None:
    outside = [answer for _, answer in rows(system) if answer.lower().startswith("outside")]
    for answer in outside:
        reason = re.match(r"outside the product(?:: | as far as )(.+)", answer)
        assert reason, answer
        assert len(reason[1]) > 20, answer


class Refusing(CommandParser):
    """Says what it does not understand."""

    def error(self, message: str) -> Any:
        raise CommandError(message)


@pytest.mark.parametrize("system", records.SYSTEMS)
def test_every_command_in_the_text_is_one_that_can_be_given(system: str) -> None:
    given = [*console(system), *inline(system)]
    assert given
    for name, *words in given:
        if words:
            command = load_command_class("integrity", name)
            parser = command.create_parser("manage.py", name)
            parser.__class__ = Refusing
            parser.parse_args([PLACES.get(word, word) for word in words])


@dataclass(frozen=True)
class Trial(Ground):
    """Where a test builds the systems."""

    make: MakePostgresDatabase
    made_already: dict[str, str] = field(default_factory=dict)

    def made(self, name: str) -> str:
        """An empty database, whatever its name on the server is."""
        self.made_already[name] = self.make(self.server)
        return self.made_already[name]

    def database(self, name: str) -> str:
        """The one that was made under this name."""
        return self.made_already[name]


@pytest.fixture
def ground(newest_postgres: Any, tmp_path: Path, make_postgres_database: MakePostgresDatabase) -> Trial:
    """A server, and a folder for files."""
    return Trial(newest_postgres, tmp_path, make_postgres_database)


LONG = ("cts",)
"""Whose way takes a minute, and is gone by tests of its own; here it is gone by ``make soak``."""


@pytest.mark.newest_postgres_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "system",
    [pytest.param(each, marks=[pytest.mark.soak] if each in LONG else []) for each in records.SYSTEMS],
)
def test_the_commands_of_a_system_work_one_after_the_other(
    system: str,
    ground: Trial,
    settings: Any,
    register_target: RegisterTarget,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.INTEGRITY = {"BACKUP_ROOT": ground.folder / "backups"}
    monkeypatch.chdir(CHECKOUT)
    SYSTEMS[system].build(ground, 300)
    for alias, url in SYSTEMS[system].urls(ground).items():
        register_target(alias, url)

    assert len(console(system)) > 5
    for name, *words in console(system):
        if "--window" in words:
            at = words.index("--window")
            del words[at : at + 2]
        ran = run(name.removeprefix("integrity_"), *words)
        allowed = {0, 1} if name.removeprefix("integrity_") in FINDS else {0}
        assert ran.code in allowed, f"{name} {' '.join(words)} ended with {ran.code}\n{ran.err}\n{ran.out}"
