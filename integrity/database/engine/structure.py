"""What a target is made of: tables, columns, types, and what depends on what."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from integrity.database.conversions import Conversion
from integrity.database.dependents import Dependent
from integrity.database.field_types import FieldType
from integrity.database.identifiers import TableName
from integrity.database.schema import Column, ForeignKey, Schema, Table
from integrity.database.session import Session
from integrity.database.statistics import Statistics


class Structure(ABC):
    """Tables, types, dependents, statistics."""

    @abstractmethod
    def introspect(self, session: Session) -> Schema:
        """Reads the structure in a fixed number of queries; our journal is left out."""

    @abstractmethod
    def statistics(self, session: Session) -> Statistics:
        """Rows, sizes and uses of indexes, as the database knows them: no large table is counted."""

    @abstractmethod
    def dependents(
        self,
        session: Session,
        schema: Schema,
        table: Table,
        column: str,
        *,
        besides: Sequence[TableName] = (),
    ) -> list[Dependent]:
        """What uses a column, in an order in which it can be made again; not the views ``besides``, nor what
        uses only those."""

    @abstractmethod
    def table_dependents(self, session: Session, schema: Schema, table: Table) -> list[Dependent]:
        """What uses a table from outside, in an order in which it can be made again: foreign keys of other
        tables, views, rules and triggers of others; not what hangs on the table itself."""

    @abstractmethod
    def table_parts(self, session: Session, table: Table) -> list[Dependent]:
        """What hangs on a table itself, but its primary key, with the statements that make it again on
        another table of this name."""

    def carried_over(self, session: Session, table: Table) -> list[str]:
        """The statements that give another table of this name what is beside its structure: rights, a
        comment, an owner."""
        return []

    @abstractmethod
    def field_types(self, session: Session, schema: Schema) -> Mapping[tuple[TableName, str], FieldType]:
        """The field of Django's for every column, for models of the target."""

    def type_name(self, written: str) -> str:
        """How the engine itself calls a type as somebody wrote it."""
        return written

    @abstractmethod
    def same_type(self, written: str, column: Column) -> bool:
        """Whether a type as somebody wrote it is the one that a column has."""

    @abstractmethod
    def conversion(self, name: str, written: str, to: str) -> Conversion:
        """How a column of one type is read as another."""

    @abstractmethod
    def numbers_rows(self, written: str) -> bool:
        """Whether a type as somebody wrote it brings the numbering of rows with it."""

    @abstractmethod
    def unusable(self, session: Session, key: ForeignKey) -> str:
        """Why a foreign key that is there cannot work, empty where it can."""
