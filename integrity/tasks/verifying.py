"""Verification with what only the site and the ledger know: decisions, and what migrations made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from integrity import store
from integrity.audit import OnProgress
from integrity.database.identifiers import Path, TableName, parse_table
from integrity.database.schema import Schema
from integrity.database.session import Target
from integrity.exceptions import CatalogMissing, UnknownTable
from integrity.operations.add_foreign_key import AddForeignKey
from integrity.operations.add_unique import AddUnique
from integrity.operations.catalog_migrations import operations_of
from integrity.operations.migration_states import MigrationState, migration_status
from integrity.references import load_catalog
from integrity.references.uniques import UniqueRule
from integrity.tasks.measuring import measure_and_store
from integrity.tasks.reading import others_of
from integrity.verification import ExpectedConstraint, VerifyResult, verify
from integrity.verification.result import add_measured


def verify_target(
    alias: str,
    *,
    catalog_file: FilePath | None = None,
    only: Sequence[Path] = (),
    measuring: Mapping[str, Any] | None = None,
    on_progress: OnProgress | None = None,
    **wishes: Any,
) -> VerifyResult:
    """Verifies that every rule holds in a target and is enforced.

    Args:
        alias: the target.
        catalog_file: a catalog lent for this run.
        only: the references to look at, all when empty.
        measuring: whether and how to measure the catalog's hot queries: ``seconds``, ``baseline`` and
            ``actor`` of :func:`~integrity.tasks.measuring.measure_and_store`; None: they are not run.
        on_progress: told after each check.
        wishes: ``allow_kept``, ``plans``, ``flows``: see :func:`integrity.verification.verify`.

    Raises:
        ReferentialIntegrityError: when the target cannot be opened or its catalog has a mistake.
    """
    target = Target(alias)
    catalog = load_catalog(alias, catalog_file)
    kept = {label: until.isoformat() if until else "" for label, until in store.kept_until(alias).items()}
    result = verify(
        target,
        catalog,
        only=only,
        kept=kept,
        kept_parts=store.kept_parts(alias),
        expected=[] if only else expected_constraints(target),
        others=others_of(target),
        on_progress=on_progress,
        **wishes,
    )
    if measuring is not None:
        found = measure_and_store(alias, catalog_file=catalog_file, on_progress=on_progress, **measuring)
        add_measured(result, found, target.engine.default_schema)
    return result


def expected_constraints(target: Target) -> list[ExpectedConstraint]:
    """Returns the foreign keys and uniques that migrations made in a target and that none has taken back."""
    try:
        states = migration_status(target)
    except CatalogMissing:
        return []
    applied = {each.name for each in states if each.state is MigrationState.APPLIED}
    made = [
        (migration.name, operation)
        for migration, operation in operations_of(target.alias)
        if isinstance(operation, AddForeignKey | AddUnique) and migration.name in applied
    ]
    if not made:
        return []
    with target.reading() as session:
        schema = session.schema()
    return [_expected(schema, migration, each) for migration, each in made]


def _expected(schema: Schema, migration: str, made: AddForeignKey | AddUnique) -> ExpectedConstraint:
    name, columns = _table(schema, made.table), tuple(made.columns)
    found = schema.tables.get(name)
    whole = isinstance(made, AddUnique) and found is not None and found.has_columns(columns)
    unique = made.rule(found) if isinstance(made, AddUnique) and found is not None and whole else None
    if isinstance(made, AddUnique) and unique is None:
        unique = UniqueRule(name, columns, made.name)
    return ExpectedConstraint(made.name, name, columns, migration, unique)


def _table(schema: Schema, text: str) -> TableName:
    """The table that a migration writes, also when it is gone."""
    path = parse_table(text)
    try:
        return schema.resolve(path)
    except UnknownTable:
        return TableName(path.schema or schema.default_schema, path.table)
