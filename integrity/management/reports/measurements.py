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
    columns = ("query", "p50 ms", "p95 ms", "p99 ms", "ratio")
    styles = [_style(each) for each in found.comparisons]
    yield Grid(columns, [_row(each) for each in found.comparisons], styles)
    for each in found.comparisons:
        yield Line(f"{each.name}: {_way(each)}", _style(each) or "faint", 1)
    for each in found.since:
        yield Line(f"{each.name}, since the last measurement: {each.reason}", "error", 1)
    yield Line(_circumstances(found.after), "faint")
    yield Line(_compared_with(found), "faint")


def _row(each: QueryComparison) -> tuple[str, ...]:
    times = [_change(each, _time, word) for word in ("p50", "p95", "p99")]
    return (each.name, *times, _ratio(each))


def _time(query: QueryMeasurement, word: str) -> str:
    return shown_ms(getattr(query, word)).removesuffix(" ms")


def _change(each: QueryComparison, shown: Callable[[QueryMeasurement, str], str], word: str) -> str:
    """``before → after``, once where both say the same or there is no before."""
    now = shown(each.after, word)
    was = shown(each.before, word) if each.before else now
    return now if was == now else f"{was} → {now}"


def _ratio(each: QueryComparison) -> str:
    verdict = "BROKEN" if each.broken else "SLOWER" if each.regressed else "faster" if each.faster else ""
    return " ".join(filter(None, ["" if each.ratio is None else f"{each.ratio:.2f}", verdict]))


def _style(each: QueryComparison) -> str:
    if each.regressed or each.broken:
        return "error"
    if each.after.error:
        return "warning"
    return "good" if each.faster else ""


def _way(each: QueryComparison) -> str:
    """How it reaches its table, how much work that is, and what there is to say."""
    if each.after.error:
        return each.after.error
    ways = [_change(each, _access, "access")]
    ways += [f"{_change(each, _work, unit)} {unit}" for unit in _units(each)]
    return "; ".join([*ways, *([each.reason] if each.reason and each.before else [])])


def _units(each: QueryComparison) -> list[str]:
    return [unit for unit in ("pages", "steps") if getattr(each.after, unit) is not None]


def _access(query: QueryMeasurement, word: str) -> str:
    return getattr(query, word) or "?"


def _work(query: QueryMeasurement, unit: str) -> str:
    value = getattr(query, unit)
    return "?" if value is None else f"{value:,.0f}"


def _circumstances(after: Measurements) -> str:
    draws = max((each.draws for each in after.queries), default=0)
    drawn = f"up to {count(draws, 'set')} of values from the data (seed {after.seed})"
    runs = [each.runs for each in after.queries if each.runs]
    often = f"{min(runs):,} to {max(runs):,} times each, " if runs else ""
    stored = f"; stored as measurement {after.run}" if after.run else ""
    return f"Run in turn, {often}with {drawn}, in {after.seconds:.1f} s{stored}."


def _compared_with(found: MeasuredQueries) -> str:
    before = found.before
    if before is None:
        return "There is no earlier measurement to compare with; this one is the next one's baseline."
    when = f" of {before.measured_at:%Y-%m-%d %H:%M}" if before.measured_at else ""
    extra = len(found.after.migrations) - len(before.migrations)
    state = f", {count(abs(extra), 'migration')} {'ago' if extra > 0 else 'ahead'}" if extra else ""
    which = f"measurement {before.run}{when}" if before.run else before.target
    return f"Compared with {which}{state}; this machine takes × {found.machine:.2f} as long as it did then."
