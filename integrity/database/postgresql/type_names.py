"""How PostgreSQL itself calls a type that somebody wrote: ``varchar(20)`` is ``character varying(20)``."""

from __future__ import annotations

import re

from integrity.database.schema import Column

# PostgreSQL manual 8, table 8.1, "Data Types": aliases.
_ALIASES = {
    "int": "integer", "int4": "integer", "int2": "smallint", "int8": "bigint", "bool": "boolean",
    "float4": "real", "float8": "double precision", "float": "double precision", "decimal": "numeric",
    "varchar": "character varying", "char": "character", "bpchar": "character", "varbit": "bit varying",
    "timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone",
    "time": "time without time zone", "timetz": "time with time zone",
    "serial": "integer", "serial4": "integer", "serial2": "smallint", "smallserial": "smallint",
    "serial8": "bigint", "bigserial": "bigint",
}  # fmt: skip
NUMBERING = ("serial", "serial2", "serial4", "serial8", "smallserial", "bigserial")
"""Types that are none: an integer with a sequence for its default (manual 8.1.4)."""

_PARTS = re.compile(
    r"^(?P<base>[^(\[]+?)\s*(?:\((?P<sizes>[^)]*)\))?\s*(?P<zone>with(?:out)? time zone)?\s*"
    r"(?P<array>(?:\[\d*\]\s*)*)$"
)
_BEHIND = re.compile(r"\s+(generated|collate|constraint|primary|unique|not|null|check|references)\b.*$", re.S)


def canonical(written: str) -> str:
    """Returns a type as ``format_type`` gives it, without what follows it in a column's definition."""
    text = " ".join(_BEHIND.sub("", f"{written} ".lower()).split())
    match = _PARTS.match(text)
    if match is None:
        return text
    base, zone = match["base"].strip(), match["zone"]
    name = f"{base} {zone}" if zone else _ALIASES.get(base, base)
    sizes = ",".join(part.strip() for part in (match["sizes"] or "").split(",")) if match["sizes"] else ""
    if name == "character" and not sizes:
        sizes = "1"
    if name == "numeric" and sizes and "," not in sizes:
        sizes = f"{sizes},0"
    return _sized(name, sizes) + ("[]" if match["array"] else "")


def _sized(name: str, sizes: str) -> str:
    """The places of a time stand within its name: ``timestamp(3) with time zone``."""
    if not sizes:
        return name
    head, found, rest = name.partition(" with")
    return f"{head}({sizes}){found}{rest}" if found else f"{name}({sizes})"


def numbers_rows(written: str) -> bool:
    """Whether a type makes a default of its own: SERIAL, or GENERATED AS IDENTITY."""
    text = written.lower()
    return text.split("(")[0].strip() in NUMBERING or " generated " in f" {text} "


def bare(column: Column) -> str:
    """A type without its length and time precision: ``character varying(20)`` → ``character varying``."""
    kind = column.stored_type or column.type
    head, _, rest = kind.partition("(")
    return head + rest.partition(")")[2] if rest else head
