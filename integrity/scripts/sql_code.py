"""The code of a statement: what is left when strings, bodies and comments are blanked out."""

from __future__ import annotations

import re
from functools import lru_cache

from integrity.scripts.splitting import end_of_placeholder

_QUIET = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<body>\$(?P<tag>[A-Za-z_]\w*|)\$.*?(?:\$(?P=tag)\$|\Z))
      | (?P<placeholder>\$\{)
      | (?P<escaped>(?<!\w)[eE]'(?:[^'\\]|\\.|'')*'?)
      | (?P<string>'(?:[^']|'')*'?)
      | (?P<name>"(?:[^"]|"")*"?)""",
    re.VERBOSE | re.DOTALL,
)


@lru_cache(maxsize=4_096)
def code_of(text: str) -> str:
    """Returns a text of the same length in which only SQL's own words, names and marks stand.

    Of strings and quoted names the quotes stay, of bodies the first ``$$``; what they hold becomes ``~``-free
    blanks, so that nothing in them is taken for SQL.
    """
    parts, at = [], 0
    while (found := _QUIET.search(text, at)) is not None:
        end = found.end()
        if found["placeholder"]:
            end = end_of_placeholder(text, found.start())
        parts += [text[at : found.start()], _blanked(text[found.start() : end], str(found.lastgroup))]
        at = end
    return "".join([*parts, text[at:]])


def _blanked(written: str, kind: str) -> str:
    blank = re.sub(r"[^\n]", " ", written)
    if kind == "comment" or len(written) < 2:
        return blank
    if kind in ("body", "tag"):
        return "$$" + blank[2:]
    if kind == "placeholder":
        return "p" + "_" * (len(written) - 1) if "\n" not in written else "p" + blank[1:]
    first = written[: 2 if kind == "escaped" else 1]
    return first + blank[len(first) : -1] + written[-1]
