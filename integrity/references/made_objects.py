"""What a script makes, by name: told apart, written down in migrations, and looked for in a target."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from integrity.database.identifiers import parse_path, parse_table
from integrity.database.schema import Schema, Table, TableKind


class ObjectKind(StrEnum):
    """What an object is; of others it is not known whether they stand."""

    TABLE = "table"
    COLUMN = "column"
    INDEX = "index"
    TRIGGER = "trigger"
    VIEW = "view"
    FUNCTION = "function"


@dataclass(frozen=True, order=True)
class MadeObject:
    """An object by its names in small letters, as scripts of both engines mean them; ``schema`` is empty for
    the usual one."""

    kind: ObjectKind
    name: str
    schema: str = ""
    column: str = ""

    def __str__(self) -> str:
        """As it is written in migrations: ``column orders.note``, ``index "odd name"``."""
        parts = (self.schema, self.name, self.column)
        return f"{self.kind} {written_name(*filter(None, parts))}"

    @classmethod
    def read(cls, text: str) -> MadeObject:
        """Reads what ``str`` writes.

        Raises:
            ValueError, InvalidIdentifier: for anything else.
        """
        word, _, rest = text.partition(" ")
        kind = ObjectKind(word)
        if kind is ObjectKind.COLUMN:
            path = parse_path(rest)
            return cls(kind, path.table, path.schema or "", path.columns[0])
        path = parse_table(rest)
        return cls(kind, path.table, path.schema or "")


def written_name(*parts: str) -> str:
    """Returns a dotted name as catalogs write it: ``orders``, ``"odd name".id``."""
    return ".".join(map(_written, parts))


def _written(name: str) -> str:
    plain = name.replace("_", "a").isalnum() and name.isascii()
    return name if plain else '"' + name.replace('"', '""') + '"'


_VIEWS = (TableKind.VIEW, TableKind.MATERIALIZED_VIEW)


def tables_named(schema: Schema, name: str, within: str = "") -> list[Table]:
    """Returns the tables and views of a name in small letters; without a schema, of the usual one first."""
    found = [each for each in schema if each.name.name.lower() == name]
    if within:
        return [each for each in found if each.name.schema.lower() == within]
    return sorted(found, key=lambda each: each.name.schema != schema.default_schema)


def stands(schema: Schema, made: MadeObject, functions: Collection[str] | None = None) -> bool:
    """Whether an object is there.

    Args:
        schema: the target's structure.
        made: the object.
        functions: the names of the target's functions in small letters; None: not known, so that none is
            missed.
    """
    if made.kind is ObjectKind.FUNCTION:
        return functions is None or made.name in functions
    if made.kind in (ObjectKind.TABLE, ObjectKind.VIEW, ObjectKind.COLUMN):
        return any(_has(each, made) for each in tables_named(schema, made.name, made.schema))
    return next(_hanging(schema, made), None) is not None


def _has(table: Table, made: MadeObject) -> bool:
    if made.kind is ObjectKind.COLUMN:
        return made.column in (name.lower() for name in table.column_names)
    return (table.kind in _VIEWS) == (made.kind is ObjectKind.VIEW)


def _hanging(schema: Schema, made: MadeObject) -> Iterator[Table]:
    """The tables that an index or trigger of that name hangs on."""
    for table in schema:
        if made.schema in ("", table.name.schema.lower()):
            own = (
                [each.name for each in table.triggers]
                if made.kind is ObjectKind.TRIGGER
                else [*(each.name for each in table.indexes), *(each.name for each in table.keys)]
            )
            if made.name in (name.lower() for name in own):
                yield table


def missing(
    schema: Schema, objects: Sequence[MadeObject], functions: Collection[str] | None = None
) -> list[MadeObject]:
    """Returns the objects that are not there; of a table that is not, its columns and indexes go unsaid."""
    gone = [each for each in objects if not stands(schema, each, functions)]
    tables = {(each.schema, each.name) for each in gone if each.kind is ObjectKind.TABLE}
    return [
        each for each in gone if each.kind is not ObjectKind.COLUMN or (each.schema, each.name) not in tables
    ]
