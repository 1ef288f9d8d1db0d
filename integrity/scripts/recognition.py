"""What of a source's strings is SQL: by what begins it, and by how it goes on.

"Update the user" and "Select an option from the list" are for people. A string that is handed to ``execute``
and the like may be written in any way; any other must be written as SQL mostly is, with keywords in
capitals, or have the marks that only SQL has.
"""

from __future__ import annotations

import re

_NAME = r"[\w\"`\[\]$ǂ.{}()-]+"
_KINDS = (
    r"(?:TABLE|VIEW|INDEX|TRIGGER|FUNCTION|PROCEDURE|AGGREGATE|TYPE|DOMAIN|SEQUENCE|SCHEMA|EXTENSION|POLICY|ROLE"
    r"|USER|DATABASE|RULE|PUBLICATION|MATERIALIZED\s+VIEW|FOREIGN\s+TABLE|EVENT\s+TRIGGER|STATISTICS|CONSTRAINT)"
)
_MODIFIERS = (
    r"(?:(?:OR\s+REPLACE|TEMP|TEMPORARY|UNLOGGED|VIRTUAL|UNIQUE|MATERIALIZED|RECURSIVE|CONSTRAINT)\s+)*"
)
_STATEMENTS = (
    r"SELECT\s+(?:DISTINCT\s+)?(?:.*\bFROM\s+\S|[\d'(*$]|\w+\s*\()",
    rf"INSERT\s+(?:OR\s+\w+\s+)?INTO\s+{_NAME}",
    rf"REPLACE\s+INTO\s+{_NAME}\s*(?:\(|VALUES\b|SELECT\b)",
    rf"UPDATE\s+(?:OR\s+\w+\s+|ONLY\s+)?{_NAME}(?:\s+(?:AS\s+)?\w+)?\s+SET\s+\S",
    rf"DELETE\s+FROM\s+(?:ONLY\s+)?{_NAME}(?:\s|;|\Z)",
    rf"CREATE\s+{_MODIFIERS}(?:TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}\s*(?:\(|AS\b|USING\b|PARTITION\b|LIKE\b)",
    rf"CREATE\s+{_MODIFIERS}(?:TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?[\w\"`.$ǂ]+\(",
    rf"CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?.*\bON\s+{_NAME}",
    rf"CREATE\s+{_MODIFIERS}(?:FUNCTION|PROCEDURE|AGGREGATE)\s+{_NAME}\s*\(?",
    rf"CREATE\s+{_MODIFIERS}TRIGGER\s+.*\b(?:BEFORE|AFTER|INSTEAD\s+OF|ON)\b",
    rf"CREATE\s+(?:EXTENSION|SCHEMA|SEQUENCE|ROLE|PUBLICATION|DATABASE)\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}\s*(?:;|\Z|WITH\b|START\b|INCREMENT\b|AS\b|OWNED\b|AUTHORIZATION\b|FOR\b)",
    rf"CREATE\s+(?:TYPE|DOMAIN)\s+{_NAME}\s+AS\b",
    rf"CREATE\s+(?:OR\s+REPLACE\s+)?(?:POLICY|RULE)\s+.*\b(?:ON|TO)\s+{_NAME}",
    rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?{_NAME}\s+(?:ADD|DROP|RENAME|ALTER|ENABLE|DISABLE|OWNER|SET|VALIDATE|REPLICA|FORCE|NO|ATTACH|DETACH|CLUSTER|INHERIT|RESET)\b",
    rf"ALTER\s+(?!TABLE){_KINDS}\s+(?:IF\s+EXISTS\s+)?{_NAME}\s+\w+",
    rf"DROP\s+{_KINDS}\s+(?:CONCURRENTLY\s+)?(?:IF\s+EXISTS\s+)?{_NAME}(?:\s*,\s*{_NAME})*(?:\s+ON\s+{_NAME})?\s*(?:CASCADE|RESTRICT)?\s*(?:;|\Z|--)",
    rf"WITH\s+(?:RECURSIVE\s+)?{_NAME}\s*(?:\([^)]*\)\s*)?AS\s+(?:NOT\s+MATERIALIZED\s+|MATERIALIZED\s+)?\(",
    r"DO\s+(?:LANGUAGE\s+\w+\s+)?\$(\w*)\$.*\$",
    r"PRAGMA\s+[\w.]+\s*(?:=|\(|;|\Z)",
    rf"TRUNCATE\s+(?:TABLE\s+)?(?:ONLY\s+)?{_NAME}\s*(?:,|;|\Z|CASCADE\b|RESTART\b|CONTINUE\b)",
    r"COMMENT\s+ON\s+\w+\s+.*\bIS\b",
    r"(?:GRANT|REVOKE)\s+.*\b(?:ON|TO|FROM)\s+\S",
    rf"REFRESH\s+MATERIALIZED\s+VIEW\s+{_NAME}",
    r"EXPLAIN\s+(?:ANALYZE\s+|QUERY\s+PLAN\s+|\([^)]*\)\s*)?(?:SELECT|INSERT|UPDATE|DELETE|WITH)\s",
    rf"MERGE\s+INTO\s+{_NAME}",
    rf"COPY\s+{_NAME}\s*(?:\([^)]*\)\s*)?(?:FROM|TO)\s",
)
_ONLY_HANDED = (
    r"(?:BEGIN|COMMIT|ROLLBACK|END)(?:\s+(?:TRANSACTION|WORK|IMMEDIATE|DEFERRED|EXCLUSIVE|TO\s+\S+))*\s*(?:;|\Z)",
    r"(?:SAVEPOINT|RELEASE)\s+\S+",
    r"SET\s+(?:LOCAL\s+|SESSION\s+)?[\w.]+\s*(?:=|TO\b)",
    r"(?:VACUUM|ANALYZE|REINDEX)\b[\w\s\"().,]*(?:;|\Z)",
    r"(?:LOCK\s+TABLE|ATTACH|DETACH)\s+\S",
)
_SPACE = r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*"
_FLAGS = re.IGNORECASE | re.DOTALL
_SQL = re.compile(_SPACE + r"(?P<first>(?:" + "|".join(_STATEMENTS) + r"))", _FLAGS)
_HANDED = re.compile(_SPACE + r"(?:" + "|".join(_ONLY_HANDED) + r")", _FLAGS)
_EVIDENCE = re.compile(r"[=*?;]|\(|\$\d|:\w|%s|\n\s*(?:from|where|set|values)\b", re.IGNORECASE)
_PROSE = re.compile(
    r"\b(?:the|your|an|please|failed|could not|cannot)\b|[.!:?…]\s*\Z|'\w+ |, and ", re.IGNORECASE
)
_FIRST_WORDS = frozenset({
    "SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "WITH", "DO", "PRAGMA",
    "TRUNCATE", "COMMENT", "GRANT", "REVOKE", "REFRESH", "EXPLAIN", "MERGE", "COPY", "BEGIN", "COMMIT",
    "ROLLBACK", "END", "SAVEPOINT", "RELEASE", "SET", "VACUUM", "ANALYZE", "REINDEX", "LOCK", "ATTACH",
    "DETACH",
})  # fmt: skip
_ANYWHERE = re.compile(
    rf"(?<![\w.])(?:{'|'.join(sorted(_FIRST_WORDS - {'END', 'DO', 'SET'}))}|DO \$)(?=[\s;\"'`])",
    re.IGNORECASE,
)
_WORD = re.compile(_SPACE + r"([A-Za-z]+)", _FLAGS)


def may_begin(text: str) -> bool:
    """Whether a string begins with a word that SQL begins with: looked at first, since most do not."""
    word = _WORD.match(text)
    return word is not None and word.group(1).upper() in _FIRST_WORDS


def may_have_sql(text: str) -> bool:
    """Whether a source has any word that SQL begins with, with something behind it."""
    return _ANYWHERE.search(text) is not None


def is_sql(text: str, *, certain: bool) -> bool:
    """Returns whether a string of a source is SQL.

    Args:
        text: what it says, ``${…}`` for what is not known.
        certain: whether it is handed to something that takes SQL, or named after it.
    """
    if not may_begin(text):
        return False
    if certain and _HANDED.match(text):
        return True
    found = _SQL.match(text)
    if found is None:
        return False
    return certain or _looks_written(text, found["first"].split(None, 1)[0])


def _looks_written(text: str, first: str) -> bool:
    """Whether it is written as SQL is: in capitals, or with marks that prose has not."""
    if first.isupper():
        return not (_PROSE.search(text) and not _EVIDENCE.search(text))
    return first.islower() and _EVIDENCE.search(text) is not None and _PROSE.search(text) is None
