"""Functions, triggers and views of a PostgreSQL database, in three queries."""

from __future__ import annotations

import re

from integrity.database import clauses
from integrity.database.identifiers import TableName, literal
from integrity.database.routines import Routine, RoutineKind
from integrity.database.session import Row, Session

_THEIRS = """
n.nspname NOT IN ('pg_catalog', 'information_schema', 'integrity_journal') AND n.nspname NOT LIKE 'pg\\_%%'
"""
_NO_EXTENSION = """
NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = '{kind}'::regclass AND d.objid = {oid}
            AND d.deptype = 'e')
"""
_GRANTS = """
ARRAY(SELECT format('GRANT %%s ON {what} %%s TO %%s', string_agg(DISTINCT g.privilege_type, ', '), {name},
             CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END)
             || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
      FROM aclexplode({acl}) WITH ORDINALITY g(grantor, grantee, privilege_type, is_grantable, place)
      WHERE g.grantee <> {owner} GROUP BY g.grantee, g.is_grantable ORDER BY min(g.place))
"""

FUNCTIONS = f"""
SELECT p.oid, n.nspname, p.proname, p.oid::regprocedure::text, l.lanname, pg_get_functiondef(p.oid),
       coalesce(p.prosrc, ''), p.prokind, p.proowner::regrole::text,
       coalesce(obj_description(p.oid, 'pg_proc'), ''), p.proacl IS NOT NULL,
       {_GRANTS.format(what="ROUTINE", name="p.oid::regprocedure", acl="p.proacl", owner="p.proowner")},
       quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' ||
         pg_get_function_identity_arguments(p.oid) || ')',
       coalesce((SELECT substr(c, 13) FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%%'), '')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE p.prokind IN ('f', 'p') AND {_THEIRS} AND {_NO_EXTENSION.format(kind="pg_proc", oid="p.oid")}
ORDER BY n.nspname, p.proname, 4
"""

FUNCTION_NAMES = "SELECT DISTINCT lower(proname) FROM pg_proc"

TRIGGERS = f"""
SELECT g.oid, n.nspname, r.relname, g.tgname, pg_get_triggerdef(g.oid), g.tgenabled,
       g.tgfoid::regprocedure::text, coalesce(obj_description(g.oid, 'pg_trigger'), '')
FROM pg_trigger g JOIN pg_class r ON r.oid = g.tgrelid JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND {_THEIRS}
ORDER BY n.nspname, r.relname, g.tgname
"""

VIEWS = f"""
SELECT v.oid, n.nspname, v.relname, v.relkind, pg_get_viewdef(v.oid),
       coalesce(array_to_string(v.reloptions, ', '), ''), v.relowner::regrole::text,
       coalesce(obj_description(v.oid, 'pg_class'), ''), v.relispopulated,
       {_GRANTS.format(what="TABLE", name="v.oid::regclass", acl="v.relacl", owner="v.relowner")},
       ARRAY(SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indrelid = v.oid ORDER BY 1)
         || ARRAY(SELECT pg_get_triggerdef(g.oid) FROM pg_trigger g
                  WHERE g.tgrelid = v.oid AND NOT g.tgisinternal ORDER BY 1)
FROM pg_class v JOIN pg_namespace n ON n.oid = v.relnamespace
WHERE v.relkind IN ('v', 'm') AND {_THEIRS} AND {_NO_EXTENSION.format(kind="pg_class", oid="v.oid")}
ORDER BY n.nspname, v.relname
"""

_FIRING = {"O": "origin", "D": "disabled", "R": "replica", "A": "always"}
_SWITCH = {"D": "DISABLE TRIGGER", "R": "ENABLE REPLICA TRIGGER", "A": "ENABLE ALWAYS TRIGGER"}


def routines(session: Session) -> list[Routine]:
    """Returns what is not an extension's, in three queries; internal triggers and copies on partitions
    are left out."""
    return [
        *(_function(row) for row in session.rows(FUNCTIONS)),
        *(_view(row) for row in session.rows(VIEWS)),
        *(_trigger(row) for row in session.rows(TRIGGERS)),
    ]


def _function(row: Row) -> Routine:
    oid, schema, name, label, language, definition, body, kind, owner, comment, granted = row[:11]
    grants, full, path = row[11:]
    what = "PROCEDURE" if kind == "p" else "FUNCTION"
    make = [definition, f"ALTER {what} {full} OWNER TO {owner}"]
    make += [f"REVOKE ALL ON {what} {full} FROM PUBLIC"] if granted else []
    make += grants
    make += [f"COMMENT ON {what} {full} IS {literal(comment)}"] if comment else []
    return Routine(
        kind=RoutineKind.FUNCTION,
        name=TableName(schema, name),
        label=label,
        definition=definition,
        drop=f"DROP {what} {full}",
        make=tuple(make),
        language=language,
        body=body,
        path=path,
        oid=oid,
    )


def _view(row: Row) -> Routine:
    oid, schema, name, kind, body, options, owner, comment, populated, grants, hung = row
    table = TableName(schema, name)
    what, full = "MATERIALIZED VIEW" if kind == "m" else "VIEW", clauses.table(table)
    with_ = f" WITH ({options})" if options else ""
    filled = "" if kind != "m" or populated else " WITH NO DATA"
    definition = f"CREATE {what} {full}{with_} AS{_led(body)}{filled}"
    make = [definition, *hung, f"ALTER {what} {full} OWNER TO {owner}", *grants]
    make += [f"COMMENT ON {what} {full} IS {literal(comment)}"] if comment else []
    return Routine(
        kind=RoutineKind.VIEW,
        name=table,
        label=f"{schema}.{name}" if schema != "public" else name,
        definition=definition,
        drop=f"DROP {what} {full}",
        make=tuple(make),
        body=body,
        oid=oid,
        populated=populated,
    )


def _led(body: str) -> str:
    return " " + body.strip().rstrip(";")


def _trigger(row: Row) -> Routine:
    oid, schema, relation, name, definition, enabled, calls, comment = row
    table = TableName(schema, relation)
    on, quoted = clauses.table(table), clauses.name(name)
    make = [definition]
    make += [f"ALTER TABLE {on} {_SWITCH[enabled]} {quoted}"] if enabled in _SWITCH else []
    make += [f"COMMENT ON TRIGGER {quoted} ON {on} IS {literal(comment)}"] if comment else []
    return Routine(
        kind=RoutineKind.TRIGGER,
        name=TableName(schema, name),
        label=f"{name} on {relation}" if schema == "public" else f"{name} on {table}",
        definition=definition,
        drop=f"DROP TRIGGER {quoted} ON {on}",
        make=tuple(make),
        table=table,
        calls=calls,
        firing=_FIRING[enabled],
        oid=oid,
    )


_MAKES = re.compile(
    r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?(FUNCTION|PROCEDURE|(?:RECURSIVE\s+)?VIEW|TRIGGER)\b", re.IGNORECASE
)


def replacing(create: str) -> str:
    """Returns a CREATE statement with OR REPLACE, where there is such a thing: a function or view keeps
    what hangs on it."""
    match = _MAKES.match(create)
    if match is None or match[1].upper() == "TRIGGER":
        return create
    return f"CREATE OR REPLACE {create[match.start(1) :]}"
