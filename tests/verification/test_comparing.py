"""A query is slower beyond noise, or it is not: by time where the clock can tell, else by its work."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from integrity.verification import Measurements, QueryMeasurement, compare
from integrity.verification.comparing import compared, median_interval
from integrity.verification.measurement import percentile

USUAL = QueryMeasurement(
    "q", "orders", "idx", "index idx", indexed=True, can_index=True, pages=40, steps=None
)


def timed(median: float, spread: float = 0.02, runs: int = 100, **facts: object) -> QueryMeasurement:
    chance = random.Random(str(facts))
    times = tuple(median * chance.lognormvariate(0, spread) for _ in range(runs))
    return replace(USUAL, times_ms=times, **facts)  # type: ignore[arg-type]


def test_a_query_that_takes_half_as_long_again_is_slower() -> None:
    found = compared(timed(10), timed(15))
    assert (found.regressed, found.judged_by) == (True, "time")
    assert found.ratio == pytest.approx(1.5, rel=0.05)
    assert found.reason == "it takes 1.50 times as long: 10.00 ms before, now 15.0 ms"


@pytest.mark.parametrize("after", [1.0, 9.0, 10.0, 11.0])
def test_a_query_that_takes_about_as_long_is_not(after: float) -> None:
    found = compared(timed(10), timed(after, pages=1_000))
    assert (found.regressed, found.judged_by, found.faster) == (False, "time", after == 1.0)


def test_where_times_are_too_noisy_work_decides() -> None:
    noisy = {"spread": 1.0, "runs": 12}
    more = compared(timed(10, **noisy), timed(14, **noisy, pages=400))  # type: ignore[arg-type]
    same = compared(timed(10, **noisy), timed(14, **noisy, pages=41))  # type: ignore[arg-type]
    assert (more.regressed, more.judged_by, more.reason) == (True, "work", "pages: 40 before, now 400")
    assert (same.regressed, same.judged_by, same.faster) == (False, "work", False)
    assert compared(timed(10, **noisy, pages=400), timed(9, **noisy)).faster  # type: ignore[arg-type]


def test_runs_of_the_same_query_on_a_noisy_machine_are_hardly_ever_slower() -> None:
    chance = random.Random(4)

    def noisy() -> QueryMeasurement:
        return replace(USUAL, times_ms=tuple(chance.lognormvariate(0, 0.8) for _ in range(60)))

    assert sum(compared(noisy(), noisy()).regressed for _ in range(300)) == 0


def test_a_slower_machine_makes_no_slower_query() -> None:
    def run(median: float, yardstick: float) -> Measurements:
        return Measurements("t", "sqlite", "3", "f", (timed(median),), yardstick_ms=yardstick)

    (slower_machine,) = compare(run(10, 1.0), run(14, 1.4))
    (slower_query,) = compare(run(10, 1.0), run(14, 1.0))
    (another_machine,) = compare(run(10, 1.0), run(40, 4.0))
    assert not slower_machine.regressed
    assert slower_machine.ratio == pytest.approx(1.0, rel=0.05)
    assert slower_query.regressed
    assert (another_machine.regressed, another_machine.judged_by) == (False, "work")


def test_what_nobody_can_see_is_not_slower() -> None:
    assert not compared(timed(0.02), timed(0.05)).regressed
    assert compared(timed(0.2), timed(0.5)).regressed


def test_a_query_that_cannot_use_its_index_any_more_is_slower_whatever_the_clock_says() -> None:
    lost = timed(1, access="scan", indexed=False, can_index=False)
    found = compared(timed(10), lost)
    assert (found.regressed, found.judged_by) == (True, "index")
    assert found.reason == "it stopped using its index: index idx before, now scan"


@pytest.mark.parametrize(
    "now",
    [
        {"access": "scan", "indexed": False, "can_index": True},  # a small table: the planner's choice
        {"access": "index other", "indexed": False, "can_index": False},
    ],
)
def test_another_plan_that_is_as_fast_is_no_loss(now: dict[str, object]) -> None:
    assert not compared(timed(10), timed(10, **now)).regressed  # type: ignore[arg-type]


def test_a_query_that_is_stopped_now_and_was_not_before_is_slower() -> None:
    stopped = replace(USUAL, error="The statement ran past its time limit", timed_out=True)
    assert compared(timed(10), stopped).regressed
    assert not compared(stopped, stopped).regressed
    assert not compared(stopped, timed(10)).regressed


@pytest.mark.parametrize(
    "change",
    [
        lambda measured: None,
        lambda measured: replace(measured, times_ms=(), error="no row"),
        lambda measured: replace(measured, times_ms=(), pages=None),
    ],
)
def test_a_query_without_a_baseline_is_not_judged(
    change: Callable[[QueryMeasurement], QueryMeasurement | None],
) -> None:
    found = compared(change(timed(10)), timed(100))
    assert (found.regressed, found.judged_by, found.ratio) == (False, "", None)
    assert found.reason


def test_a_median_lies_in_its_interval_in_99_of_100_samples() -> None:
    chance = random.Random(1)
    hits = 0
    for _ in range(1_000):
        low, high = median_interval([chance.expovariate(1) for _ in range(30)]) or (0, 0)
        hits += low <= 0.6931 <= high
    assert 985 <= hits <= 1_000
    assert median_interval([1.0] * 7) is None


def test_percentiles_are_runs_that_happened() -> None:
    times = [float(number) for number in range(1, 101)]
    assert [percentile(times, each) for each in (50, 95, 99)] == [50, 95, 99]
    assert percentile([3.0], 99) == 3.0
    assert percentile([], 50) is None
