"""What a target's structure is: frozen facts, read once, the same for every engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from integrity.database.identifiers import Path, TableName, parse_table
from integrity.database.structures import fingerprint, structure_of
from integrity.exceptions import UnknownTable

LEDGER = "django_migrations"
"""Where Django keeps which migrations were applied; no part of what a target is."""


class Action(StrEnum):
    """What a foreign key does when a referenced row is deleted, spelled as in SQL."""

    CASCADE = "CASCADE"
    SET_NULL = "SET NULL"
    SET_DEFAULT = "SET DEFAULT"
    RESTRICT = "RESTRICT"
    NO_ACTION = "NO ACTION"


class Match(StrEnum):
    """How NULLs and periods count (SQL:2016 4.18.3.3; SQLite always matches SIMPLE)."""

    SIMPLE = "SIMPLE"
    FULL = "FULL"
    PARTIAL = "PARTIAL"
    PERIOD = "PERIOD"


class TableKind(StrEnum):
    """What a relation is; only the first three hold rows that can be repaired."""

    TABLE = "table"
    PARTITIONED = "partitioned table"
    PARTITION = "partition"
    VIEW = "view"
    MATERIALIZED_VIEW = "materialized view"
    FOREIGN = "foreign table"
    VIRTUAL = "virtual table"


@dataclass(frozen=True)
class Column:
    """A column.

    ``type`` is spelled as in DDL (``character varying(20)``); ``stored_type`` is what a journal
    keeps it in: the base type of a domain, text for an enum, empty on SQLite.
    ``generated`` columns are computed, ``identity`` is ``ALWAYS``, ``BY DEFAULT`` or empty.
    ``collation`` is given where it is not the type's default, ``loose`` says that it finds different
    texts equal.
    """

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    generated: bool = False
    identity: str = ""
    stored_type: str = ""
    collation: str = ""
    loose: bool = False

    @property
    def equality(self) -> str:
        """The collation by which its values are equal, empty where only the same are."""
        return self.collation if self.loose else ""


@dataclass(frozen=True)
class Key:
    """A primary key or unique: NULLs are distinct unless ``nulls_distinct`` is false.

    ``where`` makes it partial and ``expressions`` not only columns: neither can be referenced.
    """

    name: str
    columns: tuple[str, ...]
    primary: bool = False
    constraint: bool = True
    nulls_distinct: bool = True
    where: str = ""
    expressions: bool = False
    deferrable: bool = False

    @property
    def referenceable(self) -> bool:
        """Whether a foreign key may point here."""
        return not (self.where or self.expressions or self.deferrable)


@dataclass(frozen=True)
class ForeignKey:
    """A constraint that the database does have. SQLite's may be nameless (``name`` empty)."""

    name: str
    table: TableName
    columns: tuple[str, ...]
    referenced_table: TableName
    referenced_columns: tuple[str, ...]
    on_delete: Action = Action.NO_ACTION
    on_update: Action = Action.NO_ACTION
    match: Match = Match.SIMPLE
    deferrable: bool = False
    deferred: bool = False
    validated: bool = True
    enforced: bool = True

    @property
    def sides(self) -> tuple[TableName, tuple[tuple[str, str], ...], TableName]:
        """What is compared when two rules are asked whether they say the same."""
        pairs = zip(self.columns, self.referenced_columns, strict=True)
        return self.table, tuple(sorted(pairs)), self.referenced_table


@dataclass(frozen=True)
class Index:
    """An index; ``columns`` are its plain columns, ``expressions`` says there is more.

    Part by part, in order: ``terms`` is the SQL of a column or expression, ``collations`` is given where
    it is not the type's default (``loose`` where it finds different texts equal), ``operators``
    (PostgreSQL's operator class) where it is not the usual one, ``directions`` where it is not ascending.
    ``include`` are columns that are only kept beside, and ``needed_by`` says what would be lost with the
    index, empty where nothing but speed.
    """

    name: str
    table: TableName
    columns: tuple[str, ...]
    unique: bool = False
    method: str = "btree"
    where: str = ""
    expressions: bool = False
    valid: bool = True
    definition: str = ""
    terms: tuple[str, ...] = ()
    collations: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    loose: tuple[bool, ...] = ()
    needed_by: str = ""

    @property
    def equalities(self) -> tuple[str, ...]:
        """Part by part, the collation by which values are equal, empty where only the same are."""
        pairs = zip(self.collations, self.loose, strict=True)
        return tuple(name if loose else "" for name, loose in pairs)

    def serves(self, columns: tuple[str, ...]) -> bool:
        """Whether it finds rows by all of ``columns``: they lead it, in any order."""
        usable = self.valid and not self.where and self.method in ("btree", "hash")
        return usable and set(self.leading[: len(columns)]) == set(columns)

    @property
    def leading(self) -> tuple[str, ...]:
        """The columns before the first expression."""
        if not self.expressions:
            return self.columns
        pairs = zip(self.terms, self.columns, strict=False)
        plain = [term in (name, '"' + name.replace('"', '""') + '"') for term, name in pairs]
        return self.columns[: (*plain, False).index(False)]


@dataclass(frozen=True)
class Trigger:
    """A trigger of the users' own; ``definition`` is its CREATE statement.

    ``firing`` is PostgreSQL's: ``origin``, ``always``, ``replica`` or ``disabled``.
    """

    name: str
    table: TableName
    definition: str
    events: tuple[str, ...] = ()
    firing: str = "origin"

    def fires_on(self, event: str) -> bool:
        """Whether an ordinary session's ``event`` (INSERT, UPDATE, DELETE) sets it off."""
        return event in self.events and self.firing in ("origin", "always")


