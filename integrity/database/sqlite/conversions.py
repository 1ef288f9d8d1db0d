"""Values of one declared type read as another on SQLite: by storage class, for a column promises nothing.

SQLite has no type for UUIDs: in a column declared so, or as a BLOB, stand 16 bytes or text.
"""

from __future__ import annotations

from dataclasses import dataclass

from integrity.database.conversions import Conversion, Family
from integrity.database.spelling import Form
from integrity.database.sqlite.spelling import form
from integrity.database.sqlite.type_names import affinity

_GROUPS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
_PATTERN = "-".join("[0-9a-f]" * length for _, length in _GROUPS)
_HYPHENATED = " || '-' || ".join(f"substr(b, {start}, {length})" for start, length in _GROUPS)
_FAMILIES = {"integer": Family.WHOLE, "text": Family.TEXT, "blob": Family.UUID}


def family(declared: str) -> Family | None:
    """Returns what a declared type is for."""
    if "UUID" in declared.upper() or "GUID" in declared.upper():
        return Family.UUID
    return _FAMILIES.get(affinity(declared)) if declared.strip() else None


@dataclass(frozen=True)
class SQLiteConversion(Conversion):
    """How the column ``name`` of a row is read as ``to``."""

    @property
    def families(self) -> tuple[Family | None, Family | None]:
        """By their words, as SQLite itself goes by them."""
        return family(self.written), family(self.to)

    def possible(self) -> str:
        """SQL that holds where the value can be read as the other type."""
        if Family.UUID in self.families:
            blob = f"(typeof({self.column}) = 'blob' AND length({self.column}) = 16)"
            bare = self._of_bare("length(b) = 32 AND b NOT GLOB '*[^0-9a-f]*'")
            return f"({self._canonical()} OR ((typeof({self.column}) = 'text' OR {blob}) AND {bare}))"
        if self.families[1] is Family.WHOLE:
            return (
                f"(typeof({self.column}) = 'integer' OR (typeof({self.column}) = 'text' AND {self._whole()}))"
            )
        return f"(typeof({self.column}) IN ('integer', 'text'))"

    def value(self) -> str:
        """SQL for the value in the other type."""
        if Family.UUID in self.families:
            return f"CASE WHEN {self._canonical()} THEN {self.column} ELSE {self._of_bare(_HYPHENATED)} END"
        if self.families[1] is Family.WHOLE:
            return f"CAST({self._trimmed()} AS INTEGER)"
        return f"CAST({self.column} AS TEXT)"

    def respelled(self) -> str:
        """SQL that holds where the way back would not give this value again, in its storage class."""
        if Family.UUID in self.families:
            return f"({self.column} IS NOT NULL AND NOT {self._canonical()})"
        if self.families[0] is Family.WHOLE:
            return f"(typeof({self.column}) = 'text')"
        same = (
            f"typeof({self.column}) = 'text' AND {self.column} COLLATE BINARY = CAST({self.value()} AS TEXT)"
        )
        return f"({self.column} IS NOT NULL AND NOT ({same}))"

    def _canonical(self) -> str:
        """Most are, and this is found at once."""
        return f"(typeof({self.column}) = 'text' AND {self.column} GLOB '{_PATTERN}')"

    def _of_bare(self, expression: str) -> str:
        """An expression over ``b``, the digits alone; LIMIT lets SQLite compute them once a row."""
        return f"(SELECT {expression} FROM (SELECT {form(self.column, Form.NORMAL)} AS b LIMIT 1))"

    def _trimmed(self) -> str:
        return f"trim({self.column}, char(32, 9, 10, 13))"

    def _whole(self) -> str:
        """A sign and digits, within 64 bits: what is greater becomes REAL when it is computed with."""
        text = self._trimmed()
        return (
            f"{text} GLOB '[-+0-9]*' AND {text} GLOB '*[0-9]' AND substr({text}, 2) NOT GLOB '*[^0-9]*' "
            f"AND instr({text}, char(0)) = 0 AND typeof({text} + 0) = 'integer'"
        )
