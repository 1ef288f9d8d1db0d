"""What a planner knows of a target while it reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from integrity.database.engine import Engine
from integrity.database.identifiers import TableName, column, parse_table, quote_table
from integrity.database.schema import Column, Schema, Table
from integrity.database.session import Session
from integrity.exceptions import CatalogError, PlanRefused, ReferentialIntegrityError
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference, written


@dataclass(frozen=True)
class Known:
    """An open reading, the structure, what the catalog says, and every reference."""

    session: Session
    schema: Schema
    catalog: Catalog
    references: Sequence[Reference]

    @property
    def engine(self) -> Engine:
        """The session's engine."""
        return self.session.engine

    @property
    def origin(self) -> str:
        """Where the catalog is, for messages."""
        return str(self.catalog.file or f"{self.session.target}, without a catalog")

    def described(self, rows: dict[str, dict[str, Any]], word: str) -> dict[TableName, dict[str, Any]]:
        """Returns the rows that a catalog describes under ``word`` by their tables.

        Raises:
            CatalogError: for a table or column that the target does not have.
        """
        return {self._table(name, values, word): values for name, values in rows.items()}

    def exists(self, table: TableName, key: Sequence[tuple[str, Any]]) -> bool:
        """Whether a table has a row with these values."""
        where = " AND ".join(f"{column(name)} = %s" for name, _ in key)
        sql = f"SELECT EXISTS (SELECT 1 FROM {quote_table(table)} WHERE {where})"
        return bool(self.session.value(sql, [value for _, value in key]))

    def refuse_incomplete(self, table: TableName, given: Sequence[str], where: str) -> None:
        """Raises PlanRefused where a row with values for ``given`` alone could not be inserted."""
        lacking = [
            each.name
            for each in self.schema.table(table).columns
            if each.name not in given and _needed(self.schema.table(table), each, self.schema.vendor)
        ]
        if lacking:
            raise PlanRefused(
                f"A row of {written(table)} cannot be made without {', '.join(lacking)}: "
                "NOT NULL, and without a default",
                where=where,
                hint="Give a value for each in the catalog.",
            )

    def _table(self, name: str, values: dict[str, Any], word: str) -> TableName:
        where = f"{self.catalog.file}, [{word}.{name}]"
        try:
            table = self.schema.table(self.schema.resolve(parse_table(name)))
            for each in values:
                if table.column(each).generated:
                    raise CatalogError(
                        f"{each} is computed from other columns", where=where, hint="Leave it out."
                    )
        except CatalogError:
            raise
        except ReferentialIntegrityError as error:
            raise CatalogError(error.what, where=where, hint=error.hint) from error
        return table.name


def _needed(table: Table, each: Column, vendor: str) -> bool:
    """Whether somebody must give a value: SQLite fills the alias of a rowid itself."""
    if each.nullable or each.default is not None or each.generated or each.identity:
        return False
    alone = table.primary_key is not None and table.primary_key.columns == (each.name,)
    return not (vendor == "sqlite" and alone and each.type.upper() == "INTEGER")
