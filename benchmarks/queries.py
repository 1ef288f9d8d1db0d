"""The shop's hot queries, in two copies of the same rows: one as it was, one with its migrations."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.site import add_target
from fixtures import commerce
from integrity.database.session import Target
from integrity.operations.runner import run_migrations
from integrity.references import load_catalog
from integrity.verification.comparing import QueryComparison, compare, median_interval, shown_ms
from integrity.verification.measurement import QueryMeasurement
from integrity.verification.measuring import measure_side_by_side
from integrity_project.postgres import find_servers, start

PHASE = 2
"""Indexes, and keys that bind new rows: what comes after changes no plan of these queries."""

BEFORE, AFTER, BEFORE_SQLITE, AFTER_SQLITE = "before", "after", "before_sqlite", "after_sqlite"


@dataclass(frozen=True)
class Measured:
    """What one engine came to."""

    engine: str
    comparisons: tuple[QueryComparison, ...]


def measured_queries(folder: Path, rows: int, seconds: float) -> Iterator[Measured]:
    """Measures on the newest PostgreSQL found, and on a SQLite file in ``folder``."""
    with _postgresql(rows) as name:
        yield Measured(name, _side_by_side(BEFORE, AFTER, seconds))
    _sqlite(folder, rows)
    yield Measured("SQLite", _side_by_side(BEFORE_SQLITE, AFTER_SQLITE, seconds))


@contextmanager
def _postgresql(rows: int) -> Iterator[str]:
    """A copy of a database is the same to the last page, statistics included."""
    with start(find_servers()[0]) as server:
        commerce.build(server.url("postgres"), rows=rows)
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        with psycopg.connect(server.url("template1"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE migrated TEMPLATE postgres")
            connection.execute("CHECKPOINT")
        add_target(BEFORE, server.url("postgres"), catalog="commerce")
        add_target(AFTER, server.url("migrated"), catalog="commerce")
        with Target(AFTER).reading() as session:
            version = session.schema().version
        yield f"PostgreSQL {version}"


def _sqlite(folder: Path, rows: int) -> None:
    before, after = folder / "before.sqlite3", folder / "after.sqlite3"
    commerce.build(before, rows=rows)
    shutil.copy(before, after)
    add_target(BEFORE_SQLITE, f"sqlite:///{before}", catalog="commerce")
    add_target(AFTER_SQLITE, f"sqlite:///{after}", catalog="commerce")


def _side_by_side(before: str, after: str, seconds: float) -> tuple[QueryComparison, ...]:
    run_migrations(Target(after), phase=PHASE)
    catalog = load_catalog(after, required=True)
    return compare(*measure_side_by_side([Target(before), Target(after)], catalog, seconds=seconds))


def print_queries(found: Measured, rows: int, *, markdown: bool) -> None:
    """Prints a table, or the same for a document."""
    work = "steps" if found.engine == "SQLite" else "pages"
    heads = ("query", "access", work, "p50 ms", "p95 ms", "p99 ms", "p50, times as long")
    lines = [_cells(each) for each in found.comparisons]
    title = f"{found.engine}, {rows:,} order items"
    if markdown:
        print(f"\n{title}\n\n| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
        print("\n".join(f"| {' | '.join(line)} |" for line in lines))
        return
    table = Table(*heads, title=f"{title}, before → after")
    for line in lines:
        table.add_row(*line)
    Console(width=150).print(table)


def _cells(each: QueryComparison) -> tuple[str, ...]:
    before, after = each.before, each.after
    if before is None or before.error or after.error:
        return (each.name, (before.error if before else "") or after.error, "", "", "", "", "")
    times = [f"{_ms(before, word)} → {_ms(after, word)}" for word in ("p50", "p95", "p99")]
    work, ratio = _work(before, after), _times_as_long(before, after)
    return (each.name, _change(before.access, after.access), work, *times, ratio)


def _change(before: str, after: str) -> str:
    return after if before == after else f"{before} → {after}"


def _work(before: QueryMeasurement, after: QueryMeasurement) -> str:
    pairs = [(before.pages, after.pages), (before.steps, after.steps)]
    return next((_change(f"{a:,.0f}", f"{b:,.0f}") for a, b in pairs if a is not None and b is not None), "")


def _ms(query: QueryMeasurement, word: str) -> str:
    return shown_ms(getattr(query, word)).removesuffix(" ms")


def _times_as_long(before: QueryMeasurement, after: QueryMeasurement) -> str:
    """The ratio of the medians with its interval, 99 of 100 times, and what that is in words."""
    old, new = median_interval(before.times_ms), median_interval(after.times_ms)
    if not (old and new and before.p50 and after.p50):
        return "too few runs"
    ratio, low, high = after.p50 / before.p50, new[0] / old[1], new[1] / old[0]
    said = f"{1 - ratio:.1%} less" if high < 1 else f"{ratio - 1:.1%} more" if low > 1 else "no difference"
    return f"{ratio:.3g} ({low:.3g} to {high:.3g}): {said}"
