"""What audits look for: what each kind is called, and why it matters, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True)
class Kind:
    """One kind of finding."""

    name: Text
    meaning: Text = ""


KINDS: Mapping[str, Kind] = {
    "broken_routine": Kind(
        _("broken routine"),
        _("A function, trigger or view refers to something that is gone, and fails when it is used."),
    ),
    "column_differs": Kind(
        _("column differs"), _("The column is not what the catalog says that the application needs.")
    ),
    "duplicate_rows": Kind(
        _("duplicate rows"),
        _("A value that should be there once is there several times. Until that is settled, nothing can "
          "keep more from coming."),
    ),
    "ledger_disagrees": Kind(
        _("ledger disagrees"), _("The applied migrations that are recorded are not those that are there.")
    ),
    "mirror_drift": Kind(
        _("mirror drift"), _("The same facts are kept in two places, and the two say different things.")
    ),
    "missing_column": Kind(_("missing column"), _("The application needs a column that is not there.")),
    "missing_foreign_key": Kind(
        _("missing foreign key"), _("Nothing keeps rows from referring to what does not exist.")
    ),
    "missing_index": Kind(
        _("missing index"),
        _("Without it, whole tables are read to answer a question or to delete a single row."),
    ),
    "missing_routine": Kind(
        _("missing routine"), _("A function or trigger that the application relies on is not there.")
    ),
    "missing_table": Kind(_("missing table"), _("The application needs a table that is not there.")),
    "missing_unique": Kind(
        _("missing unique"), _("Nothing keeps the same value from being stored twice.")
    ),
    "orphaned_rows": Kind(_("orphaned rows"), _("Rows refer to something that does not exist.")),
    "redundant_index": Kind(
        _("redundant index"), _("Another index does the same: this one only costs time and space.")
    ),
    "routine_differs": Kind(
        _("routine differs"), _("A function or trigger does something else than the catalog says.")
    ),
    "table_count": Kind(
        _("number of tables"), _("There are more or fewer tables than the catalog says.")
    ),
    "unenforced_connections": Kind(
        _("unenforced connections"), _("Some connections do not check foreign keys, and may leave orphans.")
    ),
    "unvalidated_foreign_key": Kind(
        _("unvalidated foreign key"), _("New rows are checked, but those from before never were.")
    ),
    "wrong_environment": Kind(
        _("wrong environment"), _("Something for another environment was applied here, test data perhaps.")
    ),
}  # fmt: skip


def kind_of(code: str) -> Kind:
    """Returns what a kind is called; one of a newer version by its code."""
    return KINDS.get(code, Kind(code.replace("_", " ")))
