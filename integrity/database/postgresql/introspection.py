"""Reads PostgreSQL's system catalog in seven queries, however many tables there are."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from integrity.database.identifiers import TableName
from integrity.database.schema import (
    Action,
    Column,
    ForeignKey,
    Index,
    Key,
    Match,
    Schema,
    Table,
    TableKind,
    Trigger,
)
from integrity.database.session import Row, Session

JOURNAL_SCHEMA = "integrity_journal"

_OURS_TO_READ = """
n.nspname NOT IN ('pg_catalog', 'information_schema', 'integrity_journal')
AND n.nspname NOT LIKE 'pg\\_toast%%' AND n.nspname NOT LIKE 'pg\\_temp%%'
"""

ASKING = r"'\m(current_user|session_user|current_role|current_setting|pg_has_role|has_[a-z_]+_privilege)\M'"

# A view shows each role other rows where its definition, or that of a view beneath it, asks who reads
# it, by the server's own functions or by somebody's. Functions of the server itself are in no pg_depend.
RELATIONS = f"""
WITH RECURSIVE beneath(top, oid) AS (
  SELECT r.oid, r.oid FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace
  WHERE r.relkind = 'v' AND {_OURS_TO_READ}
  UNION SELECT b.top, d.refobjid FROM beneath b JOIN pg_rewrite w ON w.ev_class = b.oid
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
    AND d.refclassid = 'pg_class'::regclass
  JOIN pg_class v ON v.oid = d.refobjid AND v.relkind = 'v'),
personal AS (
  SELECT DISTINCT b.top FROM beneath b JOIN pg_class v ON v.oid = b.oid
  WHERE EXISTS (SELECT 1 FROM unnest(v.reloptions) o WHERE o ~* '^security_barrier=(t|y|on|1)')
     OR pg_get_viewdef(v.oid) ~* {ASKING}
     OR EXISTS (SELECT 1 FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass
                AND d.objid = w.oid AND d.refclassid = 'pg_proc'::regclass
                JOIN pg_proc f ON f.oid = d.refobjid AND f.provolatile <> 'i' WHERE w.ev_class = v.oid))
SELECT r.oid, n.nspname, r.relname, r.relkind, r.relispartition, r.reltuples::bigint,
       has_table_privilege(r.oid, 'SELECT') OR has_any_column_privilege(r.oid, 'SELECT'),
       r.relrowsecurity, pg_has_role(r.relowner, 'USAGE'), has_schema_privilege(n.oid, 'USAGE'),
       CASE WHEN row_security_active(r.oid)
            THEN CASE WHEN pg_has_role(r.relowner, 'USAGE') THEN 'forced' ELSE 'policy' END
            WHEN EXISTS (SELECT 1 FROM personal p WHERE p.top = r.oid) THEN 'view' ELSE '' END,
       ARRAY(SELECT coalesce(a.attname::text, '')
             FROM pg_partitioned_table p
             CROSS JOIN unnest(p.partattrs::int2[]) WITH ORDINALITY k(number, place)
             LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.number AND k.number > 0
             WHERE p.partrelid = r.oid ORDER BY k.place)
FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f') AND {_OURS_TO_READ}
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = r.oid AND d.deptype = 'e')
ORDER BY n.nspname, r.relname
"""

COLUMNS = f"""
WITH RECURSIVE base(oid, final) AS (
  SELECT oid, oid FROM pg_type WHERE typtype <> 'd'
  UNION ALL SELECT d.oid, b.final FROM pg_type d JOIN base b ON d.typbasetype = b.oid WHERE d.typtype = 'd')
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_get_expr(f.adbin, f.adrelid), a.attgenerated, a.attidentity,
       CASE WHEN u.typtype = 'e' THEN 'text' WHEN e.typtype = 'e' THEN 'text[]'
            WHEN t.typtype = 'd' THEN format_type(u.oid, t.typtypmod)
            ELSE format_type(a.atttypid, a.atttypmod) END,
       CASE WHEN a.attcollation <> t.typcollation
            THEN quote_ident(cn.nspname) || '.' || quote_ident(c.collname) ELSE '' END,
       has_column_privilege(a.attrelid, a.attnum, 'SELECT'), NOT coalesce(c.collisdeterministic, true)
