"""How a column numbers its rows: what an identity was, and the statements that bring it back."""

from __future__ import annotations

from integrity.database import clauses
from integrity.database.identifiers import TableName, literal, quote_table
from integrity.database.session import Session

_SEQUENCE = """
SELECT n.nspname, c.relname, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
       ARRAY(SELECT format('GRANT %%s ON SEQUENCE %%s TO %%s', g.privilege_type, c.oid::regclass,
                    CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END)
                    || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
             FROM aclexplode(c.relacl) g WHERE g.grantee <> c.relowner)
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i'
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.refobjid = %s::oid AND a.attname = %s
"""

DEFAULT = """
SELECT pg_get_expr(f.adbin, f.adrelid) FROM pg_attrdef f
JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attgenerated = ''
JOIN pg_class r ON r.oid = a.attrelid JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE n.nspname = %s AND r.relname = %s AND a.attname = %s
"""


def identity(session: Session, table: TableName, oid: int, column: str, kind: str) -> tuple[str, ...]:
    """Returns the statements that make a column an identity again, its sequence where it stands now, or
    behind the rows that were made since.

    Args:
        session: where to look.
        table: its table.
        oid: the table's.
        column: the column.
        kind: ``ALWAYS`` or ``BY DEFAULT``.
    """
    found = session.row(_SEQUENCE, [oid, column])
    schema, name, start, increment, least, most, cache, cycle, grants = found
    sequence = TableName(schema, name)
    last, called = session.row(f"SELECT last_value, is_called FROM {quote_table(sequence)}")
    options = (
        f"SEQUENCE NAME {clauses.table(sequence)} START WITH {start} INCREMENT BY {increment} "
        f"MINVALUE {least} MAXVALUE {most} CACHE {cache}{' CYCLE' if cycle else ''}"
    )
    farthest, beyond = ("max", ">") if increment > 0 else ("min", "<")
    place, of = literal(clauses.table(sequence)), clauses.name(column)
    made = f"SELECT {farthest}({of}) AS value FROM {clauses.table(table)}"
    return (
        f"ALTER TABLE {clauses.table(table)} ALTER COLUMN {of} ADD GENERATED {kind} AS IDENTITY ({options})",
        f"SELECT setval({place}, CASE WHEN m.value {beyond} {last} THEN m.value ELSE {last} END, "
        f"{'true' if called else f'coalesce(m.value {beyond}= {last}, false)'}) FROM ({made}) m",
        *grants,
    )


def drop_identity(table: TableName, column: str) -> str:
    """Lets a column number rows no more; its sequence goes."""
    return f"{alter(table, column)} DROP IDENTITY"


def set_default(table: TableName, column: str, default: str | None) -> str:
    """Gives a column a default, or none."""
    return f"{alter(table, column)} {f'SET DEFAULT {default}' if default is not None else 'DROP DEFAULT'}"


def alter(table: TableName, column: str) -> str:
    """The head of a change of one column."""
    return f"ALTER TABLE {clauses.table(table)} ALTER COLUMN {clauses.name(column)}"
