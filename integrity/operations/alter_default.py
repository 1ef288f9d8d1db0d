"""Gives a column another default, and the one that it had back."""

from __future__ import annotations

from integrity.database.postgresql import identities
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.operations.change_of_type import Change
from integrity.operations.convert_column import ConvertColumn, Written
from integrity.operations.operation import bounded


class AlterDefault(ConvertColumn):
    """Gives a column a default for rows that are made from then on; re-entrant, reversible.

    Rows that are there stay as they are. On SQLite it is written into the table's definition, at once at
    any size. A column that has the default already is adopted.

    Args:
        table: the table as it is written in catalogs.
        column: the column.
        default: SQL; by engine where they differ: ``{"postgresql": "gen_random_uuid()::text", "sqlite":
            "(lower(hex(randomblob(16))))"}``. An engine that it leaves out changes nothing.
    """

    kind = "default"

    def __init__(self, *, table: str, column: str, default: Written) -> None:
        super().__init__(table=table, column=column, from_type="", to_type="", default=default)

    def describe(self) -> str:
        """One line."""
        given = self.default if isinstance(self.default, str) else " / ".join(self.default.values())
        return f"Default of {self.label}: {given}"

    @property
    def migration_name_fragment(self) -> str:
        """Whose default."""
        return f"{self.column}_default"

    def locking(self) -> str:
        """One lock, at once."""
        return f"ACCESS EXCLUSIVE on {self.table}, briefly"

    def concerns(self, vendor: str) -> bool:
        """Whether the engine gets one."""
        return bool(self.wanted(vendor)[2])

    def statements(self, vendor: str) -> list[str]:
        """The default."""
        default = self.wanted(vendor)[2]
        if not default:
            return [f"-- Nothing on {vendor}"]
        if vendor == "sqlite":
            return [f"-- The definition of {self.table} gives {self.column} DEFAULT {default}"]
        change = identities.set_default(self.written_table(vendor), self.column, default)
        return bounded([change], vendor)

    def reverse_statements(self, vendor: str) -> list[str]:
        """What was before is in the journal."""
        return [f"-- {self.label} gets the default that it had"]

    def changes(self, session: Session, schema: Schema) -> list[Change]:
        """Returns the column unless it has the default."""
        table = self._table(schema, self.table)
        column = table.column(self.column)
        if column.generated or column.identity:
            raise self.refuse(
                f"{self.label} is generated, and can have no default", "Take it out of the catalog."
            )
        same = self._has_default(session, table, self.wanted(schema.vendor)[2])
        return [] if same else [Change(table, column, None)]

    def _was(self, table: Table) -> str:
        """Its default is what it changes, not its type."""
        return table.column(self.column).default or ""