FROM pg_attribute a
JOIN pg_class r ON r.oid = a.attrelid JOIN pg_namespace n ON n.oid = r.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN base b ON b.oid = t.oid LEFT JOIN pg_type u ON u.oid = b.final
LEFT JOIN pg_type e ON e.oid = u.typelem AND u.typcategory = 'A'
LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
LEFT JOIN pg_collation c ON c.oid = a.attcollation
LEFT JOIN pg_namespace cn ON cn.oid = c.collnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p', 'v', 'm', 'f') AND {_OURS_TO_READ}
ORDER BY a.attrelid, a.attnum
"""

INDEXES = f"""
SELECT i.indrelid, x.relname, i.indisunique, i.indisprimary, i.indisvalid AND i.indisready, m.amname,
       coalesce(pg_get_expr(i.indpred, i.indrelid), ''), i.indexprs IS NOT NULL, NOT i.indimmediate,
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false), pg_get_indexdef(i.indexrelid),
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(number, place)
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
             WHERE k.place <= i.indnkeyatts AND k.number > 0 ORDER BY k.place),
       o.oid IS NOT NULL,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, place, false) FROM generate_series(1, i.indnkeyatts) place
             ORDER BY place),
       ARRAY(SELECT CASE WHEN c.oid IS NULL OR c.oid = coalesce(t.typcollation, 'default'::regcollation)
                    THEN '' ELSE quote_ident(cn.nspname) || '.' || quote_ident(c.collname) END
             FROM unnest(i.indcollation::oid[], i.indkey::int2[]) WITH ORDINALITY k(coll, number, place)
             LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
             LEFT JOIN pg_type t ON t.oid = a.atttypid
             LEFT JOIN pg_collation c ON c.oid = k.coll
             LEFT JOIN pg_namespace cn ON cn.oid = c.collnamespace
             WHERE k.place <= i.indnkeyatts ORDER BY k.place),
       ARRAY(SELECT CASE WHEN s.opcdefault THEN '' ELSE s.opcname::text END
             FROM unnest(i.indclass::oid[]) WITH ORDINALITY k(class_oid, place)
             JOIN pg_opclass s ON s.oid = k.class_oid ORDER BY k.place),
       ARRAY(SELECT CASE k.option WHEN 0 THEN '' WHEN 1 THEN 'DESC NULLS LAST' WHEN 2 THEN 'NULLS FIRST'
                    ELSE 'DESC' END
             FROM unnest(i.indoption::int2[]) WITH ORDINALITY k(option, place) ORDER BY k.place),
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(number, place)
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
             WHERE k.place > i.indnkeyatts ORDER BY k.place),
       ARRAY(SELECT NOT coalesce(c.collisdeterministic, true)
             FROM unnest(i.indcollation::oid[]) WITH ORDINALITY k(coll, place)
             LEFT JOIN pg_collation c ON c.oid = k.coll WHERE k.place <= i.indnkeyatts ORDER BY k.place),
       coalesce('the constraint ' || o.conname,
         (SELECT 'the foreign key ' || min(f.conname) FROM pg_constraint f
          WHERE f.conindid = i.indexrelid AND f.contype = 'f'),
         CASE WHEN i.indisreplident THEN 'the replica identity' WHEN i.indisclustered THEN 'CLUSTER'
              WHEN EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)
              THEN 'the index of the partitioned table' ELSE '' END)
