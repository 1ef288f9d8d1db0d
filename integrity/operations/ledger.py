"""Django's ledger of a target follows what a rollback did to its foreign keys."""

from __future__ import annotations

from collections.abc import Collection

from django.db.migrations.recorder import MigrationRecorder

from integrity.database.session import Target
from integrity.operations.add_foreign_key import AddForeignKey
from integrity.operations.catalog_migrations import catalog_package, operations_of
from integrity.operations.lock import migrating_alone
from integrity.operations.opening import opened
from integrity.operations.operation import CatalogOperation
from integrity.operations.validate_foreign_key import ValidateForeignKey


def unrecord_validations(target: Target, names: Collection[str]) -> list[str]:
    """Takes the migrations that validated these foreign keys out of the ledger, so that they are
    pending again; what else they do is found done when they are run.

    Not in a request's thread: it uses the alias's own connection.

    Args:
        target: the target.
        names: the names of the foreign keys that are NOT VALID again.

    Returns:
        the migrations that were recorded and are not any more, in order.
    """
    label = catalog_package(target.alias).label
    validating = {
        migration.name
        for migration, operation in operations_of(target.alias)
        if operation.name in names and _validates(operation)
    }
    if not validating:
        return []
    with opened(target) as connection, migrating_alone(Target(connection.alias)):
        recorder = MigrationRecorder(connection)
        recorded = {name for app, name in recorder.applied_migrations() if app == label}
        for name in validating & recorded:
            recorder.record_unapplied(label, name)
    return sorted(validating & recorded)


def _validates(operation: CatalogOperation) -> bool:
    return isinstance(operation, ValidateForeignKey) or (
        isinstance(operation, AddForeignKey) and operation.validated
    )
