"""What uses a column on PostgreSQL: by the server's own record (pg_depend), and by name in functions.

PostgreSQL knows what a view, a rule, an index or a constraint uses. Of a function's body it knows
nothing, unless it is written as SQL-standard ``BEGIN ATOMIC``: there only the text can be searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from integrity.database import clauses
from integrity.database.dependents import Dependent, Fate
from integrity.database.identifiers import TableName, literal
from integrity.database.schema import Schema, Table
from integrity.database.session import Session

# What makes a view again, from ``tied``: views with how deep they stand upon what is asked for.
DESCRIBED_VIEWS = """
SELECT v.oid::regclass::text, v.relkind, pg_get_viewdef(v.oid),
       coalesce(array_to_string(v.reloptions, ', '), ''),
       CASE WHEN v.relowner = current_user::regrole THEN '' ELSE v.relowner::regrole::text END,
       coalesce(obj_description(v.oid, 'pg_class'), ''), v.relispopulated,
       ARRAY(SELECT DISTINCT format('GRANT %%s ON %%s TO %%s', g.privilege_type, v.oid::regclass,
                    CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END)
                    || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
             FROM aclexplode(v.relacl) g WHERE g.grantee <> v.relowner),
       ARRAY(SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indrelid = v.oid)
         || ARRAY(SELECT pg_get_triggerdef(g.oid) FROM pg_trigger g
                  WHERE g.tgrelid = v.oid AND NOT g.tgisinternal)
FROM (SELECT oid, max(depth) AS depth FROM tied GROUP BY oid) t JOIN pg_class v ON v.oid = t.oid
WHERE v.relkind IN ('v', 'm') ORDER BY t.depth, v.oid
"""

# Views on views on the column, the deepest last; each with all that makes it again.
VIEWS = f"""
WITH RECURSIVE tied(oid, depth) AS (
  SELECT w.ev_class, 1 FROM pg_depend d
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  JOIN pg_rewrite w ON w.oid = d.objid
  WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = ANY(%s::oid[]) AND a.attname = %s AND w.ev_class <> ALL(%s::oid[])
  UNION
  SELECT w.ev_class, t.depth + 1 FROM tied t
  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
    AND d.classid = 'pg_rewrite'::regclass
  JOIN pg_rewrite w ON w.oid = d.objid WHERE w.ev_class <> t.oid AND w.ev_class <> ALL(%s::oid[]))
{DESCRIBED_VIEWS}
"""

OTHERS = """
SELECT DISTINCT d.classid::regclass::text, d.objid, d.objsubid,
       pg_describe_object(d.classid, d.objid, d.objsubid), d.refobjid
FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY(%s::oid[]) AND a.attname = %s
  AND d.deptype <> 'i' ORDER BY 1, 2
"""
RULE = """
SELECT w.rulename, r.oid::regclass::text, pg_get_ruledef(w.oid), r.relkind
FROM pg_rewrite w JOIN pg_class r ON r.oid = w.ev_class WHERE w.oid = %s
"""
TRIGGER = """
SELECT g.tgname, r.oid::regclass::text, pg_get_triggerdef(g.oid), g.tgenabled
FROM pg_trigger g JOIN pg_class r ON r.oid = g.tgrelid WHERE g.oid = %s AND NOT g.tgisinternal
"""
INDEX = """
SELECT c.oid::regclass::text, pg_get_indexdef(c.oid), c.relispartition FROM pg_class c
WHERE c.oid = %s AND c.relkind IN ('i', 'I') AND NOT EXISTS (
  SELECT 1 FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))
"""
CONSTRAINT = """
SELECT k.conname, k.contype, k.conrelid::regclass::text, pg_get_constraintdef(k.oid), k.conrelid,
       k.conparentid
