"""A reference in order: many rows, few keys, an index on the referencing column."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
from psycopg.sql import SQL

from benchmarks.pairs import Ratio, measured
from benchmarks.site import add_target
from integrity.audit import audit
from integrity.database.session import Target
from integrity.references.catalog import Catalog
from integrity_project.postgres import find_servers, start

KEYS = 2_000
TABLES = f"""
CREATE TABLE stores (id integer PRIMARY KEY);
CREATE TABLE orders (id integer PRIMARY KEY, store_id integer REFERENCES stores (id));
CREATE INDEX orders_store_idx ON orders (store_id);
WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {KEYS - 1})
INSERT INTO stores SELECT n FROM s;
"""
ORDERS = f"""
WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < %s)
INSERT INTO orders SELECT n, n %% {KEYS} FROM s
"""
BY_HAND = "SELECT count(*) FROM orders WHERE store_id NOT IN (SELECT id FROM stores)"


def clean_ratios(folder: Path, rows: int, repeat: int) -> Iterator[Ratio]:
    """Measures on the newest PostgreSQL found, and on a file in ``folder``."""
    with start(find_servers()[0]) as server:
        url = server.url("postgres")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SQL(TABLES))
            connection.execute(SQL(ORDERS % rows))  # type: ignore[arg-type]
            connection.execute("VACUUM ANALYZE")
            add_target("clean", url)
            yield _pair("PostgreSQL", "clean", lambda: connection.execute(BY_HAND), repeat)
    file = folder / "clean.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(TABLES)
        connection.execute(ORDERS % rows)
        connection.commit()
        add_target("clean_file", f"sqlite:///{file}")
        yield _pair("SQLite", "clean_file", lambda: connection.execute(BY_HAND).fetchall(), repeat)


def _pair(engine: str, alias: str, by_hand: object, repeat: int) -> Ratio:
    return measured(
        f"audit of a sound reference, {KEYS:,} keys ({engine})", "NOT IN",
        lambda: audit(Target(alias), Catalog()), by_hand, repeat,  # type: ignore[arg-type]
    )  # fmt: skip
