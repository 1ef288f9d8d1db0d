"""SQLite: how values are compared and spelled in SQL, and which rows a comparison is made with."""

from __future__ import annotations

from collections.abc import Sequence

from integrity.database.engine.comparison import Comparison
from integrity.database.identifiers import quote_table
from integrity.database.json_forms import JsonForms
from integrity.database.schema import Column, Table
from integrity.database.session import Session
from integrity.database.spelling import Form
from integrity.database.sqlite import plans, spelling
from integrity.database.sqlite.json_forms import SQLiteJson


class SQLiteComparison(Comparison):
    """SQL by which values are compared."""

    def equal(self, parent: Column, parent_sql: str, child: Column, child_sql: str) -> str:
        """With the parent's collation and affinity, as a foreign key compares (SQLite manual,
        "Foreign Key Support" 3): the parent stands left, and ``+`` takes the child's affinity off."""
        return f"{parent_sql} = +{child_sql}"

    def understood(self, session: Session, table: Table, expressions: Sequence[str]) -> list[str]:
        """The programs that they compile to."""
        return plans.understood(session, self.source(table), expressions)

    def source(self, table: Table) -> str:
        """Its name."""
        return quote_table(table.name)

    def parent_source(self, table: Table) -> str:
        """Its name."""
        return quote_table(table.name)

    def spelled(self, sql: str, form: Form) -> str:
        """By storage class."""
        return spelling.form(sql, form)

    def json_forms(self, column: Column) -> JsonForms:
        """By the JSON functions, behind json_valid."""
        return SQLiteJson(column)

    def epoch(self, sql: str) -> str:
        """By storage class."""
        return spelling.epoch(sql)