FROM pg_constraint k WHERE k.oid = %s
"""
STATISTICS = """
SELECT stxnamespace::regnamespace || '.' || stxname, pg_get_statisticsobjdef(oid)
FROM pg_statistic_ext WHERE oid = %s
"""
DEFAULT = """
SELECT a.attname, a.attgenerated FROM pg_attrdef f
JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum WHERE f.oid = %s
"""

# A body that names the column, and the table or a row of it as a trigger knows it.
FUNCTIONS = """
SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.prosrc ~* %s
  AND (p.prosrc ~* %s OR EXISTS (
    SELECT 1 FROM pg_trigger g WHERE g.tgfoid = p.oid AND g.tgrelid = ANY(%s::oid[])))
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                  AND d.deptype = 'e')
ORDER BY 1
"""


def dependents(
    session: Session, schema: Schema, table: Table, column: str, besides: Sequence[TableName] = ()
) -> list[Dependent]:
    """Returns what uses a column of a table or of its partitions, in an order in which it can be made;
    not the views ``besides``, nor what uses only those."""
    oids = [table.oid, *(leaf.oid for leaf in schema.leaves(table.name) if leaf.oid != table.oid)]
    not_these = [schema.table(each).oid for each in besides]
    views = list(_views(session, oids, column, not_these))
    others = [
        each
        for row in session.rows(OTHERS, [oids, column])
        for each in _other(session, row, column)
        if each is not None
    ]
    return [*_once(others), *views, *_functions(session, oids, table, column)]


def _once(found: list[Dependent]) -> list[Dependent]:
    return list({each.label: each for each in found}.values())


def _views(session: Session, oids: list[int], column: str, besides: list[int]) -> Iterator[Dependent]:
    for row in session.rows(VIEWS, [oids, column, besides, besides]):
        yield described_view(row)


def described_view(row: tuple[Any, ...]) -> Dependent:
    """Returns a view, of a row of DESCRIBED_VIEWS, with all that makes it again."""
    name, kind, body, options, owner, comment, populated, grants, hung = row
    what = "MATERIALIZED VIEW" if kind == "m" else "VIEW"
    with_ = f" WITH ({options})" if options else ""
    filled = "" if kind != "m" or populated else " WITH NO DATA"
    make = [f"CREATE {what} {name}{with_} AS {body.rstrip().rstrip(';')}{filled}", *hung, *grants]
    make += [f"COMMENT ON {what} {name} IS {literal(comment)}"] if comment else []
    make += [f"ALTER {what} {name} OWNER TO {owner}"] if owner else []
    return Dependent(what.lower(), name, Fate.DROPPED, (f"DROP {what} {name}",), tuple(make))


def _other(session: Session, row: tuple[Any, ...], column: str) -> Iterator[Dependent | None]:
    kind, oid, _, description, relation = row
    known = {
        "pg_rewrite": _rule, "pg_trigger": _trigger, "pg_class": _index, "pg_constraint": _constraint,
        "pg_statistic_ext": _statistics,
    }  # fmt: skip
    if kind == "pg_attrdef":
        yield _generated(session, oid, column)
    elif kind in known:
        yield from (known[kind](session, oid, relation))
    else:
        what, _, name = description.partition(" ")
        yield Dependent(what, name, Fate.BLOCKS)


def _generated(session: Session, oid: int, column: str) -> Dependent | None:
    for name, generated in session.rows(DEFAULT, [oid]):
        if name != column and generated:
            return Dependent("generated column", name, Fate.BLOCKS)
    return None


def _rule(session: Session, oid: int, relation: int) -> Iterator[Dependent]:
    for name, on, make, kind in session.rows(RULE, [oid]):
        if kind not in ("v", "m"):
            drop = f"DROP RULE {clauses.name(name)} ON {on}"
            yield Dependent("rule", f"{name} on {on}", Fate.DROPPED, (drop,), (make.rstrip(";"),))


_FIRING = {"D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}


def _trigger(session: Session, oid: int, relation: int) -> Iterator[Dependent]:
    for name, on, make, enabled in session.rows(TRIGGER, [oid]):
        quoted = clauses.name(name)
        again = [f"ALTER TABLE {on} {_FIRING[enabled]} TRIGGER {quoted}"] if enabled in _FIRING else []
        drop = f"DROP TRIGGER {quoted} ON {on}"
        yield Dependent("trigger", f"{name} on {on}", Fate.DROPPED, (drop,), (make, *again))


def _index(session: Session, oid: int, relation: int) -> Iterator[Dependent]:
    for name, make, of_parent in session.rows(INDEX, [oid]):
        if not of_parent:
            yield Dependent("index", name, Fate.GOES, (), (make,))


def _constraint(session: Session, oid: int, relation: int) -> Iterator[Dependent]:
    for name, kind, on, make, of, parent in session.rows(CONSTRAINT, [oid]):
        if kind == "n" or parent:
            continue
        blocks = kind == "p" or of != relation
        add = f"ALTER TABLE {on} ADD CONSTRAINT {clauses.name(name)} {make}"
        fate = Fate.BLOCKS if blocks else Fate.GOES
        yield Dependent("constraint", f"{name} on {on}", fate, (), () if blocks else (add,))


def _statistics(session: Session, oid: int, relation: int) -> Iterator[Dependent]:
    for name, make in session.rows(STATISTICS, [oid]):
        yield Dependent("statistics", name, Fate.GOES, (), (make,))


def _functions(session: Session, oids: list[int], table: Table, column: str) -> Iterator[Dependent]:
    words = [rf"(^|\W){re.escape(each)}(\W|$)" for each in (column, table.name.name)]
    for (name,) in session.rows(FUNCTIONS, [*words, oids]):
        yield Dependent("function", name, Fate.STAYS, note="its text mentions the column")
