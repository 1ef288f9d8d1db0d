"""Words for people: tables on a terminal, plain lines in a pipe, and questions before changes."""

import io
import re
import sys

import pytest
from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import CommandError, OutputWrapper

from integrity.audit import Progress
from integrity.management.blocks import Code, Grid, Line, Title, markdown, plain
from integrity.management.terminal import Terminal
from integrity.management.window import Window, window
from tests.commands import Ran, run, run_json
from tests.management.conftest import Shop

database = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

BLOCKS = [
    Title("Rows"),
    Line("a [bold]line[/bold]", "error"),
    Grid(("table", "rows", "share"), [("orders|x", 1_234_567, 0.5), ("lines", 7, None)]),
    Code("SELECT 1"),
]


class Person(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


def test_numbers_stand_right_and_have_separators() -> None:
    assert plain(BLOCKS).splitlines() == [
        "Rows",
        "a [bold]line[/bold]",
        "  table          rows  share",
        "  orders|x  1,234,567    0.5",
        "  lines             7",
        "SELECT 1",
    ]


def test_markdown_escapes_what_would_be_markup() -> None:
    text = markdown(BLOCKS)
    assert text.startswith("## Rows\n\n")
    assert "| orders\\|x | 1,234,567 | 0.5 |" in text
    assert "| --- | --: | --: |" in text
    assert "```sql\nSELECT 1\n```" in text


def test_a_terminal_is_coloured_and_fits_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = io.StringIO()
    long = Grid(("reference", "refers to", "rows"), [("a" * 60, "b" * 60, 1_234_567)])
    Terminal(OutputWrapper(out), OutputWrapper(io.StringIO()), colour=True).show({}, [*BLOCKS, long])
    lines = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines()
    assert "\x1b[" in out.getvalue()
    assert "[bold]line[/bold]" in out.getvalue()
    assert max(map(len, lines)) <= 80
    assert any("1,234,567" in line for line in lines)


def test_progress_in_a_log_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrity.management.terminal.SECONDS_BETWEEN_LINES", 0.0)
    err = io.StringIO()
    terminal = Terminal(OutputWrapper(io.StringIO()), OutputWrapper(err))
    with terminal.progress("repairing shop") as told:
        told(Progress(1_000, 4_000, "orders"))
    assert err.getvalue() == "repairing shop: 1,000 of 4,000, orders\n"


def test_progress_on_a_terminal_is_a_bar() -> None:
    err = Person()
    terminal = Terminal(OutputWrapper(Person()), OutputWrapper(err))
    with terminal.progress("repairing shop") as told:
        told(Progress(1, 4))
        terminal.say("a word between")
    assert "a word between" in err.getvalue()
    assert "repairing shop" in err.getvalue()


def test_a_window_may_go_over_midnight() -> None:
    night = window("22:00-05:30")
    assert str(night) == "22:00-05:30"
    hours = {
        text: night.holds(window(f"{text}-00:00").start) for text in ("21:59", "22:00", "05:29", "05:30")
    }
    assert hours == {"21:59": False, "22:00": True, "05:29": True, "05:30": False}
    assert isinstance(window("09:00-17:00"), Window)


@pytest.mark.parametrize("name", sorted(each for each in get_commands() if each.startswith("integrity_")))
def test_every_command_spells_the_common_options_alike(name: str) -> None:
    command = load_command_class("integrity", name)
    text = command.create_parser("manage.py", name).format_help()
    assert {"--format", "--fail-on", "--no-input"} <= set(re.findall(r"--[\w-]+", text))
    if "TARGET" in text:
        assert "--catalog" in text
    assert command.help.endswith(".")


@pytest.mark.parametrize(
    "arguments",
    [
        ["integrity_plan", "shop", "--reference", "orders"],
        ["integrity_plan", "shop", "--action", "destroy"],
        ["integrity_cleanup", "shop", "--until", "soon"],
        ["integrity_cleanup", "shop", "--max-rows", "many"],
        ["integrity_migrate", "shop", "--window", "at night"],
        ["integrity_rollback", "shop", "1", "--with-migrations", "--unvalidate"],
    ],
)
def test_mistakes_on_the_command_line_are_told(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="argument"):
        call_command(*arguments)


class TestQuestions:
    pytestmark = database

    def answered(self, monkeypatch: pytest.MonkeyPatch, answer: str, *arguments: str) -> Ran:
        monkeypatch.setattr(sys, "stdin", Person(f"{answer}\n"))
        return run(*arguments)

    def test_yes_carries_out_what_was_shown(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        ran = self.answered(monkeypatch, "y", "cleanup", shop.alias, "--action", "suggested")
        assert ran.code == 0
        assert "Carry this out on target? (4 rows) [y/N]" in ran.err
        assert "Plan for target" in ran.out
        assert "integrity_rollback target 1" in ran.out
        assert "\x1b[" not in ran.out

    def test_anything_else_changes_nothing(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        before = shop.state()
        for answer in ("", "n", "yep"):
            ran = self.answered(monkeypatch, answer, "cleanup", shop.alias, "--action", "suggested")
            assert (ran.code, ran.err.endswith("It was not confirmed. Nothing was changed.")) == (2, True)
        assert shop.state() == before

    def test_many_rows_are_typed(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        shop.execute(
            "INSERT INTO lines (id, order_id) WITH RECURSIVE n(i) AS "
            "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) SELECT 1000 + i, 5000 FROM n"
        )
        command = ("cleanup", shop.alias, "--action", "delete", "--reference", "lines.order_id")
        assert self.answered(monkeypatch, "y", *command).code == 2
        assert self.answered(monkeypatch, "1201", *command).code == 0
        assert shop.rows("SELECT count(*) FROM lines") == [(3,)]

    def test_a_document_stays_alone_on_standard_output(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ran = self.answered(
            monkeypatch, "y", "cleanup", shop.alias, "--action", "suggested", "--format", "json"
        )
        assert ran.json["state"] == "finished"
        assert "Plan for target" in ran.err

    def test_taking_back_is_asked_about_too(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        done = run_json("cleanup", shop.alias, "--action", "suggested", "--no-input")
        ran = self.answered(monkeypatch, "y", "rollback", shop.alias, str(done["run"]))
        assert ran.code == 0
        assert "Take it back on target? (4 rows) [y/N]" in ran.err
        assert "Every restored row is as it was." in ran.out
        assert "digest before" in ran.out


class TestAnAudit:
    pytestmark = database

    def test_says_what_was_found_and_what_was_looked_at(self, shop: Shop) -> None:
        out = run("audit", shop.alias).out
        assert "orders.customer_id  customers.id" in out
        assert "90 explains 2 rows (67 %)" in out
        assert "2 of 2 references checked" in out
        assert "manage.py integrity_plan target --action suggested" in out
        assert "\x1b[" not in out

    def test_of_a_whole_target_says_so(self, shop: Shop) -> None:
        run_json("cleanup", shop.alias, "--action", "suggested", "--no-input")
        run("makemigrations", shop.alias)
        assert run("migrate", shop.alias).code == 0
        assert "Nothing was found." in run("audit", shop.alias).out
        assert "Every rule holds and is enforced." in run("verify", shop.alias).out

    def test_that_could_not_look_at_everything_is_not_done(self, shop: Shop) -> None:
        shop.write_catalog(
            shop.catalog.read_text()
            + '[[reference]]\nfrom = "orders.note"\nto = "customers.name"\nmatch = "PARTIAL"\n'
        )
        ran = run("audit", shop.alias)
        assert ran.code == 2
        assert "2 of 3 references checked" in ran.out
        assert "orders.note: not checked: MATCH PARTIAL is not supported" in ran.out
