"""PostgreSQL: how values are compared and spelled in SQL, and which rows a comparison is made with."""

from __future__ import annotations

from collections.abc import Sequence

from integrity.database.engine.comparison import Comparison
from integrity.database.identifiers import quote_table
from integrity.database.json_forms import JsonForms
from integrity.database.postgresql import plans, rows, spelling, type_names
from integrity.database.postgresql.json_forms import PostgreSQLJson
from integrity.database.schema import Column, Table
from integrity.database.session import Session
from integrity.database.spelling import Form
from integrity.exceptions import NotCheckable

DEFAULT_COLLATION = 'pg_catalog."default"'

_COMPARABLE = (
    {"smallint", "integer", "bigint", "numeric", "real", "double precision", "oid"},
    {"text", "character varying", "character", "name", '"char"'},
    {"date", "timestamp without time zone", "timestamp with time zone"},
    {"inet", "cidr"},
    {"bit", "bit varying"},
)

_CAST = {"character": "bpchar", "character varying": "text"}


class PostgreSQLComparison(Comparison):
    """SQL by which values are compared."""

    def equal(self, parent: Column, parent_sql: str, child: Column, child_sql: str) -> str:
        """As the equality operator of the referenced column; text forms where none fits.

        The referencing value takes the referenced type where a foreign key would cast it so
        (PostgreSQL manual, CREATE TABLE, REFERENCES; and 10.2): ``character`` and ``text`` differ
        in their padding, ``real`` in its digits.
        """
        here, there = type_names.bare(child), type_names.bare(parent)
        if here == there or any({here, there} <= family for family in _COMPARABLE):
            casts = (there == "real" and here != "double precision") or "character" in (here, there)
            if here != there and casts:
                child_sql = f"({child_sql})::{_CAST.get(there, there)}"
            if parent.collation != child.collation:
                return f"{parent_sql} = {child_sql} COLLATE {parent.collation or DEFAULT_COLLATION}"
            return f"{parent_sql} = {child_sql}"
        if "json" in (here, there) or "xml" in (here, there):
            raise NotCheckable(f"{child.type} cannot be compared with {parent.type}")
        return f"({parent_sql})::text = ({child_sql})::text"

    def understood(self, session: Session, table: Table, expressions: Sequence[str]) -> list[str]:
        """As EXPLAIN writes them down."""
        return plans.understood(session, self.source(table), expressions)

    def source(self, table: Table) -> str:
        """ONLY the table's own rows, all partitions of a partitioned one."""
        return rows.source(table)

    def parent_source(self, table: Table) -> str:
        """With inheritance children: a value that stands in one of them is not missing."""
        return quote_table(table.name)

    def spelled(self, sql: str, form: Form) -> str:
        """In the "C" collation."""
        return spelling.form(sql, form)

    def json_forms(self, column: Column) -> JsonForms:
        """By the functions of json and jsonb."""
        return PostgreSQLJson(column)

    def epoch(self, sql: str) -> str:
        """By its type."""
        return spelling.epoch(sql)
