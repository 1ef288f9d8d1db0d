"""Measurements of queries are kept as they were, and the right one is compared with."""

import pytest

from integrity import models, store
from integrity.exceptions import UnknownRun
from integrity.verification import Measurements, QueryMeasurement, compare

pytestmark = pytest.mark.django_db


def measured(migrations: tuple[str, ...] = (), times: tuple[float, ...] = (1.0, 2.0, 4.0)) -> Measurements:
    query = QueryMeasurement(
        "orders", "orders", "idx", "index idx", indexed=True, can_index=True, rows=2.5, cost=8.3, pages=4.0,
        draws=20, values="abc", plan=("Index Scan", "  Sort"), times_ms=times,
    )  # fmt: skip
    failed = QueryMeasurement("broken", error="no such column", timed_out=False)
    return Measurements(
        "shop", "sqlite", "3.45", "f" * 64, (query, failed), migrations, yardstick_ms=1.1, seconds=2.0, seed=1
    )


def test_what_was_measured_comes_back_as_it_was() -> None:
    before = measured(("0001_a",))
    run = store.store_queries(before, occasion=models.Occasion.BEFORE, actor="ada")
    loaded = store.load_queries("shop", run.pk)
    assert loaded.run == run.pk
    assert loaded.queries == before.queries
    assert (loaded.migrations, loaded.yardstick_ms, loaded.seed) == (before.migrations, 1.1, 1)
    timing = run.timings.get(name="orders")
    assert (timing.p50_ms, timing.p95_ms, timing.p99_ms) == (2.0, 4.0, 4.0)


def test_the_verdict_is_kept_with_the_baseline() -> None:
    first = store.store_queries(measured(times=(1.0,) * 20))
    after = measured(times=(3.0,) * 20)
    compared = compare(store.load_queries("shop", first.pk), after)
    run = store.store_queries(after, compared=compared, baseline=first.pk)
    timing = run.timings.get(name="orders")
    assert (run.baseline, timing.ratio, timing.regressed) == (first, 3.0, True)
    assert "3.00 times as long" in timing.reason


def test_the_baseline_is_the_last_measurement_before_the_migrations() -> None:
    assert store.baseline_for(measured()) is None
    store.store_queries(measured())
    before = store.store_queries(measured())
    store.store_queries(measured(("0001_a",)))
    last = store.store_queries(measured(("0001_a",)))
    found = store.baseline_for(measured(("0001_a",)))
    assert found is not None
    assert found.run == before.pk
    reversed_again = store.baseline_for(measured())
    assert reversed_again is not None
    assert reversed_again.run == last.pk


def test_where_nothing_was_migrated_the_last_measurement_is_the_baseline() -> None:
    store.store_queries(measured())
    last = store.store_queries(measured())
    found, none = store.baseline_for(measured()), store.last_queries("shop", ["0001_a"])
    assert found is not None
    assert (found.run, none) == (last.pk, None)


def test_a_run_of_another_target_is_no_baseline() -> None:
    run = store.store_queries(measured())
    with pytest.raises(UnknownRun, match=r"has no query measurement .* It has none yet"):
        store.load_queries("other", run.pk)
    with pytest.raises(UnknownRun, match=f"Known are: {run.pk}"):
        store.load_queries("shop", run.pk + 1)
