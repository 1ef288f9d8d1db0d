"""What hangs on a table of PostgreSQL, with the statements that make it again on another of its name."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database import clauses
from integrity.database.dependents import Dependent, Fate
from integrity.database.identifiers import literal
from integrity.database.schema import Table
from integrity.database.session import Session

CONSTRAINTS = """
SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s AND contype IN ('u', 'c', 'f', 'x') AND conparentid = 0
ORDER BY CASE contype WHEN 'f' THEN 2 ELSE 1 END, oid
"""
INDEXES = """
SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %s AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid
                                      AND k.contype IN ('p', 'u', 'x'))
ORDER BY c.oid
"""
TRIGGERS = """
SELECT tgname, pg_get_triggerdef(oid), tgenabled FROM pg_trigger
WHERE tgrelid = %s AND NOT tgisinternal ORDER BY oid
"""
RULES = "SELECT rulename, pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = %s AND rulename <> '_RETURN'"
STATISTICS = "SELECT stxname, pg_get_statisticsobjdef(oid) FROM pg_statistic_ext WHERE stxrelid = %s"

# Rights are carried over without a word: a table without them would be lost to whoever reads it.
RIGHTS = """
SELECT format('GRANT %%s ON %%s TO %%s', g.privilege_type, c.oid::regclass,
              CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END)
       || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
FROM pg_class c, aclexplode(c.relacl) g WHERE c.oid = %s AND g.grantee <> c.relowner
"""
ABOUT = """
SELECT c.oid::regclass::text, coalesce(obj_description(c.oid, 'pg_class'), ''),
       CASE WHEN c.relowner = current_user::regrole THEN '' ELSE c.relowner::regrole::text END,
       c.relrowsecurity OR EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid)
FROM pg_class c WHERE c.oid = %s
"""

_FIRING = {"D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}


def table_parts(session: Session, table: Table) -> list[Dependent]:
    """Returns constraints but the primary key, indexes, triggers, rules and statistics, in an order in which
    they can be made; row-level security cannot be carried over."""
    on, _, _, secured = session.row(ABOUT, [table.oid])
    blocking = [Dependent("row-level security", f"on {on}", Fate.BLOCKS)] if secured else []
    return [*_constraints(session, table, on), *_others(session, table, on), *blocking]


def carried_over(session: Session, table: Table) -> list[str]:
    """Returns the statements that give another table of this name its rights, its comment and its owner."""
    on, comment, owner, _ = session.row(ABOUT, [table.oid])
    found = [sql for (sql,) in session.rows(RIGHTS, [table.oid])]
    found += [f"COMMENT ON TABLE {on} IS {literal(comment)}"] if comment else []
    return [*found, *([f"ALTER TABLE {on} OWNER TO {owner}"] if owner else [])]


def _constraints(session: Session, table: Table, on: str) -> Iterator[Dependent]:
    for name, kind, definition in session.rows(CONSTRAINTS, [table.oid]):
        what = "foreign key" if kind == "f" else "constraint"
        add = f"ALTER TABLE {on} ADD CONSTRAINT {clauses.name(name)} {definition}"
        yield Dependent(what, f"{name} on {on}", Fate.GOES, (), (add,))


def _others(session: Session, table: Table, on: str) -> Iterator[Dependent]:
    for name, make in session.rows(INDEXES, [table.oid]):
        yield Dependent("index", name, Fate.GOES, (), (make,))
    for name, make, enabled in session.rows(TRIGGERS, [table.oid]):
        again = f"ALTER TABLE {on} {_FIRING.get(enabled, '')} TRIGGER {clauses.name(name)}"
        yield Dependent(
            "trigger", f"{name} on {on}", Fate.GOES, (), (make, *([again] if enabled in _FIRING else []))
        )
    for name, make in session.rows(RULES, [table.oid]):
        yield Dependent("rule", f"{name} on {on}", Fate.GOES, (), (make.rstrip(";"),))
    for name, make in session.rows(STATISTICS, [table.oid]):
        yield Dependent("statistics", name, Fate.GOES, (), (make,))
