"""``python -m benchmarks --rows 100000 --repeat 5``: prints one table of ratios.

``python -m benchmarks queries --rows 1000000`` measures the shop's hot queries before and after its
migrations instead, side by side; ``python -m benchmarks scripts`` how long an audit of 1,000 scripts takes;
``python -m benchmarks pages --rows 1000000`` how long a page of orphans takes, the first and the 10,000th.

Each pair runs in turn, A B A B …, on the same rows of the same server, and the median of the ratios
pair by pair is what counts: a noisy machine slows both. A ratio below 1 means that the product is faster.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.clean import clean_ratios
from benchmarks.pages import measured_pages
from benchmarks.pairs import Ratio
from benchmarks.postgresql import postgresql_ratios
from benchmarks.queries import measured_queries, print_queries
from benchmarks.scripts import measured_scripts
from benchmarks.sqlite import sqlite_ratios


def main() -> int:
    """Measures and prints; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=("all", "queries", "scripts", "pages"),
        default="all",
        help="what to measure",
    )
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the largest table (100,000)")
    parser.add_argument("--scripts", type=int, default=1_000, help="scripts: how many (1,000)")
    parser.add_argument("--repeat", type=int, default=5, help="how often each pair runs (5)")
    parser.add_argument("--seconds", type=float, default=60, help="queries: how long each engine takes (60)")
    parser.add_argument("--markdown", action="store_true", help="queries: print for a document")
    options = parser.parse_args()
    if options.what == "queries":
        return _queries(options)
    if options.what == "scripts":
        return _scripts(options)
    if options.what == "pages":
        return _pages(options)
    with tempfile.TemporaryDirectory() as folder:
        ratios = [
            *postgresql_ratios(options.rows, options.repeat),
            *sqlite_ratios(Path(folder), options.rows, options.repeat),
            *clean_ratios(Path(folder), options.rows, options.repeat),
        ]
    _print(ratios, options.rows)
    return 0


def _queries(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        for found in measured_queries(Path(folder), options.rows, options.seconds):
            print_queries(found, options.rows, markdown=options.markdown)
    return 0


def _scripts(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        took = measured_scripts(Path(folder), options.scripts)
    print(
        f"{took.scripts:,} scripts, {took.statements:,} statements: read in {took.reading:.1f} s, "
        f"audited (read and checked) in {took.audit:.1f} s."
    )
    return 0


def _pages(options: argparse.Namespace) -> int:
    table = Table(title=f"A page of orphans in admin, {options.rows:,} rows; milliseconds")
    for heading in ("engine", "what", "page 1", "page 10,000", "by OFFSET"):
        table.add_column(heading, justify="left" if heading in ("engine", "what") else "right")
    with tempfile.TemporaryDirectory() as folder:
        for each in measured_pages(Path(folder), options.rows, options.repeat):
            times = (each.first, each.late, each.by_offset)
            table.add_row(each.engine, each.what, *("" if ms is None else f"{ms:,.1f}" for ms in times))
    Console().print(table)
    return 0


def _print(ratios: list[Ratio], rows: int) -> None:
    table = Table(title=f"{rows:,} rows; below 1.00 the product is faster")
    for heading, justify in (
        ("what", "left"),
        ("instead of", "left"),
        ("ours s", "right"),
        ("theirs s", "right"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    table.add_column("ratio", justify="right")
    for each in ratios:
        table.add_row(
            each.ours,
            each.theirs,
            f"{each.our_seconds:.3f}",
            f"{each.their_seconds:.3f}",
            f"{each.ratio:.2f}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    sys.exit(main())
