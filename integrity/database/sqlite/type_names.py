"""What a declared type means to SQLite: an affinity, and nothing else outside of STRICT tables."""

from __future__ import annotations

_AFFINITIES = (
    ("integer", ("INT",)),
    ("text", ("CHAR", "CLOB", "TEXT")),
    ("blob", ("BLOB",)),
    ("real", ("REAL", "FLOA", "DOUB")),
)


def affinity(declared: str) -> str:
    """Returns the affinity of a declared type (SQLite manual, "Datatypes in SQLite" 3.1, in its order)."""
    name = declared.upper()
    if not name.strip():
        return "blob"
    found = (kind for kind, words in _AFFINITIES if any(word in name for word in words))
    return next(found, "numeric")


def numbers_rows(declared: str) -> bool:
    """Whether what is written as a type makes the column the key that SQLite numbers."""
    return "PRIMARY KEY" in " ".join(declared.upper().split())
