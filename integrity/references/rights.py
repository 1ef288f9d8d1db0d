"""What a role may not see of a table, and the GRANT or role that would let it.

A row that is hidden from us is not missing. PostgreSQL hides rows silently, by row-level security and
by views that ask who reads them; both are known beforehand, so that nobody is shown an orphan that is none.
"""

from __future__ import annotations

from collections.abc import Sequence

from integrity.database.identifiers import TableName, quote, quote_columns, quote_table, shown
from integrity.database.schema import Schema, Table
from integrity.exceptions import NotCheckable


def refuse_unseen(schema: Schema, name: TableName, columns: Sequence[str], where: str) -> None:
    """Raises NotCheckable for a table of which this role may not see every row, or not these columns."""
    table = schema.table(name)
    if name in schema.closed:
        usage = _grant(schema, "USAGE", f"SCHEMA {quote(name.schema)}")
        raise NotCheckable(
            f"This role may not use schema {name.schema}, where {name} is",
            where=where,
            hint=" ".join([usage, *_reading(schema, table)]),
        )
    if not table.readable:
        raise NotCheckable(
            f"This role may not read {name}", where=where, hint=" ".join(_reading(schema, table))
        )
    refused = [each for each in columns if each in table.unreadable]
    if refused:
        listed = quote_columns(refused)
        raise NotCheckable(
            f"This role may not read {', '.join(refused)} of {name}",
            where=where,
            hint=_grant(schema, f"SELECT ({listed})", quote_table(name)),
        )
    if table.hidden:
        what, hint = _hiding(schema, table)
        raise NotCheckable(what, where=where, hint=hint)


def closed_default(schema: Schema) -> str:
    """Returns why nothing could be known of the default schema, empty where it could: then there are no
    references to be checked, and that is not green."""
    name = schema.default_schema
    if not any(table.schema == name for table in schema.closed):
        return ""
    return f"This role may not use schema {name}. {_grant(schema, 'USAGE', f'SCHEMA {quote(name)}')}"


def _reading(schema: Schema, table: Table) -> list[str]:
    return [] if table.readable else [_grant(schema, "SELECT", quote_table(table.name))]


def _grant(schema: Schema, right: str, on: str) -> str:
    return shown(f"GRANT {right} ON {on} TO {_role(schema)};")


def _role(schema: Schema) -> str:
    return quote(schema.role) if schema.role else "the role in DATABASES"


def _hiding(schema: Schema, table: Table) -> tuple[str, str]:
    name, role = table.name, _role(schema)
    bypass = shown(f"a role with BYPASSRLS (ALTER ROLE {role} BYPASSRLS;)")
    if table.hidden == "view":
        return (
            f"{name} is a view that shows each role other rows",
            "Let the reference name the table beneath it, and use a role that sees all of that.",
        )
    if table.hidden == "forced":
        lifted = shown(f"ALTER TABLE {quote_table(name)} NO FORCE ROW LEVEL SECURITY;")
        return (
            f"Row-level security hides rows of {name} from this role, its owner, too: it is forced",
            f"Use {bypass}, or for the time of the work: {lifted}",
        )
    return f"Row-level security hides rows of {name} from this role", f"Use {bypass}, or the owner of {name}."
