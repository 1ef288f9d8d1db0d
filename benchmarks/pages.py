"""A page of orphans in admin: the first, the 10,000th, and LIMIT … OFFSET at the same place."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from benchmarks.site import add_target
from integrity.database.identifiers import parse_path
from integrity.diagnosis.rows import ROWS_A_PAGE, Orphans, Sought, looking, orphan_rows
from integrity.diagnosis.rows.places import Mark, written
from integrity_project.postgres import find_servers, start

PAGE = 10_000
TABLES = {"with a primary key": ", PRIMARY KEY (id)", "without a key": ""}
COLUMNS = (
    "(id integer NOT NULL, customer_id integer REFERENCES customers (id), title text, total numeric{key})"
)
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
SCRIPT = (
    "CREATE TABLE customers (id integer PRIMARY KEY, name text)",
    f"CREATE TABLE orders {COLUMNS}",
    f"CREATE TABLE lonely {COLUMNS}",
    f"INSERT INTO customers {NUMBERS} SELECT i, 'customer ' || i FROM n WHERE i <= 1000",
    f"INSERT INTO orders {NUMBERS} SELECT i, CASE WHEN i % 3 = 0 THEN 1 + i % 1000 ELSE 5000 + i % 100 END, "
    "'order ' || i, i FROM n",
    f"INSERT INTO lonely {NUMBERS} SELECT i, CASE WHEN i % {{rare}} = 0 THEN 5000 ELSE 1 + i % 1000 END, "
    "'order ' || i, i FROM n",
)
"""``orders``: two rows of three are orphans; ``lonely``: fifty in all. No index helps."""

BY_OFFSET = """
SELECT c.* FROM orders c WHERE c.customer_id IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM customers p WHERE p.id = c.customer_id) ORDER BY c.id LIMIT 25 OFFSET %s
"""


@dataclass(frozen=True)
class Paged:
    """Medians in milliseconds: of the first page, of the 10,000th, and of the same place by OFFSET (None:
    not measured)."""

    engine: str
    what: str
    first: float
    late: float | None = None
    by_offset: float | None = None


def measured_pages(folder: Path, rows: int, repeat: int) -> Iterator[Paged]:
    """Measures on the newest PostgreSQL found, and on SQLite files in ``folder``.

    Args:
        folder: where files are made.
        rows: how many the tables have.
        repeat: how often each page is read.
    """
    with start(find_servers()[0]) as server:
        for number, (what, key) in enumerate(TABLES.items()):
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE pages{number}")
            url = server.url(f"pages{number}")
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("SET session_replication_role = replica")
                for statement in _script(key, rows):
                    connection.execute(statement)
                connection.execute("VACUUM ANALYZE")
            add_target(f"pages{number}", url)
            yield from _pages(f"pages{number}", "PostgreSQL", what, repeat)
    for number, (what, key) in enumerate(TABLES.items()):
        file = folder / f"pages{number}.sqlite3"
        with closing(sqlite3.connect(file)) as made:
            made.executescript(";".join(_script(key, rows)))
        add_target(f"pages_sqlite{number}", f"sqlite:///{file}")
        yield from _pages(f"pages_sqlite{number}", "SQLite", what, repeat)


def _script(key: str, rows: int) -> list[Any]:
    return [each.format(key=key, rows=rows, rare=rows // 50) for each in SCRIPT]


def _pages(alias: str, engine: str, what: str, repeat: int) -> Iterator[Paged]:
    many = Sought(alias, parse_path("orders.customer_id"), "customers")
    with looking(many, statement_timeout_ms=0) as orphans:
        after = _late(orphans)
        late = _timed(lambda: orphan_rows(orphans, after=after), repeat)
        first = _timed(lambda: orphan_rows(orphans), repeat)
        offset = _timed(lambda: orphans.session.rows(BY_OFFSET, [PAGE * ROWS_A_PAGE]), repeat)
        yield Paged(engine, f"many orphans, {what}", first, late, offset)
        yield Paged(
            engine,
            f"one missing key of many, {what}",
            _timed(lambda: orphan_rows(orphans, key=("5007",)), repeat),
        )
    few = Sought(alias, parse_path("lonely.customer_id"), "customers")
    with looking(few, statement_timeout_ms=0) as orphans:
        yield Paged(engine, f"fifty orphans, {what}", _timed(lambda: orphan_rows(orphans), repeat))


def _late(orphans: Orphans) -> str:
    """Where the 10,000th page begins: two rows of three are orphans."""
    told = orphans.engine.row_order(orphans.table).told[0]
    number = PAGE * ROWS_A_PAGE * 3 // 2
    place = orphans.session.value(f"SELECT {told} FROM orders c WHERE c.id = %s", [number])
    return written(orphans, Mark("", (place,)))


def _timed(work: Callable[[], object], repeat: int) -> float:
    """The median of a few runs after a first one, in milliseconds."""
    work()
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return median(times) * 1000
