"""Reads PostgreSQL's plans: ``EXPLAIN (FORMAT JSON)``, and what a query really does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from integrity.database.access import Access, Work
from integrity.database.session import Session

EXPLAIN = "EXPLAIN (FORMAT JSON, COSTS OFF) "

# Runs the query; without a clock for each node, which would be most of what is measured.
ANALYZE = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF, FORMAT JSON) "

YARDSTICK = "SELECT sum(n) FROM generate_series(1, 8000) AS n"

# A plan for values that are not known: there is no row to take them from.
PREPARED = "integrity_query"


def accesses(session: Session, sql: str, params: Sequence[Any], *, prefer_index: bool) -> list[Access]:
    """Returns how a query reaches each table.

    Args:
        session: a session with an open transaction.
        sql: the query, with parameters in the ``%s`` style.
        params: their values.
        prefer_index: whether scans are avoided where anything else can be done, as on a table
            that has grown (PostgreSQL manual 20.7.1, ``enable_seqscan``).
    """
    session.execute("SAVEPOINT integrity_plan")
    try:
        if prefer_index:
            return _by_index(session, sql, params)
        return list(_accesses(_explained(session, sql, params)))
    finally:
        session.execute("ROLLBACK TO SAVEPOINT integrity_plan")


def _by_index(session: Session, sql: str, params: Sequence[Any]) -> list[Access]:
    """Plain index scans where they do, bitmaps where nothing else does.

    On a table of a few pages a bitmap costs the same by any index that begins with a column of the
    query, whatever rows it finds; an index scan pays for each.
    """
    session.execute("SET LOCAL enable_seqscan = off")
    session.execute("SET LOCAL enable_bitmapscan = off")
    found = list(_accesses(_explained(session, sql, params)))
    if all(access.index for access in found):
        return found
    session.execute("SET LOCAL enable_bitmapscan = on")
    return list(_accesses(_explained(session, sql, params)))


def _explained(session: Session, sql: str, params: Sequence[Any]) -> dict[str, Any]:
    if any(value is None for value in params):
        return _generic(session, sql, len(params))
    return _plan(session.value(EXPLAIN + sql, params))


def _generic(session: Session, sql: str, parameters: int) -> dict[str, Any]:
    """The plan for any values; nothing is left behind, not even on a failure's way out."""
    numbered = sql % tuple(f"${place + 1}" for place in range(parameters))
    nothing = ", ".join(["NULL"] * parameters)
    session.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    session.execute(f"PREPARE {PREPARED} AS {numbered}".replace("%", "%%"))
    try:
        return _plan(session.value(f"{EXPLAIN} EXECUTE {PREPARED}({nothing})"))
    finally:
        session.execute(f"DEALLOCATE {PREPARED}")


def _plan(document: Any) -> dict[str, Any]:
    found = json.loads(document) if isinstance(document, str) else document
    plan: dict[str, Any] = found[0]["Plan"]
    return plan


def _accesses(node: dict[str, Any]) -> Iterator[Access]:
    children = node.get("Plans", [])
    if "Relation Name" in node:
        by = [node["Index Name"]] if "Index Name" in node else list(_bitmap_indexes(children))
        yield Access(node["Relation Name"], by[0] if by else "")
    for child in children:
        yield from _accesses(child)


def _bitmap_indexes(nodes: list[dict[str, Any]]) -> Iterator[str]:
    for node in nodes:
        if node["Node Type"] == "Bitmap Index Scan":
            yield node["Index Name"]
        else:
            yield from _bitmap_indexes(node.get("Plans", []))


# -- what a query does -----------------------------------------------------------------------


def work(session: Session, sql: str, params: Sequence[Any]) -> Work:
    """Runs a query, and returns what it did: buffers that it touched, cached or not (PostgreSQL
    manual, EXPLAIN, ``BUFFERS``: a node's numbers include those below it)."""
    plan = _plan(session.value(ANALYZE + sql, params))
    pages = sum(plan.get(f"{kind} Blocks", 0) for kind in _TOUCHED)
    return Work(
        rows=int(plan["Actual Rows"]),
        accesses=tuple(_accesses(plan)),
        plan=tuple(_shape(plan, 0)),
        cost=float(plan["Total Cost"]),
        pages=int(pages),
    )


_TOUCHED = ("Shared Hit", "Shared Read", "Local Hit", "Local Read", "Temp Read", "Temp Written")


def _shape(node: dict[str, Any], depth: int) -> Iterator[str]:
    """A line for each node; conditions are left out, because they hold values."""
    by = f" using {node['Index Name']}" if "Index Name" in node else ""
    on = f" on {node['Relation Name']}" if "Relation Name" in node else ""
    rows = f"{node['Plan Rows']:,} rows expected, {node['Actual Rows']:,.0f} found"
    yield f"{'  ' * depth}{node['Node Type']}{by}{on} (cost {node['Total Cost']:,.2f}; {rows})"
    for child in node.get("Plans", []):
        yield from _shape(child, depth + 1)


_NOW = re.compile(r"\b(now|transaction_timestamp)\(\)")
"""The same moment by other names (PostgreSQL manual 9.9.5)."""


def understood(session: Session, source: str, expressions: Sequence[str]) -> list[str]:
    """Returns each expression over a row ``c`` as PostgreSQL writes it down once it has read it: names
    resolved, casts made visible, constants computed."""
    listed = ", ".join(f"({each})" for each in expressions)
    explain = "EXPLAIN (FORMAT JSON, COSTS OFF, VERBOSE) "
    found = _output(_plan(session.value(f"{explain}SELECT {listed} FROM {source} AS c")))
    return [_NOW.sub("CURRENT_TIMESTAMP", each) for each in found]


def _output(plan: dict[str, Any]) -> list[str]:
    """What the uppermost step that says so puts out; an Append does not."""
    if "Output" in plan:
        return [str(each) for each in plan["Output"]]
    return next((found for below in plan.get("Plans", []) if (found := _output(below))), [])
