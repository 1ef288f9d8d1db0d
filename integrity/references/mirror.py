"""A column of JSON that repeats rows of a table, resolved against a real schema."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from integrity.database.identifiers import TableName, quote_table
from integrity.database.schema import Schema, Table, did_you_mean
from integrity.database.session import Session
from integrity.exceptions import CatalogError, UnknownTable
from integrity.references.awaited import standing
from integrity.references.catalog import Catalog
from integrity.references.mirror_entry import CatalogMirror, DriftRule, ListOf, OnlyInJson, Shape
from integrity.references.reference import Reference, written


@dataclass(frozen=True)
class Mirror:
    """``column`` of ``table`` repeats the rows that refer to its row by ``reference``.

    ``elements`` are (key in JSON, column): what an object in a list repeats. ``identity`` are those of
    them by which an element is the same row: the key of the repeated table.
    """

    table: TableName
    column: str
    reference: Reference
    elements: tuple[tuple[str, str], ...]
    identity: tuple[tuple[str, str], ...]
    count: str = "count"
    shape: Shape = Shape.COUNT
    list_of: ListOf = ListOf.OBJECTS
    drift: DriftRule | None = None
    only_in_json: OnlyInJson = OnlyInJson.REFUSE
    view: TableName | None = None
    acknowledged: tuple[str, ...] = ()
    rationale: str = ""
    entry: str = ""

    def __str__(self) -> str:
        return f"{self.label} repeats {self.reference.label}"

    @property
    def label(self) -> str:
        """``store_customers.orders``: how commands name it."""
        return written(self.table, (self.column,))

    @property
    def repeated(self) -> TableName:
        """The table whose rows are repeated."""
        return self.reference.table

    @property
    def others(self) -> tuple[tuple[str, str], ...]:
        """What an element repeats besides its identity."""
        return tuple(each for each in self.elements if each not in self.identity)


def resolved_elements(
    table: Table, elements: Sequence[tuple[str, str]]
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Returns what elements repeat and which of that tells them apart; by default the primary key does.

    Raises:
        UnknownTable: for a column that the table does not have.
    """
    key = table.primary_key.columns if table.primary_key else ()
    pairs = tuple(elements) or tuple((name, name) for name in key)
    for _, name in pairs:
        table.column(name)
    identity = tuple(each for each in pairs if each[1] in key) or pairs[:1]
    return pairs, identity


def known_mirrors(schema: Schema, catalog: Catalog, references: Iterable[Reference]) -> list[Mirror]:
    """Returns what the catalog's ``[[mirror]]`` entries mean, those whose column is gone among them.

    Args:
        schema: the target's structure.
        catalog: its catalog.
        references: what is known of the target.

    Raises:
        CatalogError: for a table, a reference or a repeated column that the target does not have.
    """
    known = list(references)
    return [_mirror(schema, catalog, entry, known) for entry in standing(schema, catalog).mirrors]


def standing_mirrors(
    session: Session, schema: Schema, catalog: Catalog, references: Iterable[Reference]
) -> list[Mirror]:
    """Returns the mirrors whose column is there; one that was removed is none any more.

    Raises:
        CatalogError: for a name that is wrong, and for a column that nobody here removed.
    """
    found = []
    for mirror in known_mirrors(schema, catalog, references):
        table = schema.table(mirror.table)
        if table.has_columns((mirror.column,)):
            found.append(mirror)
        elif not was_removed(session, schema, mirror):
            raise CatalogError(
                f"{mirror.table} has no column {mirror.column!r}",
                where=f"{catalog.file}, {mirror.entry}",
                hint=did_you_mean(mirror.column, table.column_names)
                + " If it was removed by hand, take the entry out.",
            )
    return found


REMOVED = "removed_columns"
"""The journal's table of the columns that migrations removed."""


def was_removed(session: Session, schema: Schema, mirror: Mirror) -> bool:
    """Whether the column is gone because it was removed: the journal says so, or its view stands."""
    if mirror.view is not None and schema.knows(mirror.view):
        return True
    place = session.engine.journal_table(REMOVED)
    if not session.engine.has_table(session, place):
        return False
    sql = f"SELECT count(*) FROM {quote_table(place)} WHERE table_name = %s AND column_name = %s"
    return bool(session.value(sql, [str(mirror.table), mirror.column]))


def _mirror(schema: Schema, catalog: Catalog, entry: CatalogMirror, known: Sequence[Reference]) -> Mirror:
    where = f"{catalog.file}, {entry.entry}"
    try:
        table = schema.resolve(entry.column)
        repeated = schema.table(schema.resolve(entry.repeats))
        for name in entry.repeats.columns:
            repeated.column(name)
        elements, identity = resolved_elements(repeated, entry.elements)
    except UnknownTable as error:
        raise CatalogError(error.what, where=where, hint=error.hint) from error
    return Mirror(
        table=table,
        column=entry.column.columns[0],
        reference=_reference(table, repeated.name, entry, known, where),
        elements=elements,
        identity=identity,
        count=entry.count,
        shape=entry.shape,
        list_of=entry.list_of,
        drift=entry.drift,
        only_in_json=entry.only_in_json,
        view=_view(schema, entry),
        acknowledged=entry.acknowledged,
        rationale=entry.rationale,
        entry=entry.entry,
    )


def _view(schema: Schema, entry: CatalogMirror) -> TableName | None:
    if entry.view is None:
        return None
    return TableName(entry.view.schema or schema.resolve(entry.column).schema, entry.view.table)


def _reference(
    table: TableName, repeated: TableName, entry: CatalogMirror, known: Sequence[Reference], where: str
) -> Reference:
    wanted = written(repeated, entry.repeats.columns)
    for each in known:
        same = each.table == repeated and set(each.columns) == set(entry.repeats.columns)
        if same and each.referenced_table == table:
            return each
    labels = [each.label for each in known if each.referenced_table == table]
    raise CatalogError(
        f"{wanted} is not a reference to {written(table)}",
        where=where,
        hint=did_you_mean(wanted, labels) or f'Add a [[reference]] from = "{wanted}" first.',
    )
