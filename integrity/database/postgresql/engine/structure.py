"""PostgreSQL: what a target is made of: tables, columns, types, and what depends on what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrity.database.conversions import Conversion
from integrity.database.dependents import Dependent
from integrity.database.engine.structure import Structure
from integrity.database.field_types import FieldType
from integrity.database.identifiers import TableName
from integrity.database.postgresql import field_types, introspection, statistics, table_parts, type_names
from integrity.database.postgresql.conversions import PostgreSQLConversion
from integrity.database.postgresql.dependents import dependents
from integrity.database.postgresql.table_dependents import table_dependents
from integrity.database.schema import Column, ForeignKey, Schema, Table
from integrity.database.session import Session
from integrity.database.statistics import Statistics


class PostgreSQLStructure(Structure):
    """Tables, types, dependents, statistics."""

    def introspect(self, session: Session) -> Schema:
        """Seven queries."""
        return introspection.introspect(session)

    def statistics(self, session: Session) -> Statistics:
        """Three queries of what the server keeps."""
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
        """By the record that the server keeps, and by name in functions."""
        return dependents(session, schema, table, column, besides)

    def table_dependents(self, session: Session, schema: Schema, table: Table) -> list[Dependent]:
        """By the server's record."""
        return table_dependents(session, schema, table)

    def table_parts(self, session: Session, table: Table) -> list[Dependent]:
        """As the server writes them."""
        return table_parts.table_parts(session, table)

    def carried_over(self, session: Session, table: Table) -> list[str]:
        """Rights, comment, owner."""
        return table_parts.carried_over(session, table)

    def field_types(self, session: Session, schema: Schema) -> Mapping[tuple[TableName, str], FieldType]:
        """By type, in two queries."""
        return field_types.field_types(session, schema)

    def type_name(self, written: str) -> str:
        """As ``format_type`` gives it."""
        return type_names.canonical(written)

    def same_type(self, written: str, column: Column) -> bool:
        """By the server's own name of it."""
        return self.type_name(written) == column.type.lower()

    def conversion(self, name: str, written: str, to: str) -> Conversion:
        """By the families of the types."""
        return PostgreSQLConversion(name, type_names.canonical(written), type_names.canonical(to))

    def numbers_rows(self, written: str) -> bool:
        """SERIAL and identities."""
        return type_names.numbers_rows(written)

    def unusable(self, session: Session, key: ForeignKey) -> str:
        """PostgreSQL makes none that cannot."""
        return ""