FROM pg_index i
JOIN pg_class r ON r.oid = i.indrelid JOIN pg_namespace n ON n.oid = r.relnamespace
JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
LEFT JOIN pg_constraint o ON o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x')
WHERE {_OURS_TO_READ}
ORDER BY x.relname
"""

# A key on or to a partitioned table has a copy for each partition, and each copy its own triggers;
# one that does not fire, on either side, is a way around the key.
CONSTRAINTS = f"""
WITH RECURSIVE family(root, oid) AS (
  SELECT oid, oid FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
  UNION ALL SELECT f.root, k.oid FROM family f JOIN pg_constraint k ON k.conparentid = f.oid),
silent AS (
  SELECT DISTINCT f.root FROM family f JOIN pg_trigger g ON g.tgconstraint = f.oid
  WHERE g.tgenabled IN ('D', 'R'))
SELECT k.conrelid, k.conname, k.contype, fn.nspname, fr.relname,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(number, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(number, place)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place),
       k.confdeltype, k.confupdtype, k.confmatchtype, k.condeferrable, k.condeferred, k.convalidated,
       coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
         AND NOT EXISTS (SELECT 1 FROM silent s WHERE s.root = k.oid),
       coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false), pg_get_constraintdef(k.oid)
FROM pg_constraint k
JOIN pg_class r ON r.oid = k.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace
LEFT JOIN pg_class fr ON fr.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = fr.relnamespace
WHERE k.contype IN ('f', 'c') AND k.conparentid = 0 AND {_OURS_TO_READ}
ORDER BY k.conname
"""

TRIGGERS = f"""
SELECT g.tgrelid, g.tgname, g.tgtype, g.tgenabled, pg_get_triggerdef(g.oid)
FROM pg_trigger g JOIN pg_class r ON r.oid = g.tgrelid JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE NOT g.tgisinternal AND {_OURS_TO_READ}
ORDER BY g.tgname
"""

INHERITANCE = "SELECT inhrelid, inhparent FROM pg_inherits ORDER BY inhrelid, inhseqno"

SERVER = "SELECT current_setting('server_version'), coalesce(current_schema(), 'public'), current_user"

_KINDS = {
    "r": TableKind.TABLE,
    "p": TableKind.PARTITIONED,
    "v": TableKind.VIEW,
    "m": TableKind.MATERIALIZED_VIEW,
    "f": TableKind.FOREIGN,
}
_ACTIONS = {
    "a": Action.NO_ACTION,
    "r": Action.RESTRICT,
    "c": Action.CASCADE,
    "n": Action.SET_NULL,
    "d": Action.SET_DEFAULT,
}
_MATCHES = {"s": Match.SIMPLE, "f": Match.FULL, "p": Match.PARTIAL}
_FIRING = {"O": "origin", "D": "disabled", "R": "replica", "A": "always"}
_EVENTS = {4: "INSERT", 8: "DELETE", 16: "UPDATE", 32: "TRUNCATE"}
_IDENTITY = {"a": "ALWAYS", "d": "BY DEFAULT"}

_ByTable = dict[int, list[Any]]


def introspect(session: Session) -> Schema:
    """Returns the structure of every schema that the role may use, and of the others apart."""
    version, default_schema, role = session.row(SERVER)
    relations = session.rows(RELATIONS)
    names = {row[0]: TableName(row[1], row[2]) for row in relations}
    columns, unreadable = _columns(session)
    checks: _ByTable = defaultdict(list)
    foreign_keys = _constraints(session, names, checks)
    indexes, keys = _indexes(session, names)
    triggers = _triggers(session, names)
    parents, children = _inheritance(session, names)
    tables = {
        names[row[0]]: Table(
            name=names[row[0]],
            kind=TableKind.PARTITION if row[4] and row[3] == "r" else _KINDS[row[3]],
            columns=tuple(columns[row[0]]),
            keys=tuple(keys[row[0]]),
            foreign_keys=tuple(foreign_keys[row[0]]),
            indexes=tuple(indexes[row[0]]),
            triggers=tuple(triggers[row[0]]),
            parents=tuple(parents[row[0]]),
            children=tuple(children[row[0]]),
            estimated_rows=row[5],
            readable=row[6],
            row_security=row[7],
            owned=row[8],
            oid=row[0],
            checks=tuple(checks[row[0]]),
            hidden=row[10],
            unreadable=tuple(unreadable[row[0]]),
            partition_key=tuple(row[11]),
        )
        for row in relations
    }
    usable = {names[row[0]] for row in relations if row[9]}
    seen = {name: table for name, table in tables.items() if name in usable}
    closed = {name: table for name, table in tables.items() if name not in usable}
    return Schema("postgresql", version.split()[0], default_schema, seen, closed, role)


def _columns(session: Session) -> tuple[_ByTable, _ByTable]:
    found: _ByTable = defaultdict(list)
    unreadable: _ByTable = defaultdict(list)
    for row in session.rows(COLUMNS):
        oid, name, kind, required, default, generated, identity, stored, collation, readable, loose = row
        if not readable:
            unreadable[oid].append(name)
        column = Column(
            name=name,
            type=kind,
            nullable=not required,
            default=None if generated else default,
            generated=bool(generated),
            identity=_IDENTITY.get(identity, ""),
            stored_type=stored,
            collation=collation,
            loose=loose,
        )
        found[oid].append(column)
    return found, unreadable


def _indexes(session: Session, names: dict[int, TableName]) -> tuple[_ByTable, _ByTable]:
    indexes: _ByTable = defaultdict(list)
    keys: _ByTable = defaultdict(list)
    for row in session.rows(INDEXES):
        oid, name, unique, primary, valid, method, where, expressions = row[:8]
        deferrable, nulls_equal, definition, columns, constraint = row[8:13]
        if oid not in names:
            continue
        terms, collations, operators, directions, include, loose, needed_by = row[13:]
        index = Index(
            name, names[oid], tuple(columns), unique, method, where, expressions, valid, definition,
            tuple(terms), tuple(collations), tuple(operators), tuple(directions), tuple(include),
            tuple(loose), needed_by,
        )  # fmt: skip
        indexes[oid].append(index)
        if unique and valid:
            key = Key(
                name, tuple(columns), primary, constraint, not nulls_equal, where, expressions, deferrable
            )
            keys[oid].append(key)
    return indexes, keys


def _constraints(session: Session, names: dict[int, TableName], checks: _ByTable) -> _ByTable:
    found: _ByTable = defaultdict(list)
    for row in session.rows(CONSTRAINTS):
        oid, name, kind = row[:3]
        if oid not in names:
            continue
        if kind == "c":
            checks[oid].append(f"{name} {row[15]}")
        else:
            found[oid].append(_foreign_key(row, names[oid]))
    return found


def _foreign_key(row: Row, table: TableName) -> ForeignKey:
    _, name, _, schema, referenced, columns, keys, on_delete, on_update, match = row[:10]
    deferrable, deferred, validated, enforced, period, _ = row[10:]
    return ForeignKey(
        name=name,
        table=table,
        columns=tuple(columns),
        referenced_table=TableName(schema, referenced),
        referenced_columns=tuple(keys),
        on_delete=_ACTIONS[on_delete],
        on_update=_ACTIONS[on_update],
        match=Match.PERIOD if period else _MATCHES[match],
        deferrable=deferrable,
        deferred=deferred,
        validated=validated,
        enforced=enforced,
    )


def _triggers(session: Session, names: dict[int, TableName]) -> _ByTable:
    found: _ByTable = defaultdict(list)
    for oid, name, bits, enabled, definition in session.rows(TRIGGERS):
        if oid in names:
            events = tuple(event for bit, event in _EVENTS.items() if bits & bit)
            found[oid].append(Trigger(name, names[oid], definition, events, _FIRING[enabled]))
    return found


def _inheritance(session: Session, names: dict[int, TableName]) -> tuple[_ByTable, _ByTable]:
    parents: _ByTable = defaultdict(list)
    children: _ByTable = defaultdict(list)
    for child, parent in session.rows(INHERITANCE):
        if child in names and parent in names:
            parents[child].append(names[parent])
            children[parent].append(names[child])
    return parents, children
