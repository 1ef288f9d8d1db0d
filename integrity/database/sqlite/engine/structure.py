"""SQLite: what a target is made of: tables, columns, types, and what depends on what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrity.database.conversions import Conversion
from integrity.database.dependents import Dependent
from integrity.database.engine.structure import Structure
from integrity.database.field_types import FieldType
from integrity.database.identifiers import TableName
from integrity.database.schema import Column, ForeignKey, Schema, Table
from integrity.database.session import Session
from integrity.database.sqlite import errors, field_types, introspection, statistics, type_names
from integrity.database.sqlite.conversions import SQLiteConversion
from integrity.database.sqlite.dependents import dependents
from integrity.database.sqlite.table_dependents import table_dependents, table_parts
from integrity.database.statistics import Statistics


class SQLiteStructure(Structure):
    """Tables, types, dependents, statistics."""

    def introspect(self, session: Session) -> Schema:
        """Six queries."""
        return introspection.introspect(session)

    def statistics(self, session: Session) -> Statistics:
        """By ANALYZE, counts that end early, and rowids."""
        return statistics.statistics(session)

    def dependents(
        self,
        session: Session,
        schema: Schema,
        table: Table,
        column: str,
        *,
        besides: Sequence[TableName] = (),
    ) -> list[Dependent]:
        """Asked of SQLite itself, on a copy of the structure."""
        return dependents(session, schema, table, column, besides)

    def table_dependents(self, session: Session, schema: Schema, table: Table) -> list[Dependent]:
        """Asked of SQLite itself, too."""
        return table_dependents(session, schema, table)

    def table_parts(self, session: Session, table: Table) -> list[Dependent]:
        """By their texts."""
        return table_parts(session, table)

    def field_types(self, session: Session, schema: Schema) -> Mapping[tuple[TableName, str], FieldType]:
        """By type, as far as the values keep to it."""
        return field_types.field_types(session, schema)

    def same_type(self, written: str, column: Column) -> bool:
        """By affinity: SQLite knows no other types."""
        return type_names.affinity(written) == type_names.affinity(column.type)

    def conversion(self, name: str, written: str, to: str) -> Conversion:
        """By the families of the types."""
        return SQLiteConversion(name, written, to)

    def numbers_rows(self, written: str) -> bool:
        """INTEGER PRIMARY KEY."""
        return type_names.numbers_rows(written)

    def unusable(self, session: Session, key: ForeignKey) -> str:
        """Referenced columns that are not unique make every write fail; only compiling shows it."""
        return errors.mismatch(session, key)
