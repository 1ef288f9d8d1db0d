"""A reference: a rule that should hold, whether or not a constraint enforces it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from integrity.database.identifiers import TableName
from integrity.database.schema import Action, ForeignKey, Match, Schema, Table


class Resolution(StrEnum):
    """What somebody can decide about orphans."""

    KEEP = "keep"
    DELETE = "delete"
    SET_NULL = "set_null"
    REASSIGN = "reassign"
    RELINK = "relink"
    RESTORE_PARENT = "restore_parent"


class Source(StrEnum):
    """Where a reference came from, the most trusted first."""

    CATALOG = "catalog"
    DECLARED = "declared"
    DJANGO = "django"
    INFERRED = "inferred"


@dataclass(frozen=True)
class Reference:
    """Referencing columns → referenced columns, resolved against a real schema.

    ``name`` is what its constraint is or shall be called, ``policy`` the resolution that the
    catalog prescribes for orphans (None: nobody decided), ``declared`` the constraint that
    exists for it (None: missing).
    """

    table: TableName
    columns: tuple[str, ...]
    referenced_table: TableName
    referenced_columns: tuple[str, ...]
    source: Source = Source.DECLARED
    name: str = ""
    match: Match = Match.SIMPLE
    on_delete: Action = Action.NO_ACTION
    on_update: Action = Action.NO_ACTION
    rationale: str = ""
    policy: Resolution | None = None
    declared: ForeignKey | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.label} → {written(self.referenced_table, self.referenced_columns)}"

    @property
    def label(self) -> str:
        """``orders.customer_id``: how commands name it."""
        return written(self.table, self.columns)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(referencing, referenced) column by column."""
        return tuple(zip(self.columns, self.referenced_columns, strict=True))

    @property
    def sides(self) -> tuple[TableName, tuple[tuple[str, str], ...], TableName]:
        """What makes two references the same rule."""
        return self.table, tuple(sorted(self.pairs)), self.referenced_table

    @property
    def suggestion(self) -> Resolution | None:
        """The policy; else what the delete action suggests; else None: somebody decides."""
        suggested = {Action.CASCADE: Resolution.DELETE, Action.SET_NULL: Resolution.SET_NULL}
        return self.policy or suggested.get(self.on_delete)

    def nullable(self, table: Table) -> bool:
        """Whether at least one referencing column may be NULL, which ends a SIMPLE reference."""
        return any(table.column(name).nullable for name in self.columns)


_IMPLIED_SCHEMAS = ("public", "main")


def written(table: TableName, columns: tuple[str, ...] = ()) -> str:
    """Writes a name in the notation that commands and catalogs read."""
    schema = () if table.schema in _IMPLIED_SCHEMAS else (table.schema,)
    names = [_written(part) for part in (*schema, table.name)]
    listed = ",".join(_written(column) for column in columns)
    return ".".join([*names, listed] if listed else names)


def _written(name: str) -> str:
    return name if re.search(r'[".,\s]', name) is None else '"' + name.replace('"', '""') + '"'


def matching_key(schema: Schema, reference: Reference) -> ForeignKey | None:
    """Returns the foreign key that says what ``reference`` says, whatever its name; a validated
    and enforced one first."""
    if not schema.knows(reference.table):
        return None
    found = [key for key in schema.table(reference.table).foreign_keys if key.sides == reference.sides]
    return max(found, key=lambda key: (key.enforced, key.validated), default=None)
