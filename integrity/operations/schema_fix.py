"""One change of structure, ready to be written into a migration."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from integrity.database.identifiers import TableName
from integrity.operations.add_foreign_key import AddForeignKey
from integrity.operations.add_index import AddIndex
from integrity.operations.add_unique import AddUnique
from integrity.operations.convert_column import ConvertColumn
from integrity.operations.operation import CatalogOperation
from integrity.operations.recreate_table import RecreateTable


class FixKind(StrEnum):
    """What is changed."""

    TABLE = "table"
    COLUMN = "column"
    RECREATION = "recreation"
    INDEX = "index"
    UNIQUE = "unique"
    CONVERT = "convert"
    DEFAULT = "default"
    FOREIGN_KEY = "foreign_key"
    REPAIR = "repair"
    ROUTINE = "routine"
    REDUNDANT = "redundant"
    REWRITE = "rewrite"
    VIEW = "view"
    REMOVAL = "removal"
    VALIDATE = "validate"


FixKey = tuple[str, str, str]
"""(kind of operation, table as written, name): what makes two fixes the same."""


@dataclass(frozen=True)
class SchemaFix:
    """One change of structure, ready to be written into a migration.

    ``phase`` 1 is harmless, 2 binds new rows, 3 binds all rows. ``consequence`` says what deleting a
    referenced row will do from then on, ``note`` what else whoever applies it should know.
    """

    phase: int
    kind: FixKind
    table: TableName
    columns: tuple[str, ...]
    name: str
    operation: CatalogOperation = field(compare=False)
    rationale: str = ""
    consequence: str = ""
    note: str = ""

    @property
    def key(self) -> FixKey:
        """What tells it from others in the catalog's migrations."""
        return self.operation.kind, self.operation.table, self.name

    def describe(self) -> str:
        """One line."""
        return self.operation.describe()

    def statements(self, vendor: str) -> list[str]:
        """The SQL as a script would have it."""
        return self.operation.statements(vendor)

    def locks(self, vendor: str) -> str:
        """What is locked meanwhile, and what that keeps others from doing."""
        return locks(self.operation, vendor)


def locks(operation: CatalogOperation, vendor: str) -> str:
    """Returns what an operation locks, and what that keeps others from doing."""
    table = operation.table
    if operation.restores_rows:
        return (
            f"rows of {table} and what follows, and what they refer to, batch by batch: others go on between"
        )
    if vendor == "sqlite":
        building = isinstance(operation, AddIndex | AddUnique)
        rebuilding = isinstance(operation, ConvertColumn | RecreateTable)
        while_ = "while the index is built" if building else "while its tables are rebuilt"
        return f"the file, {while_ if building or rebuilding else 'briefly'}: other writers wait"
    if isinstance(operation, AddForeignKey):
        both = table if operation.to == table else f"{table} and {operation.to}"
        return f"SHARE ROW EXCLUSIVE on {both}, briefly: writers wait"
    if said := operation.locking():
        return said
    going_on = f"SHARE UPDATE EXCLUSIVE on {table}: readers and writers go on"
    becomes = isinstance(operation, AddUnique) and operation.is_constraint
    return f"{going_on}; then ACCESS EXCLUSIVE, briefly" if becomes else going_on
