"""Does a unique refuse a duplicate? A row that repeats one is inserted, must be refused, and is taken back.

The row copies one that the unique speaks of, with other values in what else must not repeat. In a table
without such a row one is made by type first, and taken back as well. Where no row can be tried, the system
catalog is asked: a unique index that is valid binds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import DatabaseError

from integrity.database.engine import Predicate
from integrity.database.identifiers import TableName, column, quote_columns, quote_table
from integrity.database.schema import Key, Schema, Table
from integrity.database.session import Session
from integrity.exceptions import ReferentialIntegrityError
from integrity.references.reference import Source
from integrity.references.uniques import UniqueRule, bound, duplicated_values
from integrity.verification.result import SYSTEM_CATALOG, TRIAL
from integrity.verification.rows import ordinary_row
from integrity.verification.trial import Outcome, hindrance, short, taken_back
from integrity.verification.values import CannotBuild, Value, beside

_REFUSALS = (DatabaseError, ReferentialIntegrityError, UnicodeError)


def tried_uniques(
    session: Session, schema: Schema, rules: Sequence[UniqueRule], *, trial: bool
) -> dict[tuple[TableName, str], Outcome]:
    """Returns for each unique that stands whether it binds, all in one transaction that is rolled back.

    Args:
        session: a session for changes.
        schema: the target's structure.
        rules: the uniques, each with the key that stands for it.
        trial: whether to try them; otherwise the system catalog is asked.
    """
    standing = [(rule, rule.declared) for rule in rules if rule.declared]
    reason = "" if trial else "no trial was asked for"
    try:
        if trial:
            session.engine.begin_trial(session)
    except (ReferentialIntegrityError, DatabaseError) as error:
        reason = short(error)
    try:
        return {
            (rule.table, key.name): Outcome(True, SYSTEM_CATALOG, reason)
            if reason
            else try_unique(session, schema, rule, key)
            for rule, key in standing
        }
    finally:
        session.engine.rollback(session)


def try_unique(session: Session, schema: Schema, rule: UniqueRule, key: Key) -> Outcome:
    """Tries one unique within an open trial; nothing stays of it."""
    table = schema.table(rule.table)
    reason = hindrance(schema, table)
    if not reason and key.expressions and rule.source is not Source.CATALOG:
        reason = "its expressions are not the catalog's"
    if reason:
        return Outcome(True, SYSTEM_CATALOG, reason)
    try:
        with taken_back(session, "integrity_unique"):
            return _attempted(session, schema, table, rule, key)
    except _REFUSALS as error:
        return Outcome(True, SYSTEM_CATALOG, f"no row could be tried: {short(error)}")


def _attempted(session: Session, schema: Schema, table: Table, rule: UniqueRule, key: Key) -> Outcome:
    spoken_of = bound(rule, session.engine, table)
    if not _any(session, table, spoken_of):
        session.execute(*ordinary_row(session, schema, table, rule.columns).statement(session, table))
        if not _any(session, table, spoken_of):
            raise CannotBuild("there is no row that it speaks of")
    sql, params = _repeating(session, table, rule, key, spoken_of)
    try:
        with taken_back(session, "integrity_trial"):
            session.execute(sql, params)
            accepted = _repeats(session, schema, rule)
    except _REFUSALS as error:
        name = session.engine.violated_unique(error)
        if name in set(_names(schema, table, key)):
            return Outcome(True, TRIAL)
        raise
    if not accepted:  # another column decides what the unique compares, or of which rows it speaks
        raise CannotBuild("no row could be made that repeats a value")
    return Outcome(False, TRIAL)


def _repeats(session: Session, schema: Schema, rule: UniqueRule) -> bool:
    """Whether a value occurs twice now: asked only where a row was accepted."""
    found = duplicated_values(session.engine, schema, rule)
    return bool(session.value(f"SELECT EXISTS ({found.sql})", found.params))


def _any(session: Session, table: Table, where: Predicate) -> bool:
    source = session.engine.source(table)
    sql = f"SELECT EXISTS (SELECT 1 FROM {source} AS c WHERE {where.sql})"
    return bool(session.value(sql, where.params))


def _repeating(
    session: Session, table: Table, rule: UniqueRule, key: Key, where: Predicate
) -> tuple[str, list[object]]:
    """The INSERT of a copy with other values in the other keys."""
    values = {each.name: Value(column(each.name, "c")) for each in table.stored_columns}
    values |= _others(session, table, rule, key)
    listed = ", ".join(value.sql for value in values.values())
    into = f"{quote_table(table.name)} ({quote_columns(values)}) {session.engine.insert_prefix(table)}"
    source = session.engine.source(table)
    sql = f"INSERT INTO {into} SELECT {listed} FROM {source} AS c WHERE {where.sql} LIMIT 1"
    return sql, [param for value in values.values() for param in value.params] + list(where.params)


def _others(session: Session, table: Table, rule: UniqueRule, key: Key) -> dict[str, Value]:
    """A value beside the copied one for one column of each other key: if possible no reference.

    Raises:
        CannotBuild: where every column of another key belongs to this unique, too.
    """
    referring = {name for each in table.foreign_keys for name in each.columns}
    found: dict[str, Value] = {}
    for other in table.keys:
        own = [name for name in other.columns if not table.column(name).generated]
        if other.name == key.name or set(found) & set(own) or not own:
            continue
        free = [name for name in own if name not in rule.columns]
        if not free:
            raise CannotBuild(f"{other.name or 'the primary key'} is on the same columns")
        name = ([each for each in free if each not in referring] or free)[-1]
        found[name] = beside(session, table.column(name))
    return found


def _names(schema: Schema, table: Table, key: Key) -> Iterator[str]:
    """How the database names a unique in an error: SQLite by its columns, or its index; PostgreSQL that
    of the partition."""
    yield key.name
    yield f"index '{key.name}'"
    yield ", ".join(f"{table.name.name}.{name}" for name in key.columns)
    own = table.index(key.name)
    for leaf in schema.leaves(table.name):
        yield from (each.name for each in leaf.indexes if each.unique and own and each.terms == own.terms)
