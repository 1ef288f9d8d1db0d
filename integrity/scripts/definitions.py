"""What scripts define: frozen facts, each with its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from integrity.database.schema import Action
from integrity.scripts.cursor import ObjectName
from integrity.scripts.statement import Dialect, Place, Statement

ENGINES = frozenset({Dialect.POSTGRESQL, Dialect.SQLITE})


def engines(statement: Statement) -> frozenset[Dialect]:
    """Returns the engines for which a statement is run."""
    return ENGINES if statement.engine is Dialect.SHARED else frozenset({statement.engine})


class Kind(StrEnum):
    """What an object is."""

    TABLE = "table"
    VIEW = "view"
    INDEX = "index"
    FUNCTION = "function"
    TRIGGER = "trigger"
    TYPE = "type"
    SEQUENCE = "sequence"


@dataclass(frozen=True)
class ColumnDefinition:
    """A column as a script writes it; ``default`` is its SQL, ``generated`` says it is computed."""

    name: str
    type: str
    place: Place
    nullable: bool = True
    default: str = ""
    generated: bool = False
    identity: bool = False
    collation: str = ""


@dataclass(frozen=True)
class KeyDefinition:
    """A primary key or unique."""

    columns: tuple[str, ...]
    place: Place
    primary: bool = False
    name: str = ""


@dataclass(frozen=True)
class ForeignKeyDefinition:
    """A foreign key; ``referenced_columns`` is empty where it means the primary key."""

    columns: tuple[str, ...]
    referenced: ObjectName
    referenced_columns: tuple[str, ...]
    place: Place
    on_delete: Action = Action.NO_ACTION
    on_update: Action = Action.NO_ACTION
    name: str = ""


@dataclass(frozen=True)
class Event:
    """Something that a statement does to the schema.

    ``conditional`` says that it stands in a block or routine that decides whether it is done.
    """

    kind: Kind
    name: ObjectName
    place: Place
    statement: Statement
    conditional: bool = field(default=False, kw_only=True)

    @property
    def engines(self) -> frozenset[Dialect]:
        """The engines for which it is done."""
        return engines(self.statement)


@dataclass(frozen=True)
class Definition(Event):
    """An object that is made.

    ``open`` says that its columns are not all known (AS SELECT, LIKE, INHERITS, a virtual table).
    ``table`` is that of an index or trigger, ``calls`` the function of a trigger. ``arguments`` tell the
    functions of one name apart. ``body`` is a routine's text, beginning at ``body_offset`` in the
    statement; ``terms`` are the parts of an index, of a trigger when it fires.
    """

    if_not_exists: bool = False
    or_replace: bool = False
    temporary: bool = False
    columns: tuple[ColumnDefinition, ...] = ()
    keys: tuple[KeyDefinition, ...] = ()
    foreign_keys: tuple[ForeignKeyDefinition, ...] = ()
    checks: tuple[str, ...] = ()
    open: bool = False
    table: ObjectName | None = None
    calls: ObjectName | None = None
    arguments: str = ""
    body: str = ""
    body_offset: int = 0
    language: str = ""
    unique: bool = False
    terms: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()
    where: str = ""
    base_type: str = ""

    def column(self, name: str) -> ColumnDefinition | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name.lower() == name.lower()), None)

    @property
    def primary_key(self) -> KeyDefinition | None:
        """The primary key, or None."""
        return next((key for key in self.keys if key.primary), None)


@dataclass(frozen=True)
class Removal(Event):
    """An object that is dropped; ``table`` is that of a trigger."""

    if_exists: bool = False
    cascade: bool = False
    table: ObjectName | None = None


class Alter(StrEnum):
    """What an ALTER TABLE does."""

    ADD_COLUMN = "add column"
    DROP_COLUMN = "drop column"
    RENAME_COLUMN = "rename column"
    RENAME = "rename"
    CHANGE_COLUMN = "change column"
    ADD_KEY = "add key"
    ADD_FOREIGN_KEY = "add foreign key"
    ADD_CHECK = "add check"
    DROP_CONSTRAINT = "drop constraint"
    OPEN = "open"


@dataclass(frozen=True)
class Alteration(Event):
    """One action of an ALTER TABLE; ``new_name`` is a table's or column's, ``column_name`` the old one.

    ``guarded`` says IF [NOT] EXISTS on the column or constraint, ``table_guarded`` on the table.
    """

    action: Alter = Alter.OPEN
    column_name: str = ""
    new_name: str = ""
    column: ColumnDefinition | None = None
    type: str = ""
    nullable: bool | None = None
    default: str | None = None
    key: KeyDefinition | None = None
    foreign_key: ForeignKeyDefinition | None = None
    keys: tuple[KeyDefinition, ...] = ()
    foreign_keys: tuple[ForeignKeyDefinition, ...] = ()
    check: str = ""
    guarded: bool = False
    table_guarded: bool = False
