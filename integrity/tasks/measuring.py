"""Hot queries measured, compared with what they were, and written down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path as FilePath

from integrity import models, signals, store
from integrity.audit import OnProgress
from integrity.database.session import Target
from integrity.exceptions import CatalogMissing
from integrity.operations.migration_states import MigrationState, migration_status
from integrity.references import load_catalog
from integrity.references.catalog import Catalog
from integrity.verification.comparing import MeasuredQueries, QueryComparison, compare
from integrity.verification.measurement import Measurements
from integrity.verification.measuring import QUERY_SECONDS, measure


def measure_and_store(
    alias: str,
    *,
    catalog_file: FilePath | None = None,
    seconds: float = QUERY_SECONDS,
    occasion: models.Occasion = models.Occasion.VERIFICATION,
    baseline: int | None = None,
    actor: str = "",
    on_progress: OnProgress | None = None,
) -> MeasuredQueries:
    """Measures the hot queries of a target's catalog, compares them with a baseline, and stores them.

    They are run, so this is done only when somebody asks. What seems slower by the clock is measured
    once more: only what is slower both times counts.

    Not within a transaction: the state of the migrations is read on the alias's own connection.

    Args:
        alias: the target.
        catalog_file: a catalog lent for this run.
        seconds: how long measuring may take, about.
        occasion: why it is done.
        baseline: the run to compare with (default: the last one before the last migrations).
        actor: who asks.
        on_progress: told before each query and round.

    Raises:
        UnknownRun: when the target has no such baseline.
        ReferentialIntegrityError: when the target cannot be opened or its catalog has a mistake.
    """
    target, catalog = Target(alias), load_catalog(alias, catalog_file)
    before = store.load_queries(alias, baseline) if baseline is not None else None
    after = measure(target, catalog, seconds=seconds, on_progress=on_progress)
    after = replace(after, migrations=_applied(target))
    before = before or store.baseline_for(after)
    last = store.last_queries(alias, after.migrations)
    after, found = _confirmed(target, catalog, before, after, seconds / 2)
    other = last if last and before and last.run != before.run else None
    after, compared = _confirmed(target, catalog, other, after, seconds / 2) if other else (after, ())
    since = tuple(each for each in compared if each.regressed)
    run = store.store_queries(
        after, occasion=occasion, compared=found, baseline=before.run if before else None, actor=actor
    )
    after = replace(after, run=run.pk, measured_at=run.measured_at)
    slower = {each.name: each for each in (*since, *found) if each.regressed}
    for each in slower.values():
        signals.query_slower.send_robust(models.QueryRun, target=alias, result=each)
    return MeasuredQueries(after, before, found, since)


def _confirmed(
    target: Target, catalog: Catalog, before: Measurements | None, after: Measurements, seconds: float
) -> tuple[Measurements, tuple[QueryComparison, ...]]:
    """What is slower by the clock is measured again, and taken as it was the better time."""
    found = compare(before, after)
    doubtful = [each.name for each in found if each.regressed and each.judged_by == "time"]
    if not doubtful:
        return after, found
    again = compare(before, measure(target, catalog, seconds=seconds, only=doubtful))
    better = {each.name: each for each in again if not each.regressed}
    queries = tuple(better[each.name].after if each.name in better else each for each in after.queries)
    return replace(after, queries=queries), tuple(better.get(each.name, each) for each in found)


def _applied(target: Target) -> tuple[str, ...]:
    """The migrations that the target has; none where its catalog has none."""
    try:
        states = migration_status(target)
    except CatalogMissing:
        return ()
    recorded = (MigrationState.APPLIED, MigrationState.UNKNOWN)
    return tuple(each.name for each in states if each.state in recorded)
