"""Measurements of hot queries: kept, so that before and after can be told apart later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from integrity import models
from integrity.exceptions import UnknownRun
from integrity.store.site import site_database
from integrity.store.targets import target_row
from integrity.verification import Measurements, QueryComparison, QueryMeasurement

_SAME = (
    "name", "table", "index", "access", "indexed", "can_index", "rows", "cost", "pages", "steps", "draws",
    "values", "error", "timed_out",
)  # fmt: skip


def store_queries(
    measured: Measurements,
    *,
    occasion: models.Occasion | str = models.Occasion.VERIFICATION,
    compared: Sequence[QueryComparison] = (),
    baseline: int | None = None,
    actor: str = "",
) -> models.QueryRun:
    """Stores the hot queries of a target as they were measured, and what a comparison said.

    Args:
        measured: what was measured.
        occasion: why.
        compared: each query beside the baseline, where there is one.
        baseline: the run that was compared with.
        actor: who asked.
    """
    target = target_row(measured.target)
    verdicts = {each.name: each for each in compared}
    with site_database(atomic=True):
        run = models.QueryRun.objects.create(
            target=target,
            occasion=occasion,
            seconds=measured.seconds,
            server_version=measured.server_version,
            schema_fingerprint=measured.schema_fingerprint,
            migrations=list(measured.migrations),
            seed=measured.seed,
            yardstick_ms=measured.yardstick_ms,
            baseline_id=baseline,
            actor=actor,
        )
        models.QueryTiming.objects.bulk_create(
            [_timing(run, each, verdicts.get(each.name)) for each in measured.queries]
        )
        return run


def load_queries(alias: str, number: int) -> Measurements:
    """Returns a stored measurement.

    Raises:
        UnknownRun: when the target has none of that number.
    """
    with site_database():
        run = _runs(alias).filter(pk=number).first()
        known = list(_runs(alias).values_list("pk", flat=True)[:5])
    if run is None:
        listed = f"Known are: {', '.join(map(str, known))}." if known else "It has none yet."
        raise UnknownRun(f"{alias} has no query measurement {number}", where="--baseline", hint=listed)
    return _measurements(run)


def baseline_for(measured: Measurements) -> Measurements | None:
    """Returns what a measurement is compared with: the last one that was taken when other migrations
    were applied, that is before (or, after a reverse, with) the last ones; without one, the last of all.
    """
    with site_database():
        states = list(_runs(measured.target).values_list("pk", "migrations"))
    other = next((pk for pk, migrations in states if migrations != list(measured.migrations)), None)
    return load_queries(measured.target, other) if other else last_queries(measured.target)


def last_queries(alias: str, migrations: Sequence[str] | None = None) -> Measurements | None:
    """Returns the last measurement of a target, or None.

    Args:
        alias: the target.
        migrations: only one that was taken when exactly these were applied.
    """
    runs = _runs(alias)
    with site_database():
        run = (runs if migrations is None else runs.filter(migrations=list(migrations))).first()
    return _measurements(run) if run else None


def _runs(alias: str) -> Any:
    return models.QueryRun.objects.filter(target__alias=alias).select_related("target").order_by("-pk")


def _timing(run: models.QueryRun, each: QueryMeasurement, said: QueryComparison | None) -> models.QueryTiming:
    facts = {name: value for name, value in asdict(each).items() if name in _SAME}
    facts |= {name: facts[name][:200] for name in ("table", "index", "access")}
    verdict = {"ratio": said.ratio, "regressed": said.regressed, "reason": said.reason} if said else {}
    return models.QueryTiming(
        run=run,
        p50_ms=each.p50,
        p95_ms=each.p95,
        p99_ms=each.p99,
        times_ms=list(each.times_ms),
        plan=list(each.plan),
        **facts,
        **verdict,
    )


def _measurements(run: models.QueryRun) -> Measurements:
    with site_database():
        timings = list(run.timings.all())
    return Measurements(
        target=run.target.alias,
        vendor=run.target.vendor,
        server_version=run.server_version,
        schema_fingerprint=run.schema_fingerprint,
        queries=tuple(_measurement(each) for each in timings),
        migrations=tuple(run.migrations),
        yardstick_ms=run.yardstick_ms,
        seconds=run.seconds,
        seed=run.seed,
        run=run.pk,
        measured_at=run.measured_at,
    )


def _measurement(timing: models.QueryTiming) -> QueryMeasurement:
    facts = {name: getattr(timing, name) for name in _SAME}
    made = QueryMeasurement(**facts)
    return replace(made, plan=tuple(timing.plan), times_ms=tuple(timing.times_ms))
