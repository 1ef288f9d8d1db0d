"""What reversing takes away, and what is looked at afterwards, by the kinds of operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from integrity.exceptions import ReferentialIntegrityError
from integrity.operations import (
    AddColumn,
    AddForeignKey,
    AddIndex,
    AddUnique,
    ConvertColumn,
    CreateTable,
    RecreateTable,
    RemoveColumn,
    RemoveIndex,
    RepairDuplicates,
    RepairMirror,
    RepairOrphans,
    ValidateForeignKey,
)
from integrity.operations.catalog_migrations import migrations_of
from integrity.operations.operation import CatalogOperation
from integrity.references.catalog import load_catalog

Kinds = tuple[type[Any], ...]

_REVERSED: Sequence[tuple[Kinds, Any]] = (
    (
        (AddForeignKey,),
        _("Foreign keys go: new orphans can appear again, and deleting a parent does nothing to its rows."),
    ),
    (
        (ValidateForeignKey,),
        _("Foreign keys bind new rows only again; the database no longer knows that all rows keep them."),
    ),
    ((AddUnique,), _("Uniques go: new duplicates can appear again.")),
    ((AddIndex,), _("Indexes go: what they made fast is slow again.")),
    ((RemoveIndex,), _("Indexes that were dropped are built again.")),
    (
        (CreateTable, AddColumn),
        _(
            "Tables and columns go; what they hold by now is kept in the target's journal, and is back when "
            "this is applied again."
        ),
    ),
    ((RemoveColumn,), _("Columns that were removed come back with every value.")),
    (
        (ConvertColumn, RecreateTable),
        _("Columns and tables get their old shape back, with every spelling that was kept."),
    ),
    (
        (RepairOrphans, RepairDuplicates, RepairMirror),
        _("Rows that were repaired come back as they were, unless somebody changed them since."),
    ),
)

_FORWARDS: Sequence[tuple[Kinds, Any]] = (
    (
        (AddForeignKey,),
        _("From here on new rows need their parent, and deleting a parent does what its foreign key says."),
    ),
    ((AddUnique,), _("From here on a row that repeats a value is refused.")),
    (
        (RepairOrphans, RepairDuplicates, RepairMirror),
        _("Rows are changed, in small batches; each is first kept whole in the target's journal."),
    ),
)

_FORWARDS_ON: Mapping[str, Sequence[tuple[Kinds, Any]]] = {
    "sqlite": (
        (
            (AddForeignKey,),
            _("On SQLite foreign keys bind only connections that set PRAGMA foreign_keys = ON."),
        ),
    )
}
"""What is peculiar to an engine."""

_AFTER: Sequence[tuple[Kinds, Any]] = (
    (
        (AddForeignKey, ValidateForeignKey),
        _("Each foreign key stands and refuses a row that breaks it: tried, and taken back."),
    ),
    ((ValidateForeignKey,), _("Each validated foreign key speaks of every row.")),
    ((AddIndex, AddUnique), _("Each index is there and valid.")),
    ((AddUnique,), _("Each unique is active.")),
    (
        (AddColumn, CreateTable, ConvertColumn, RecreateTable),
        _("Tables and columns are as they should be."),
    ),
)


def means(operations: Sequence[CatalogOperation], *, backwards: bool, vendor: str = "") -> Iterator[Any]:
    """Yields what applying or reversing these means for whoever uses the target, and for its engine."""
    said = _REVERSED if backwards else (*_FORWARDS, *_FORWARDS_ON.get(vendor, ()))
    for kinds, text in said:
        if any(isinstance(each, kinds) for each in operations):
            yield text


def spoils_saving(operations: Sequence[CatalogOperation], vendor: str) -> bool:
    """Whether orphans that still stand when these are applied can no longer be saved as whole rows."""
    return vendor == "sqlite" and any(isinstance(each, AddForeignKey) for each in operations)


def looked_at_after(alias: str, names: Sequence[str]) -> list[Any]:
    """Returns what is looked at when these migrations were applied."""
    operations = [
        operation
        for migration in migrations_of(alias)
        if migration.name in names
        for operation in migration.operations
    ]
    found = [text for kinds, text in _AFTER if any(isinstance(each, kinds) for each in operations)]
    try:
        flows = load_catalog(alias).flows
    except ReferentialIntegrityError:
        flows = ()
    return [*found, _("The flows of the catalog work as they did before.")] if flows else found
