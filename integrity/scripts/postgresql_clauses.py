"""Clauses and functions that PostgreSQL alone understands, and SQLite 3.40 refuses; from the manual."""

from __future__ import annotations

from integrity.scripts.engine_feature import CREATED, PER_ENGINE, Feature, FeaturesOf
from integrity.scripts.statement import Dialect

_OF = FeaturesOf(Dialect.POSTGRESQL)
_NOTHING = "SQLite has nothing of the kind. " + PER_ENGINE
_QUERIES = ("SELECT", "WITH", "CREATE", "INSERT", "UPDATE", "DELETE")

FEATURES: tuple[Feature, ...] = (
    # Tables
    _OF.feature(
        r"\bCREATE\s+(?P<shown>UNLOGGED)\b", "SQLite has no log to leave out: leave it out.", only=CREATED
    ),
    _OF.feature(r"\bWITHOUT\s+OVERLAPS\b", _NOTHING, only=CREATED),
    _OF.feature(
        r"\b(?P<shown>SET\s+(?:NULL|DEFAULT))\s*\([^()]*\)",
        "SQLite sets every column of the key: leave the columns out. " + PER_ENGINE,
        "SET NULL (columns)",
        only=CREATED,
    ),
    _OF.feature(
        r"\)\s*(?P<shown>NO\s+INHERIT)\b", "SQLite's tables do not inherit: leave it out.", only=CREATED
    ),
    _OF.feature(r"\bNOT\s+ENFORCED\b", _NOTHING, only=CREATED),
    _OF.feature(
        r"\)\s*(?P<shown>ON\s+COMMIT)\s+(?:DROP|DELETE|PRESERVE)\b",
        "Both have DROP TABLE IF EXISTS, when it is done with.",
        only=("CREATE",),
    ),
    _OF.feature(
        r"\)\s*(?P<shown>WITH)\s*\(",
        "SQLite has no parameters of storage: leave them out.",
        "WITH (…)",
        only=("CREATE",),
    ),
    _OF.feature(
        r"\ACREATE\b[^()]*\bVIEW\b[^()]*\b(?P<shown>WITH)\s*\(", "SQLite's views have no options.", "WITH (…)"
    ),
    _OF.feature(
        r"\bWITH\s+(?:LOCAL\s+|CASCADED\s+)?CHECK\s+OPTION\s*\Z", _NOTHING, "CHECK OPTION", only=("CREATE",)
    ),
    _OF.feature(
        r"\bWITH\s+(?:NO\s+)?DATA\s*\Z",
        "Both have WHERE false, for no rows.",
        "WITH NO DATA",
        only=("CREATE",),
    ),
    _OF.feature(r"\bON\s+ONLY\s+(?=[\w\"])", _NOTHING, "ON ONLY", only=("CREATE",)),
    _OF.feature(r"\AALTER\s+(?P<shown>INDEX|VIEW|FUNCTION|TRIGGER)\b", "Both have DROP, then CREATE."),
    _OF.feature(
        r"\bDROP\s+(?:COLUMN\s+)?[\w\"]+\s+(?P<shown>CASCADE|RESTRICT)\b",
        "SQLite knows no CASCADE here: drop what depends on the column first.",
        "DROP COLUMN … CASCADE",
        "ALTER TABLE … DROP COLUMN …",
        only=("ALTER",),
    ),
    _OF.feature(
        r"\ADROP\s+\w+\s+(?:IF\s+EXISTS\s+)?[\w.\"]+\s*,",
        "SQLite drops one at a time.",
        "DROP a, b",
        "DROP TABLE IF EXISTS a; DROP TABLE IF EXISTS b",
    ),
    # Rows
    _OF.feature(r"\AMERGE\b", "Both have INSERT … ON CONFLICT (…) DO UPDATE SET ….", "MERGE"),
    _OF.feature(
        r"\bOVERRIDING\s+(?:SYSTEM|USER)\s+VALUE\b", "SQLite takes the value that is given.", "OVERRIDING"
    ),
    _OF.feature(r"\bWHERE\s+CURRENT\s+OF\b", "SQLite has no cursors: say which row in WHERE.", "CURRENT OF"),
    _OF.feature(
        r"[(,]\s*(?P<shown>DEFAULT)\s*(?=[,)])",
        "SQLite has no DEFAULT among values: leave the column out.",
        "DEFAULT as a value",
        only=("INSERT", "WITH"),
    ),
    _OF.feature(
        r"=\s*(?P<shown>DEFAULT)\b",
        "Write the value itself.",
        "DEFAULT as a value",
        only=("UPDATE", "INSERT"),
    ),
    _OF.feature(
        r"\b(?:FROM|UPDATE)\s+(?P<shown>ONLY)\s+[\w\"]", "SQLite's tables do not inherit: leave it out."
    ),
    # Queries
    _OF.feature(r"\ATABLE\s+(?=[\w\"])", "Both have SELECT * FROM.", "TABLE", "SELECT * FROM …"),
    _OF.feature(
        r"\ASELECT\b[^()]*?\b(?P<shown>INTO)\s+(?:TEMP\w*\s+|TABLE\s+)*[\w\"]+\s+FROM\b",
        "Both have CREATE TABLE … AS SELECT.",
        "SELECT INTO",
        "CREATE TABLE … AS SELECT …",
    ),
    _OF.feature(r"\bFETCH\s+(?:FIRST|NEXT)\b", "Both have LIMIT.", "FETCH FIRST", "LIMIT …", only=_QUERIES),
    _OF.feature(
        r"\bTABLESAMPLE\b", "Both have ORDER BY random() LIMIT ….", "TABLESAMPLE", "ORDER BY random() LIMIT …"
    ),
    _OF.feature(
        r"\b(?:ROLLUP|CUBE|GROUPING\s+SETS)\s*\(", "Both have UNION ALL of a query for each.", "GROUPING SETS"
    ),
    _OF.feature(
        r"\bUSING\s*\([^()]*\)\s*(?P<shown>AS)\s+[\w\"]+",
        "Both have ON, and aliases of tables.",
        "USING … AS",
    ),
    _OF.feature(r"<->|<=>|<#>|<%|%>", _NOTHING, "an operator of an extension", only=_QUERIES),
    _OF.feature(
        r"\bORDER\s+BY\s+[\w.\"]+\s+USING\s*[<>]", "Both have ASC and DESC.", "USING <", "ORDER BY … DESC"
    ),
    _OF.feature(r"\|\|?/\s*\d", "Write the root in the application.", "|/"),
    _OF.feature(r"\bWITH\s+ORDINALITY\b", "Both have row_number() OVER ().", "WITH ORDINALITY"),
    # Functions
    _OF.feature(
        r"(?<!\w)SUBSTRING\s*\([^()]*\bFROM\b",
        "Both have substr(a, 2, 3).",
        "SUBSTRING … FROM",
        "substr(…, …)",
    ),
    _OF.feature(r"(?<!\w)POSITION\s*\([^()]*\bIN\b", "SQLite has instr(). " + PER_ENGINE, "POSITION"),
    _OF.feature(
        r"(?<!\w)TRIM\s*\(\s*(?:BOTH|LEADING|TRAILING|[^()]*\bFROM)\b",
        "Both have trim(a), ltrim(a) and rtrim(a).",
        "TRIM … FROM",
        "trim(…)",
    ),
    _OF.function(r"char_length|character_length", "Both have length().", "length("),
    _OF.function(
        r"lpad|rpad|md5|bool_and|bool_or|strpos|initcap|btrim|to_number|cardinality|date_bin|regexp_match"
        r"|quote_ident|quote_literal|array_to_string|array_append|array_remove|array_position|encode|decode",
        "SQLite has no such function. " + PER_ENGINE,
    ),
)
