"""Nobody changes a database by a slip of the hand: what is about to happen is confirmed first."""

from __future__ import annotations

import sys

from integrity.exceptions import NotConfirmed
from integrity.management.blocks import count
from integrity.management.terminal import Terminal

ROWS_TO_TYPE = 1_000
"""Above so many rows, yes is not enough: their number is typed."""


def refuse_without_terminal() -> None:
    """Refuses to go on where nobody can be asked.

    Raises:
        NotConfirmed: when standard input is no terminal.
    """
    if not sys.stdin.isatty():
        raise NotConfirmed(
            "Nobody can be asked: standard input is not a terminal",
            hint="Nothing was changed. Give --no-input to go on without being asked, or look first with "
            "--dry-run.",
        )


def confirm(terminal: Terminal, question: str, rows: int = 0) -> None:
    """Asks, and returns when somebody said yes.

    Args:
        terminal: where to ask.
        question: what is about to happen.
        rows: how many rows it concerns; above a thousand the number is typed.

    Raises:
        NotConfirmed: nobody can be asked, or the answer was another.
    """
    refuse_without_terminal()
    if rows > ROWS_TO_TYPE:
        answer = terminal.ask(f"{question} Type the number of rows ({rows:,}) to go on: ", sys.stdin)
        agreed = answer.replace(",", "").replace("_", "") == str(rows)
    else:
        about = f" ({count(rows, 'row')})" if rows else ""
        agreed = terminal.ask(f"{question}{about} [y/N] ", sys.stdin).lower() in ("y", "yes")
    if not agreed:
        raise NotConfirmed("It was not confirmed", hint="Nothing was changed.")
