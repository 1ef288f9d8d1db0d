"""What the migrations of target catalogs are made of. Whatever is exported here is frozen: migrations
that were written import it, so names stay and arguments are only added."""

from integrity.operations.add_column import AddColumn
from integrity.operations.add_foreign_key import AddForeignKey
from integrity.operations.add_index import AddIndex
from integrity.operations.add_unique import AddUnique
from integrity.operations.alter_default import AlterDefault
from integrity.operations.compatibility_view import CreateCompatibilityView
from integrity.operations.convert_column import ConvertColumn
from integrity.operations.convert_key import ConvertKey
from integrity.operations.create_routine import CreateRoutine
from integrity.operations.create_table import CreateTable
from integrity.operations.drop_routine import DropRoutine
from integrity.operations.migration import CatalogMigration
from integrity.operations.recreate_table import RecreateTable
from integrity.operations.remove_column import RemoveColumn
from integrity.operations.remove_index import RemoveIndex
from integrity.operations.repair_duplicates import RepairDuplicates
from integrity.operations.repair_mirror import RepairMirror
from integrity.operations.repair_orphans import RepairOrphans
from integrity.operations.run_script import RunScript
from integrity.operations.validate_foreign_key import ValidateForeignKey

__all__ = [
    "AddColumn",
    "AddForeignKey",
    "AddIndex",
    "AddUnique",
    "AlterDefault",
    "CatalogMigration",
    "ConvertColumn",
    "ConvertKey",
    "CreateCompatibilityView",
    "CreateRoutine",
    "CreateTable",
    "DropRoutine",
    "RecreateTable",
    "RemoveColumn",
    "RemoveIndex",
    "RepairDuplicates",
    "RepairMirror",
    "RepairOrphans",
    "RunScript",
    "ValidateForeignKey",
]
