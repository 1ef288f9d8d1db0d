"""What an error means, as facts: for people, and for services that act on it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from integrity.diagnosis.causes import ProbableCause
from integrity.explaining.reported import ErrorKind


@dataclass(frozen=True)
class Candidate:
    """A reference that an error could be about, or one that is also in the way, with its rows."""

    reference: str
    rows: int


@dataclass(frozen=True)
class Explanation:
    """An error explained.

    Names are empty and numbers None where nothing could be looked up; ``gaps`` says why.

    Attributes:
        kind: what went wrong.
        message: the error's own first line.
        target: the alias of the database that it came from.
        reference: the rule, as commands name it: ``orders.user_id``.
        constraint: what enforces it, or was to enforce it.
        constraint_state: ``holds for every row``, ``binds new rows only``, ``is not enforced`` or
            ``is not there``.
        schema, table, columns: the referencing side; of a duplicate, the table and its unique columns.
        referenced_schema, referenced_table, referenced_columns: the referenced side.
        values: the values that the error names, as text; ``(masked)`` where the catalog masks the column.
        rows: rows of ``table`` with these values that are in the way: orphans, references, duplicates.
        more_like_it: further rows that are wrong in the same way, with other values.
        missing_keys: values that all orphans of this reference together miss.
        also: other references that this error could be about, or that are in the way too.
        why: what happened, in sentences, the surest first.
        causes: what explains all orphans of the reference, each counted once.
        commands: what to run next, in this order.
        queries: SQL that shows the rows; nothing in it changes anything.
        catalog_entry: what to write into the target catalog, where the rule is not known there.
        gaps: what could not be looked at, and why.
    """

    kind: ErrorKind
    message: str = ""
    target: str = ""
    reference: str = ""
    constraint: str = ""
    constraint_state: str = ""
    schema: str = ""
    table: str = ""
    columns: tuple[str, ...] = ()
    referenced_schema: str = ""
    referenced_table: str = ""
    referenced_columns: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    rows: int | None = None
    more_like_it: int | None = None
    missing_keys: int | None = None
    also: tuple[Candidate, ...] = ()
    why: tuple[str, ...] = ()
    causes: tuple[ProbableCause, ...] = ()
    commands: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    catalog_entry: str = ""
    gaps: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Returns the explanation as plain values."""
        return asdict(self) | {"kind": str(self.kind)}
