"""Pieces of DDL that both engines write alike. A statement without parameters: percent signs single."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from integrity.database.identifiers import TableName, quote, quote_columns, quote_table, shown
from integrity.database.schema import Action, Column, ForeignKey, Match


def name(identifier: str) -> str:
    """Returns an identifier as it stands in a statement that is sent without parameters."""
    return shown(quote(identifier))


def table(identifier: TableName) -> str:
    """Returns ``"schema"."name"`` as it stands in a statement that is sent without parameters."""
    return shown(quote_table(identifier))


def columns(identifiers: Iterable[str]) -> str:
    """Returns a list of columns as it stands in a statement that is sent without parameters."""
    return shown(quote_columns(identifiers))


def foreign_key(key: ForeignKey, referenced: str) -> str:
    """Returns ``CONSTRAINT … FOREIGN KEY … REFERENCES …`` with all that differs from the defaults.

    Args:
        key: what to say.
        referenced: the referenced table, quoted as the engine wants it.
    """
    return f"CONSTRAINT {name(key.name)} FOREIGN KEY ({columns(key.columns)}) {_references(key, referenced)}"


def references(key: ForeignKey, referenced: str) -> str:
    """Returns ``CONSTRAINT … REFERENCES …`` as it stands in a column, with all that differs from the
    defaults; arguments as of :func:`foreign_key`."""
    return f"CONSTRAINT {name(key.name)} {_references(key, referenced)}"


def _references(key: ForeignKey, referenced: str) -> str:
    parts = [f"REFERENCES {referenced} ({columns(key.referenced_columns)})"]
    parts += [f"MATCH {key.match}"] if key.match is not Match.SIMPLE else []
    parts += [f"ON UPDATE {key.on_update}"] if key.on_update is not Action.NO_ACTION else []
    parts += [f"ON DELETE {key.on_delete}"] if key.on_delete is not Action.NO_ACTION else []
    parts += ["DEFERRABLE"] if key.deferrable else []
    parts += ["INITIALLY DEFERRED"] if key.deferred else []
    return " ".join(parts)


def create_index(
    index: str,
    on: str,
    listed: Iterable[str],
    *,
    unique: bool = False,
    where: str = "",
    how: str = "",
    lowered: Collection[str] = (),
    nulls_not_distinct: bool = False,
) -> str:
    """Returns ``CREATE [UNIQUE] INDEX [CONCURRENTLY] … ON … (…) [NULLS NOT DISTINCT] [WHERE …]``.

    Args:
        index: the index's name, not yet quoted.
        on: the table, quoted as the engine wants it.
        listed: the columns.
        unique: whether it forbids duplicates.
        where: SQL that makes it partial.
        how: words between INDEX and the name.
        lowered: the columns that are compared without regard to case.
        nulls_not_distinct: whether NULL equals NULL.
    """
    words = ["CREATE UNIQUE INDEX" if unique else "CREATE INDEX", how, name(index)]
    terms = ", ".join(f"lower({name(each)})" if each in lowered else name(each) for each in listed)
    text = " ".join(word for word in words if word) + f" ON {on} ({terms})"
    text += " NULLS NOT DISTINCT" if nulls_not_distinct else ""
    return f"{text} WHERE {where}" if where else text


def column_definition(column: Column) -> str:
    """Returns ``"name" type [DEFAULT …] [NOT NULL]``, the type and the default as they are written."""
    parts = [name(column.name), column.type]
    parts += [f"DEFAULT {column.default}"] if column.default is not None else []
    parts += [] if column.nullable else ["NOT NULL"]
    return " ".join(part for part in parts if part)


def create_table(on: str, definitions: Iterable[str], key: Collection[str]) -> str:
    """Returns ``CREATE TABLE … (…)``, a line a column, its primary key last.

    Args:
        on: the table, quoted as the engine wants it.
        definitions: what :func:`column_definition` returned.
        key: the columns of the primary key; none where a column's type says it.
    """
    lines = [*definitions, *([f"PRIMARY KEY ({columns(key)})"] if key else [])]
    listed = ",\n    ".join(lines)
    return f"CREATE TABLE {on} (\n    {listed}\n)"
