"""From what is missing to migrations that somebody reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path as FilePath
from typing import Unpack

from integrity import store
from integrity.database.identifiers import Path
from integrity.database.schema import Schema
from integrity.database.session import Bounds, Target
from integrity.diagnosis.columns import diagnose_columns
from integrity.exceptions import SchemaFixRefused
from integrity.operations.column_fixes import removal_fixes
from integrity.operations.duplicate_fixes import duplicate_fixes
from integrity.operations.fixes import FixKind, SchemaFix, planned_fixes, schema_fixes
from integrity.operations.mirror_fixes import mirror_fixes, mirror_repairs
from integrity.operations.redundant_fixes import redundant_fixes
from integrity.operations.repair_fixes import repair_fixes
from integrity.operations.routine_fixes import routine_fixes
from integrity.operations.writer import WrittenFile, start_catalog, write_migrations
from integrity.plans import Change, Request, make_deduplication_plan, make_plan
from integrity.references import Catalog, Reference, known_references, load_catalog
from integrity.references.mirror import standing_mirrors
from integrity.references.mirror_survey import survey_mirror
from integrity.references.reference import written
from integrity.references.resolve import known_uniques
from integrity.tasks.reading import others_of


def fixes_for(
    alias: str, *, catalog_file: FilePath | None = None, everything: bool = False, **bounds: Unpack[Bounds]
) -> tuple[list[SchemaFix], str]:
    """Returns what a target still needs that none of its migrations does, and its vendor.

    Args:
        alias: the target.
        catalog_file: a catalog lent for this run.
        everything: also what it has already, for other copies of the same database.
        bounds: how long opening and each statement may take: see :meth:`Target.reading`.

    Raises:
        CatalogError: for a table or column that the target does not have.
    """
    schema, catalog, references = known_of(alias, catalog_file, **bounds)
    planned = planned_fixes(alias)
    with Target(alias).reading(**bounds) as session:
        uniques = known_uniques(schema, catalog, session)
        routines = routine_fixes(session, schema, catalog, planned=planned, everything=everything)
    fixes = schema_fixes(schema, catalog, references, uniques=uniques, planned=planned, everything=everything)
    fixes += [*routines, *mirror_fixes(schema, catalog, references, planned=planned)]
    return [*fixes, *removal_fixes(schema, catalog, planned=planned)], schema.vendor


@dataclass(frozen=True)
class Offered:
    """Everything that a target needs and what else could be done, for somebody who chooses from it.

    ``kept`` are the references whose orphans are kept by decision, each until when: their keys bind new rows
    only.
    """

    fixes: list[SchemaFix]
    vendor: str
    kept: Mapping[str, date | None]

    def is_kept(self, fix: SchemaFix) -> bool:
        """Whether a fix would bind rows that somebody decided to keep."""
        return fix.kind is FixKind.VALIDATE and written(fix.table, fix.columns) in self.kept


def offered_fixes(alias: str, **bounds: Unpack[Bounds]) -> Offered:
    """Returns what a target needs, and after it the removal of indexes that nobody needs.

    Args:
        alias: the target.
        bounds: how long opening and each statement may take: see :meth:`Target.reading`.

    Raises:
        CatalogError: for a table or column that the target does not have.
    """
    found, vendor = fixes_for(alias, **bounds)
    schema, catalog, _ = known_of(alias, **bounds)
    found += redundant_fixes(schema, catalog, found, planned=planned_fixes(alias))
    return Offered(found, vendor, store.kept_until(alias))


@dataclass(frozen=True)
class Designed:
    """Schema fixes and the files that hold them.

    ``left_out`` are the references whose orphans are kept by decision: their foreign keys bind new rows
    only, and are validated by a later migration, when the orphans are resolved. ``unacknowledged`` is, by
    column, what uses one that is to go and would stop its removal.
    """

    fixes: list[SchemaFix]
    files: list[WrittenFile]
    left_out: list[str]
    unacknowledged: dict[str, list[str]] = field(default_factory=dict)


def make_migrations(
    alias: str,
    *,
    catalog_file: FilePath | None = None,
    wanted: Callable[[SchemaFix], bool] = lambda fix: True,
    dry_run: bool = False,
    with_repairs: bool = False,
    drop_redundant: bool = False,
    everything: bool = False,
    sources: Sequence[FilePath] = (),
) -> Designed:
    """Writes the schema fixes of a target as migrations, one a phase.

    Args:
        alias: the target.
        catalog_file: a catalog lent for this run.
        wanted: which fixes to write.
        dry_run: returns the files without writing them.
        with_repairs: resolves orphans by policy, too, before what binds all rows.
        drop_redundant: drops the indexes that others make redundant.
        everything: writes also what the target has already, for other copies of the same database.
        sources: where the application's code is, in which columns that are to go are looked for.

    Raises:
        PlanRefused: a policy would break another rule.
        SchemaFixRefused: a source file names a column that is to go, and nobody acknowledged it.
    """
    kept = {*store.kept_until(alias), *store.kept_parts(alias)}
    found = fixes_for(alias, catalog_file=catalog_file, everything=everything)[0]
    if with_repairs:
        found += _repairs(alias, catalog_file, found)
    if with_repairs or any(fix.kind is FixKind.REMOVAL for fix in found):
        found += _rewritten(alias, catalog_file)  # afterwards there would be no place before the removal
    if drop_redundant:
        schema, catalog, _ = known_of(alias, catalog_file)
        found += redundant_fixes(schema, catalog, found, planned=planned_fixes(alias))
    held = {FixKind.REPAIR, FixKind.VALIDATE}
    waiting = [fix for fix in found if fix.kind in held and written(fix.table, fix.columns) in kept]
    fixes = [fix for fix in found if fix not in waiting and wanted(fix)]
    left_out = [written(fix.table, fix.columns) for fix in waiting if fix.kind is FixKind.VALIDATE]
    return design(
        alias, fixes, catalog_file=catalog_file, dry_run=dry_run, sources=sources, left_out=left_out
    )


def design(
    alias: str,
    fixes: Sequence[SchemaFix],
    *,
    catalog_file: FilePath | None = None,
    dry_run: bool = False,
    sources: Sequence[FilePath] = (),
    left_out: Sequence[str] = (),
    statement_timeout_ms: int | None = None,
) -> Designed:
    """Writes fixes that were chosen as migrations, one a phase; see :func:`make_migrations`.

    ``statement_timeout_ms`` bounds the look at what uses columns that are to go.

    Raises:
        SchemaFixRefused: a source file names a column that is to go, and nobody acknowledged it.
        CatalogError: somebody else wrote a migration of that name meanwhile.
    """
    unacknowledged = _unacknowledged(alias, catalog_file, fixes, sources, statement_timeout_ms)
    files = write_migrations(alias, fixes, dry_run=dry_run)
    return Designed(list(fixes), files, list(left_out), unacknowledged)


def _unacknowledged(
    alias: str,
    catalog_file: FilePath | None,
    fixes: Sequence[SchemaFix],
    sources: Sequence[FilePath],
    statement_timeout_ms: int | None,
) -> dict[str, list[str]]:
    """What uses the columns that are to go; source files must be acknowledged before anything is written,
    for the place where migrations are applied has none."""
    going = [fix for fix in fixes if fix.kind is FixKind.REMOVAL]
    if not going:
        return {}
    removed = [Path((fix.table.schema, fix.table.name), fix.columns) for fix in going]
    catalog, others = load_catalog(alias, catalog_file), others_of(Target(alias))
    found = diagnose_columns(
        Target(alias),
        catalog,
        removed,
        sources=sources,
        others=others,
        statement_timeout_ms=statement_timeout_ms,
    )
    for each in found:
        named = [label for label in each.unacknowledged if label.startswith("source ")]
        if named:
            raise SchemaFixRefused(
                f"{each.column} is named by {', '.join(named)}",
                where=str(catalog.file or alias),
                hint="Nothing was written. Change these files, or acknowledge them in the catalog: "
                + ", ".join(f'"{label}"' for label in named),
            )
    return {each.column: each.unacknowledged for each in found if each.unacknowledged}


def _repairs(alias: str, catalog_file: FilePath | None, fixes: Sequence[SchemaFix]) -> list[SchemaFix]:
    """Repairs of what is to be validated, or has orphans, with the rows that they touch here."""
    _, catalog, references = known_of(alias, catalog_file)
    others = others_of(Target(alias))
    plan = make_plan(Target(alias), catalog, [Request()], others=others)
    rows = {
        step.reference.label: step.rows
        + sum(each.rows for each in step.effects if each.change is not Change.RESTRICT)
        for step in plan.orphan_changes
    }
    sides = {(fix.table, fix.columns) for fix in fixes if fix.kind is FixKind.VALIDATE}
    concerned = [each for each in references if each.label in rows or (each.table, each.columns) in sides]
    fixes = repair_fixes(concerned, rows, planned=planned_fixes(alias))
    return fixes + _deduplications(alias, catalog_file)


def _deduplications(alias: str, catalog_file: FilePath | None) -> list[SchemaFix]:
    """Repairs of the duplicates of every unique that does not stand, with the rows that they touch here."""
    schema, catalog, _ = known_of(alias, catalog_file)
    with Target(alias).reading() as session:
        rules = [each for each in known_uniques(schema, catalog, session) if each.declared is None]
    plan = make_deduplication_plan(Target(alias), catalog, others=others_of(Target(alias)))
    rows = {step.label: sum(each for _, _, each in step.touches()) for step in plan.duplicate_steps}
    return duplicate_fixes(rules, rows, planned=planned_fixes(alias))


def _rewritten(alias: str, catalog_file: FilePath | None) -> list[SchemaFix]:
    """The rewriting of JSON that says something else than the table, with the rows that it is about here."""
    schema, catalog, references = known_of(alias, catalog_file)
    with Target(alias).reading() as session:
        mirrors = standing_mirrors(session, schema, catalog, references)
        found = [survey_mirror(session, schema, catalog, each, samples=False) for each in mirrors]
    rows = {each.mirror.label: each.drifted - each.spared for each in found}
    return mirror_repairs(mirrors, rows, planned=planned_fixes(alias))


def make_catalog(
    alias: str, *, catalog_file: FilePath | None = None, dry_run: bool = False
) -> list[WrittenFile]:
    """Makes a new target catalog of what a target declares, or of a catalog that is lent.

    Raises:
        CatalogError: when it has one already.
    """
    schema, catalog, references = known_of(alias, catalog_file)
    return start_catalog(alias, schema, catalog, references, dry_run=dry_run)


def known_of(
    alias: str, catalog_file: FilePath | None = None, **bounds: Unpack[Bounds]
) -> tuple[Schema, Catalog, list[Reference]]:
    """Returns a target's structure, its catalog, and the references that should hold there."""
    target = Target(alias)
    catalog, others = load_catalog(alias, catalog_file), others_of(target)
    with target.reading(**bounds) as session:
        schema = session.schema()
    return schema, catalog, known_references(schema, catalog, others)
