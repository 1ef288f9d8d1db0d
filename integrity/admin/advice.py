"""What errors and checks advise, on pages: without commands, for which pages have buttons.

The same advice is printed by commands, where it names the next one. Somebody who decides in admin has no
terminal, and must not think that one is needed.
"""

from __future__ import annotations

import re

from django.core.management import get_commands

_CLAUSE = re.compile(r"((?<=[.;!?…])\s+)")
_AT_THE_END = re.compile(r"(?: with)?:\s+manage\.py\s.*", re.DOTALL)
"""*Resolve them first: manage.py …*: what is to be done stands before the command."""
_IN_BRACKETS = re.compile(r"\s*\(manage\.py [^)]*\)")
_OPTION = re.compile(r"(?<!\S)--[a-z]")


def without_commands(text: str) -> str:
    """Returns what an error or a check says without the commands that it names.

    What is wrong stands first and always stays, unless it is nothing but a command.
    """
    kept: list[str] = []
    for number, part in enumerate(_CLAUSE.split(text)):
        clause = _IN_BRACKETS.sub("", _AT_THE_END.sub(".", part))
        if number % 2 or not _is_for_a_terminal(clause, first=number == 0):
            kept.append(clause)
    said = "".join(kept).strip()
    return f"{said[:-1]}." if said.endswith(";") else said


def _is_for_a_terminal(clause: str, *, first: bool) -> bool:
    if clause.startswith("manage.py "):
        return True
    words = set(re.findall(r"\w+", clause))
    ours = {name for name, app in get_commands().items() if app == "integrity"}
    return not first and bool("manage.py" in clause or words & ours or _OPTION.search(clause))
