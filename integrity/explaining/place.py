"""Where an error belongs: the target, and in it the reference or the key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from django.db import DatabaseError

from integrity.database.identifiers import TableName
from integrity.database.schema import Key, Schema, Table
from integrity.database.session import Session, Target
from integrity.exceptions import ReferentialIntegrityError
from integrity.explaining.reported import ErrorKind, Reported
from integrity.explaining.wording import parts
from integrity.references.catalog import Catalog, load_catalog
from integrity.references.django_models import has_models, model_references
from integrity.references.reference import Reference, Source, matching_key
from integrity.references.resolve import known_references, known_uniques
from integrity.references.uniques import UniqueRule


@dataclass(frozen=True)
class Known:
    """A target that is open, and everything that should hold there."""

    session: Session
    schema: Schema
    catalog: Catalog
    references: tuple[Reference, ...]

    @property
    def target(self) -> Target:
        """Which target."""
        return self.session.target


@dataclass(frozen=True)
class Place:
    """What in a target an error is about.

    ``references`` holds one where it is clear, several where the error leaves it open, the likeliest first.
    ``sure`` says that the constraint is known there by its name, not only the tables. ``rule`` is the unique
    that a duplicate breaks, its columns in the order in which the error lists them.
    """

    references: tuple[Reference, ...] = ()
    table: TableName | None = None
    columns: tuple[str, ...] = ()
    key: Key | None = None
    sure: bool = False
    known: bool = field(default=True)
    rule: UniqueRule | None = None


def known_in(session: Session, catalog: Catalog | None = None) -> Known:
    """Returns what is known of an open target: its structure, its catalog, the site's models."""
    target = session.target
    schema = session.schema()
    catalog = load_catalog(target.alias) if catalog is None else catalog
    others = model_references(target.alias, schema) if has_models(target.alias) else []
    return Known(session, schema, catalog, tuple(known_references(schema, catalog, others)))


def place_of(reported: Reported, known: Known) -> Place | None:
    """Returns what an error is about in one target, None where it cannot have come from there."""
    if reported.vendor and reported.vendor != known.schema.vendor:
        return None
    if reported.kind is ErrorKind.DUPLICATE:
        return _key(reported, known)
    found = [each for each in known.references if _fits(reported, known.schema, each)]
    named = [each for each in found if reported.constraint and reported.constraint in _names(each)]
    if named or found:
        return Place(tuple(named or found), sure=bool(named))
    assumed = _assumed(reported, known.schema)
    return Place((assumed,), known=False) if assumed else None


def _names(reference: Reference) -> set[str]:
    return {reference.name, reference.declared.name if reference.declared else ""}


def _fits(reported: Reported, schema: Schema, reference: Reference) -> bool:
    """Whether nothing that the error says speaks against a reference."""
    if reported.table and not _is(schema, reference.table, reported.table, reported.schema):
        return False
    if reported.referenced_table and not _is(schema, reference.referenced_table, reported.referenced_table):
        return False
    if reported.columns and reported.columns != reference.columns:
        return False
    if reported.kind is ErrorKind.UNUSABLE_KEY:
        return reference.declared is not None
    if not reported.table and reported.kind is ErrorKind.FOREIGN_KEY:
        return reference.declared is not None
    return not reported.keys or reported.keys in _written_keys(reported.kind, reference)


def _written_keys(kind: ErrorKind, reference: Reference) -> set[str]:
    """How the DETAIL line would list the columns."""
    own, there = ", ".join(reference.columns), ", ".join(reference.referenced_columns)
    by_kind = {ErrorKind.MISSING_PARENT: {own}, ErrorKind.STILL_REFERENCED: {there}}
    return by_kind.get(kind, {own, there})


def _is(schema: Schema, name: TableName, said: str, said_schema: str = "") -> bool:
    """Whether an error that names ``said`` can speak of a table; a partition speaks for its parent."""
    return any(
        each.name == said and (not said_schema or each.schema == said_schema)
        for each in [name, *_below(schema, name)]
    )


def _below(schema: Schema, name: TableName) -> Iterator[TableName]:
    for child in schema.table(name).children if name in schema.tables else ():
        yield child
        yield from _below(schema, child)