@dataclass(frozen=True)
class Table:
    """A relation with everything that hangs on it.

    ``parents`` and ``children`` are PostgreSQL inheritance or partitioning; ``estimated_rows``
    is the planner's guess, -1 where there is none. ``rowid`` is the name under which SQLite's
    rowid can be reached, empty where there is none. ``definition`` is SQLite's stored text.
    ``hidden`` says why this role may not see all of its rows, empty where it does, and
    ``unreadable`` are the columns that it may not read where it may read others. ``partition_key`` are
    the columns by which its rows are spread, an empty name for an expression.
    """

    name: TableName
    kind: TableKind
    columns: tuple[Column, ...]
    keys: tuple[Key, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    parents: tuple[TableName, ...] = ()
    children: tuple[TableName, ...] = ()
    estimated_rows: int = -1
    readable: bool = True
    row_security: bool = False
    rowid: str = ""
    strict: bool = False
    definition: str = ""
    owned: bool = True
    oid: int = 0
    checks: tuple[str, ...] = ()
    hidden: str = ""
    unreadable: tuple[str, ...] = ()
    partition_key: tuple[str, ...] = ()

    @property
    def primary_key(self) -> Key | None:
        """The primary key, or None."""
        return next((key for key in self.keys if key.primary), None)

    @property
    def column_names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def stored_columns(self) -> tuple[Column, ...]:
        """The columns that hold values of their own: generated ones are computed again."""
        return tuple(column for column in self.columns if not column.generated)

    def column(self, name: str) -> Column:
        """Returns the column of that name.

        Raises:
            UnknownTable: with the nearest name.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise UnknownTable(f"{self.name} has no column {name!r}", hint=did_you_mean(name, self.column_names))

    def has_columns(self, names: tuple[str, ...]) -> bool:
        """Whether every one of ``names`` is a column here."""
        return set(names) <= set(self.column_names)

    def key_on(self, columns: tuple[str, ...]) -> Key | None:
        """The key that a foreign key to ``columns`` would point at, or None."""
        found = (key for key in self.keys if key.referenceable and set(key.columns) == set(columns))
        return next(found, None)

    def index(self, name: str) -> Index | None:
        """The index of exactly that name, or None."""
        return next((index for index in self.indexes if index.name == name), None)

    def index_serving(self, columns: tuple[str, ...]) -> Index | None:
        """The index by which rows are found by ``columns``, or None."""
        return next((index for index in self.indexes if index.serves(columns)), None)


@dataclass(frozen=True)
class Schema:
    """A target's whole structure at one moment.

    ``closed`` are the tables of schemas that ``role`` may not use: nothing in them can be looked at,
    and whoever names one is told the GRANT instead of that there is no such table.
    """

    vendor: str
    version: str
    default_schema: str
    tables: dict[TableName, Table] = field(default_factory=dict)
    closed: dict[TableName, Table] = field(default_factory=dict)
    role: str = ""

    def __iter__(self) -> Iterator[Table]:
        return iter(self.tables.values())

    def table(self, name: TableName) -> Table:
        """Returns the table of exactly that name.

        Raises:
            UnknownTable: with the nearest name.
        """
        if not self.knows(name):
            near = did_you_mean(name.name, [table.name for table in self.tables])
            raise UnknownTable(f"There is no table {name}", hint=near)
        return self.tables[name] if name in self.tables else self.closed[name]

    def knows(self, name: TableName) -> bool:
        """Whether there is a table of exactly that name, reachable or not."""
        return name in self.tables or name in self.closed

    def resolve(self, path: Path | str) -> TableName:
        """Returns the table that a written name means: its schema, else the default schema,
        else the only schema that has one of that name.

        Raises:
            UnknownTable: when there is none, or more than one.
        """
        path = parse_table(path) if isinstance(path, str) else path
        wanted = TableName(path.schema or self.default_schema, path.table)
        if wanted in self.tables:
            return wanted
        if path.schema is None:
            found = [name for name in self.tables if name.name == path.table]
            found = found or [name for name in self.closed if name.name == path.table]
            if len(found) == 1:
                return found[0]
            if found:
                several = ", ".join(map(str, found))
                raise UnknownTable(f"{path.table} is in several schemas", hint=f"Write one of {several}.")
        return self.table(wanted).name

    def foreign_keys(self) -> Iterator[ForeignKey]:
        """Every foreign key of every table."""
        for table in self:
            yield from table.foreign_keys

    def leaves(self, name: TableName) -> tuple[Table, ...]:
        """The tables that really hold the rows of ``name``: itself, or its partitions."""
        table = self.table(name)
        if table.kind is not TableKind.PARTITIONED:
            return (table,)
        return tuple(leaf for child in table.children for leaf in self.leaves(child))

    def structure(self) -> dict[str, Any]:
        """As plain values, without the ledger that Django makes when the first migration is applied."""
        return structure_of(table for table in self if table.name.name != LEDGER)

    def fingerprint(self) -> str:
        """A digest of the structure."""
        return fingerprint(self.structure())


def did_you_mean(name: str, known: list[str] | tuple[str, ...]) -> str:
    """Returns a sentence with the nearest known name, or the known names when none is near."""
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]}?"
    names = sorted(known)
    listed = ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
    return f"Known are: {listed}." if known else ""
