"""What uses a table of PostgreSQL from outside, by the server's own record (pg_depend)."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database import clauses
from integrity.database.dependents import Dependent, Fate
from integrity.database.postgresql.dependents import DESCRIBED_VIEWS, RULE, described_view
from integrity.database.schema import Schema, Table
from integrity.database.session import Session

VIEWS = f"""
WITH RECURSIVE tied(oid, depth) AS (
  SELECT w.ev_class, 1 FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid
  WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = %s AND w.ev_class <> d.refobjid
  UNION
  SELECT w.ev_class, t.depth + 1 FROM tied t
  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
    AND d.classid = 'pg_rewrite'::regclass
  JOIN pg_rewrite w ON w.oid = d.objid WHERE w.ev_class <> t.oid)
{DESCRIBED_VIEWS}
"""

KEYS = """
SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid), convalidated FROM pg_constraint
WHERE contype = 'f' AND confrelid = %s AND conrelid <> confrelid AND conparentid = 0 ORDER BY oid
"""

# Rules of other tables that write into this one.
RULES = """
SELECT DISTINCT w.oid FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid
WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %s
  AND w.ev_class <> d.refobjid
"""

# What would follow the table to wherever it goes: functions on its rows, columns of its row type, heirs.
BLOCKING = """
SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d
LEFT JOIN pg_class o ON d.classid = 'pg_class'::regclass AND o.oid = d.objid
WHERE ((d.refclassid = 'pg_class'::regclass AND d.refobjid = %s
        AND (d.classid = 'pg_proc'::regclass
             OR d.classid = 'pg_class'::regclass AND o.relkind IN ('r', 'p', 'f') AND d.objid <> d.refobjid))
    OR (d.refclassid = 'pg_type'::regclass AND d.deptype = 'n' AND d.refobjid IN (
        SELECT t.oid FROM pg_type t JOIN pg_type r ON t.oid = r.oid OR t.typelem = r.oid
        WHERE r.typrelid = %s)))
ORDER BY 1
"""


def table_dependents(session: Session, schema: Schema, table: Table) -> list[Dependent]:
    """Returns foreign keys of other tables, rules and views, then what must be changed by hand."""
    blocking = [
        Dependent(what, name, Fate.BLOCKS)
        for (said,) in session.rows(BLOCKING, [table.oid, table.oid])
        for what, _, name in (said.partition(" "),)
    ]
    views = [described_view(row) for row in session.rows(VIEWS, [table.oid])]
    return [*_keys(session, table), *_rules(session, table), *views, *blocking]


def _keys(session: Session, table: Table) -> Iterator[Dependent]:
    for name, on, definition, _ in session.rows(KEYS, [table.oid]):
        add = f"ALTER TABLE {on} ADD CONSTRAINT {clauses.name(name)} {definition}"
        drop = f"ALTER TABLE {on} DROP CONSTRAINT {clauses.name(name)}"
        yield Dependent("foreign key", f"{name} on {on}", Fate.DROPPED, (drop,), (add,))


def _rules(session: Session, table: Table) -> Iterator[Dependent]:
    for (oid,) in session.rows(RULES, [table.oid]):
        for name, on, make, kind in session.rows(RULE, [oid]):
            if kind not in ("v", "m"):
                drop = f"DROP RULE {clauses.name(name)} ON {on}"
                yield Dependent("rule", f"{name} on {on}", Fate.DROPPED, (drop,), (make.rstrip(";"),))