def _assumed(reported: Reported, schema: Schema) -> Reference | None:
    """The reference that an error speaks of and nobody wrote down: a constraint that could not be added."""
    table, parent = _only(schema, reported.table, reported.schema), _only(schema, reported.referenced_table)
    if table is None or parent is None or reported.kind is not ErrorKind.MISSING_PARENT:
        return None
    columns = _columns(reported.keys, table)
    key = reported.referenced_columns or (parent.primary_key.columns if parent.primary_key else ())
    if not columns or len(columns) != len(key):
        return None
    found = Reference(table.name, columns, parent.name, key, source=Source.INFERRED, name=reported.constraint)
    return found if matching_key(schema, found) is None else None


def _only(schema: Schema, name: str, of_schema: str = "") -> Table | None:
    """The only table of a name, the default schema's where there are several."""
    found = [
        each for each in schema if each.name.name == name and (not of_schema or each.name.schema == of_schema)
    ]
    usual = [each for each in found if each.name.schema == schema.default_schema]
    return next(iter(usual or found), None) if len(found) == 1 or usual else None


def _columns(text: str, table: Table) -> tuple[str, ...]:
    """The columns of a DETAIL line, where a table has all of them."""
    for count in range(1, text.count(", ") + 2):
        columns = parts(text, count)
        if columns and table.has_columns(columns):
            return columns
    return ()


def _key(reported: Reported, known: Known) -> Place | None:
    """The unique that a duplicate breaks; one that could not be made yet is looked for in the catalog."""
    for table in known.schema:
        if reported.table and table.name.name != reported.table:
            continue
        if reported.schema and table.name.schema != reported.schema:
            continue
        for key in table.keys:
            if _same_key(reported, table, key):
                rule = rule_of(known, table, key)
                columns = rule.columns if rule else key.columns
                return Place(table=table.name, columns=columns, key=key, sure=True, rule=rule)
    return _wanted_key(reported, known)


def _same_key(reported: Reported, table: Table, key: Key) -> bool:
    """By its name: that of a partition's part as well, for each has a name of its own."""
    if reported.constraint:
        return key.name == reported.constraint
    return bool(reported.columns) and set(key.columns) == set(reported.columns) and not key.expressions


def rule_of(known: Known, table: Table, key: Key) -> UniqueRule | None:
    """Returns the catalog's word for a key that stands, else what the key itself says; None where it has
    expressions that the catalog does not explain."""
    for rule in _catalog_rules(known):
        if rule.table == table.name and rule.declared == key:
            return replace(rule, columns=_as_indexed(table, key, rule.columns), declared=key)
    if key.expressions:
        return None
    return UniqueRule(
        table.name, key.columns, key.name, key.where, key.nulls_distinct, declared=key, source=Source.DECLARED
    )


def _catalog_rules(known: Known) -> list[UniqueRule]:
    try:
        with known.session.look():
            return known_uniques(known.schema, known.catalog, known.session)
    except (ReferentialIntegrityError, DatabaseError):
        return known_uniques(known.schema, known.catalog)


def _as_indexed(table: Table, key: Key, columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of a unique in the order of its index, in which the error lists the values."""
    index = table.index(key.name)
    if index is None:
        return columns
    found = [
        name
        for term in index.terms
        for name in columns
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", term)
    ]
    return tuple(found) if sorted(found) == sorted(columns) else columns


def _wanted_key(reported: Reported, known: Known) -> Place | None:
    """The unique that could not be made yet: the catalog's, by its name or its columns."""
    for rule in _catalog_rules(known):
        same = rule.table.name == reported.table and set(rule.columns) == set(reported.columns)
        if rule.name == reported.constraint if reported.constraint else same:
            return Place(table=rule.table, columns=rule.columns, sure=True, rule=rule)
    tables: Sequence[Table] = [each for each in known.schema if each.name.name == reported.table]
    columns = next((_columns(reported.keys, each) or reported.columns for each in tables), ())
    if not (tables and columns):
        return None
    rule = UniqueRule(tables[0].name, columns, reported.constraint, source=Source.INFERRED)
    return Place(table=tables[0].name, columns=columns, rule=rule)
