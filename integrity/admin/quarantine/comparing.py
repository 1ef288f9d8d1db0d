"""Conflicts in words, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrity.admin.quarantine.values import value_text
from integrity.references.reference import written
from integrity.repairs.conflicts import Conflict, ConflictKind
from integrity.repairs.preview import RollbackPreview
from integrity.repairs.standing_uniques import UniqueInTheWay
from integrity.repairs.values import Value

HEADINGS = {
    ConflictKind.MADE_AGAIN: gettext_lazy("Made again since"),
    ConflictKind.UNIQUE_TAKEN: gettext_lazy("Its unique value belongs to another row now"),
    ConflictKind.CHANGED: gettext_lazy("Changed since"),
    ConflictKind.GONE: gettext_lazy("Changed since beyond recognition, or deleted"),
}


@dataclass(frozen=True)
class Line:
    """One column of a conflict: in the quarantine, as the repair left it, and now."""

    column: str
    before: Value
    left: Value | None
    live: Value | None
    differs: bool


@dataclass(frozen=True)
class Compared:
    """A row that is refused, and why; ``lines`` are the columns that tell, ``same`` how many do not."""

    heading: Any
    name: str
    sentence: str
    lines: list[Line]
    same: int
    left: bool
    live: bool


def compared(preview: RollbackPreview) -> list[Compared]:
    """Returns the conflicts of a rollback as a page shows them."""
    return [_compared(conflict) for conflict in preview.conflicts]


def _compared(conflict: Conflict) -> Compared:
    telling = {*conflict.columns, *conflict.differing} or set(conflict.before)
    lines = [line for line in _lines(conflict) if line.column in telling]
    key = [conflict.before[name] for name in conflict.columns if name in conflict.before]
    named = ", ".join(map(value_text, key))
    return Compared(
        HEADINGS[conflict.kind],
        f"{written(conflict.table)} {named}".strip(),
        _sentence(conflict),
        lines,
        len(conflict.before) - len(lines),
        bool(conflict.left),
        bool(conflict.live),
    )


def _lines(conflict: Conflict) -> Iterator[Line]:
    for name, before in conflict.before.items():
        yield Line(name, before, conflict.left.get(name), conflict.live.get(name), name in conflict.differing)


def _sentence(conflict: Conflict) -> str:
    columns = {"columns": ", ".join(conflict.columns)}
    if conflict.kind is ConflictKind.MADE_AGAIN:
        if not conflict.differing:
            return _("Exactly this row is there again: there is nothing to put back.")
        return _("A row with the same key (%(columns)s) was made since; it stays as it is.") % columns
    if conflict.kind is ConflictKind.UNIQUE_TAKEN:
        return _("A row with the same %(columns)s is there now, and only one may have it.") % columns
    if conflict.kind is ConflictKind.CHANGED:
        return _("Somebody changed the row since the repair; what they wrote stays.")
    return _("No row is as the repair left it: somebody changed or deleted it since.")


def unanswered(preview: RollbackPreview) -> list[str]:
    """What could not be looked at in time, in words; a table by its name."""
    words = {
        "foreign keys": _("foreign keys"),
        "uniques": _("uniques"),
        "parents": _("what rows refer to"),
        "relatives": _("what belongs to the rows"),
        "conversions": _("columns that have another type by now"),
    }
    return [words.get(each, each) for each in preview.unanswered]


def obstructions(preview: RollbackPreview) -> list[dict[str, Any]]:
    """The foreign keys and uniques under which rows would be wrong again."""
    found = []
    for each in preview.in_the_way:
        unique = isinstance(each, UniqueInTheWay)
        columns = each.rule.label if isinstance(each, UniqueInTheWay) else _label(each)
        found.append(
            {
                "unique": unique,
                "rule": columns,
                "name": each.key.name or _("without a name"),
                "rows": each.rows,
                "migration": each.migration,
            }
        )
    return found


def _label(each: Any) -> str:
    return written(each.key.table, each.key.columns)
