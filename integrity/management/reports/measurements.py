"""What measured queries amount to, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from integrity.management.blocks import Block, Grid, Line, Title, count
from integrity.verification.comparing import MeasuredQueries, QueryComparison, shown_ms
from integrity.verification.measurement import Measurements, QueryMeasurement


def measured_blocks(found: MeasuredQueries) -> Iterator[Block]:
    """Yields each query before and after, what got slower and why, and what was compared with what."""
    yield Title("Queries, measured")
    if not found.comparisons:
        yield Line("The catalog names no queries: write them as [[query]].", "warning")
        return
    columns = ("query", "access", "p50", "p95", "p99", "runs", "ratio", "verdict")
    styles = [_style(each) for each in found.comparisons]
    yield Grid(columns, [_row(each) for each in found.comparisons], styles)
    yield from _reasons(found)
    yield Line(_circumstances(found.after), "faint")
    yield Line(_compared_with(found), "faint")


def _row(each: QueryComparison) -> tuple[str | int, ...]:
    before, after = each.before, each.after
    return (
        each.name,
        _change(before, after, lambda query: query.access or "?"),
        _times(before, after, "p50"),
        _times(before, after, "p95"),
        _times(before, after, "p99"),
        after.runs,
        "" if each.ratio is None else f"{each.ratio:.2f}",
        _verdict(each),
    )


def _times(before: QueryMeasurement | None, after: QueryMeasurement, word: str) -> str:
    return _change(before, after, lambda query: shown_ms(getattr(query, word)))


def _change(
    before: QueryMeasurement | None, after: QueryMeasurement, shown: Callable[[QueryMeasurement], str]
) -> str:
    """``before → after``, once where both say the same or there is no before."""
    now = shown(after)
    was = shown(before) if before else now
    return now if was == now else f"{was.removesuffix(' ms')} → {now}"


def _verdict(each: QueryComparison) -> str:
    if each.after.error and not each.regressed:
        return "not measured"
    if each.regressed:
        return "lost its index" if each.judged_by == "index" else "SLOWER"
    if each.ratio is None:
        return "no baseline" if each.before is None else ""
    return f"{1 / each.ratio:,.1f}× faster" if each.faster else "no slower"


def _style(each: QueryComparison) -> str:
    if each.regressed:
        return "error"
    if each.after.error:
        return "warning"
    return "good" if each.faster else ""


def _reasons(found: MeasuredQueries) -> Iterator[Line]:
    for each in found.comparisons:
        if each.regressed or (each.reason and each.before is not None):
            yield Line(f"{each.name}: {each.reason}", "error" if each.regressed else "faint", 1)
        elif each.after.error:
            yield Line(f"{each.name}: {each.after.error}", "warning", 1)
    for each in found.since:
        yield Line(f"{each.name}, since the last measurement: {each.reason}", "error", 1)


def _circumstances(after: Measurements) -> str:
    draws = max((each.draws for each in after.queries), default=0)
    drawn = f"up to {count(draws, 'set')} of values from the data (seed {after.seed})"
    stored = f"; stored as measurement {after.run}" if after.run else ""
    return f"Run in turn with {drawn}, in {after.seconds:.1f} s{stored}."


def _compared_with(found: MeasuredQueries) -> str:
    before = found.before
    if before is None:
        return "There is no earlier measurement to compare with; this one is the next one's baseline."
    when = f" of {before.measured_at:%Y-%m-%d %H:%M}" if before.measured_at else ""
    extra = len(found.after.migrations) - len(before.migrations)
    state = f", {count(abs(extra), 'migration')} {'ago' if extra > 0 else 'ahead'}" if extra else ""
    which = f"measurement {before.run}{when}" if before.run else before.target
    return f"Compared with {which}{state}; this machine takes × {found.machine:.2f} as long as it did then."
