"""Valid SQL that the parser does not know, put in words that it does.

Each construct of the manuals that sqlglot 30 refuses is blanked out, or written in another way of the same
length, so that every place stays where it is. What it says of keys and columns is read from the tokens of the
statement itself: the parser only has to see that the rest is right. It is asked first; this is for what it
refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from integrity.scripts.snippet import UNKNOWN
from integrity.scripts.sql_code import code_of

_SETTLED = re.compile(
    r"\s*(?:CREATE|ALTER\s+TABLE|SELECT|INSERT|REPLACE|UPDATE|DELETE|MERGE|WITH|EXPLAIN|VALUES|\()",
    re.IGNORECASE,
)
_CREATE, _TABLE, _ROWS = (
    r"\s*CREATE\b",
    r"\s*(?:CREATE\b[\w\s]*\bTABLE|ALTER\s+TABLE)\b",
    r"\s*(?!CREATE|ALTER)",
)

_UNIT = r"(?:YEAR|MONTH|DAY|HOUR|MINUTE|SECOND)"


@dataclass(frozen=True)
class _Rule:
    """What ``pattern`` finds becomes ``written``, then blanks; only its group ``here`` where it has one.

    ``head`` is how statements begin in which it is looked for.
    """

    pattern: re.Pattern[str]
    written: str
    head: re.Pattern[str]

    def apply(self, code: str, text: str) -> tuple[str, str]:
        if not self.head.match(code):
            return code, text
        for found in reversed(list(self.pattern.finditer(code))):
            start, end = found.span("here" if "here" in self.pattern.groupindex else 0)
            written = self._written(end - start)
            code, text = (f"{each[:start]}{written}{each[end:]}" for each in (code, text))
        return code, text

    def _written(self, width: int) -> str:
        if self.written == UNKNOWN:
            return UNKNOWN * width
        return self.written.ljust(width) if len(self.written) <= width else " " * width


def _rule(pattern: str, written: str = "", head: str = "") -> _Rule:
    flags = re.IGNORECASE | re.DOTALL
    return _Rule(re.compile(pattern, flags), written, re.compile(head, flags))


_RULES = (
    # Variables of psql's
    _rule(r"(?<![:\w\]])(?P<here>:)(?=['\"])"),
    _rule(r"(?:FROM|JOIN|INTO|UPDATE|TABLE|EXISTS|ON|REFERENCES|\.)\s*(?P<here>:[a-z_]\w*)", UNKNOWN),
    # Types
    _rule(r"::\s*(?P<here>[a-z_]\w+\s*\[\])", "int[]"),
    _rule(r"\b(?:NATIONAL\s+(?:CHARACTER|CHAR)(?:\s+VARYING)?|BIT\s+VARYING)\b", "VARCHAR", _TABLE),
    _rule(rf"\bINTERVAL(?P<here>\s+{_UNIT}\b(?:\s+TO\s+\w+)?(?:\s*\(\s*\d\s*\))?)", "", _TABLE),
    _rule(r"\b(?:NUMERIC|DECIMAL)(?P<here>\s*\(\s*\d+\s*,\s*-\s*\d+\s*\))", "", _TABLE),
    _rule(r"\b(?:UNSIGNED\s+BIG\s+INT|NATIVE\s+CHARACTER|VARYING\s+CHARACTER|LONG\s+VARCHAR)\b", "VARCHAR"),
    _rule(r"[\w\"`\]]\s+(?P<here>ANY)(?=\s*(?:[,)]|NOT|DEFAULT|PRIMARY|UNIQUE|CHECK))", "INT", _TABLE),
    # Columns and constraints
    _rule(r"\b(?:COMPRESSION|STORAGE)\s+\w+", "", _TABLE),
    _rule(r"\)\s*(?P<here>VIRTUAL)\b", "STORED", _TABLE),
    _rule(r"\bIDENTITY\s*(?P<here>\([^()]*\))", "", _TABLE),
    _rule(r"\bWITHOUT\s+OVERLAPS\b", "", _TABLE),
    _rule(r"[(,]\s*(?P<here>PERIOD)\s+(?=[\w\"]+\s*\))", "", _TABLE),
    _rule(r"\bON\s+CONFLICT\s+(?:ROLLBACK|ABORT|FAIL|IGNORE|REPLACE)\b", "", _TABLE),
    _rule(r"\bMATCH\s+(?:FULL|PARTIAL|SIMPLE)\b", "", _TABLE),
    _rule(r"\bSET\s+(?:NULL|DEFAULT)\s*(?P<here>\([^()]*\))", "", _TABLE),
    _rule(r"\b(?:NOT\s+)?(?:DEFERRABLE|ENFORCED)\b|\bINITIALLY\s+(?:DEFERRED|IMMEDIATE)\b", "", _TABLE),
    _rule(r"\)\s*(?P<here>NO\s+INHERIT\b)", "", _TABLE),
    _rule(r"\bNOT\s+VALID\b", "", _TABLE),
    _rule(r"\)\s*(?P<here>ON\s+COMMIT\s+(?:DROP|DELETE\s+ROWS|PRESERVE\s+ROWS))", "", _TABLE),
    # Indexes and views
    _rule(r"\bON\s+(?P<here>ONLY)\b", "", _CREATE),
    _rule(r"\bNULLS\s+(?:NOT\s+)?DISTINCT\b", "", _CREATE),
    _rule(r"\bTABLESPACE\s+[\w\"]+", "", _CREATE),
    _rule(r"\bWITH\s*\((?=[^()]*\))[^()]*\)", "", r"\s*CREATE\b[\w\s]*\b(?:VIEW|INDEX)\b"),
    _rule(r"\bWITH\s+(?:LOCAL\s+|CASCADED\s+)?CHECK\s+OPTION\s*\Z", "", _CREATE),
    _rule(r"\bWITH\s+(?:NO\s+)?DATA\s*\Z", "", _CREATE),
    # Rows
    _rule(r"\s*(?P<here>REPLACE)\s+INTO\b", "INSERT", _ROWS),
    _rule(r"\bUPDATE\s+(?P<here>OR\s+\w+)\b", "", _ROWS),
    _rule(r"\bOVERRIDING\s+(?:SYSTEM|USER)\s+VALUE\b", "", _ROWS),
    _rule(r"\bWHERE\s+CURRENT\s+OF\s+[\w\"]+", "", _ROWS),
    _rule(r"\bON\s+CONFLICT\s*\([^()]*\)\s*DO\s+NOTHING\s+(?=ON\s+CONFLICT\b)", "", _ROWS),
    _rule(r"\bUSING\s*\([^()]*\)\s*(?P<here>AS\s+[\w\"]+)", "", _ROWS),
    _rule(r"\bUSING\s*[<>]=?(?=\s*(?:,|\)|\Z|NULLS\b|LIMIT\b))", "", _ROWS),
    _rule(r"\?(?P<here>\d+)"),
    # Operators of extensions, and signs before a number
    _rule(r"<[#+~%]>|<<->|<->>|<<?%|%>>?", "<"),
    _rule(r"(?<=[\s(,])(?P<here>@)(?=\s*[-\w(])"),
)  # fmt: skip


def reworded(text: str) -> str:
    """Returns a statement of the same length without what only the parser does not understand.

    Args:
        text: a statement, from its first word on.
    """
    if not _SETTLED.match(text):
        return text
    code = code_of(text)
    for rule in _RULES:
        code, text = rule.apply(code, text)
    return text
