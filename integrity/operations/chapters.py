"""Which fixes one migration file holds, what it is called, and when it says that it may be applied."""

from __future__ import annotations

from collections.abc import Sequence

from integrity.operations.mirror_fixes import CHAPTERS as MIRROR_CHAPTERS
from integrity.operations.repair_duplicates import RepairDuplicates
from integrity.operations.routine_fixes import CHAPTERS as ROUTINE_CHAPTERS
from integrity.operations.schema_fix import FixKind, SchemaFix

CHAPTERS = {**ROUTINE_CHAPTERS, **MIRROR_CHAPTERS}
_LAST = 3
_NAMES = {1: "indexes", 2: "foreign_keys", 3: "validate"}
_TITLES = {
    1: "indexes (phase 1 of 3)",
    2: "foreign keys for new rows (phase 2 of 3)",
    3: "foreign keys for all rows (phase 3 of 3)",
}
_REPAIRS = "repair_orphans"
_REPAIRS_TITLE = "orphans resolved by the catalog's policies (phase 3 of 3)"
_REPAIRS_WHEN = (
    "Changes rows: what stands above each repair, in small batches, while others read and write. Every row "
    "is journaled in the target first, and reversing this brings all back. A process that is stopped goes on "
    "when this is applied again. Look at the rows before: manage.py integrity_plan shows them."
)
_WHEN = {
    1: "Harmless at any time: each is built while others read and write. Building waits for transactions "
    "that are open, so not beside one that takes hours.",
    2: "Orphans that stand stay, new ones cannot appear. The delete actions act from here on: what deleting "
    "a row will do stands above each key. Not before everybody who deletes rows knows.",
    3: "Checks the rows that stand, while others read and write. Not while orphans are left: it stops and "
    "says how many, and the command that resolves them.",
}
_ON_SQLITE = {
    1: "Each is built in one transaction; other writers wait meanwhile.",
    2: "Each key is written into its table's definition, at once at any size. It binds the connections that "
    "switch foreign_keys on; saving a whole row that is still an orphan fails there, so resolve orphans "
    "first if the application does that. Deletions do what stands above each key.",
    3: "A key binds all rows by its nature here. This checks that no orphan is left, and changes nothing.",
}

_UNIQUE = (
    " A unique binds new rows from its first moment. Not while duplicates are left: it stops, names them and "
    "the command that resolves them, and nothing stays of it."
)
_REQUIRED_KINDS = (FixKind.TABLE, FixKind.COLUMN)
_REQUIRED = "tables"
_REQUIRED_TITLE = "tables and columns (phase 1 of 3)"
_REQUIRED_WHEN = (
    "Harmless at any time: nothing that stands is changed. A table that is there is left as it is. A column "
    "is added at once, and the rows that are there are filled in small batches while others read and write. "
    "Reversing this keeps what they hold by then in the target's journal; applied again, it is back."
)
_RECREATED = "recreate_tables"
_RECREATED_TITLE = "tables made anew in another shape (phase 3 of 3)"
_RECREATED_WHEN = (
    "Readers and writers of each table wait while it is made anew. The old one is in the target's journal "
    "with all its rows; what uses it is made again on the new one, and what cannot be stops this unless it "
    "is acknowledged. Reversing this puts the old table back. Not before the application knows the new shape."
)
_OTHERS = "others"
_MIRRORS = tuple(name for name, _, _ in CHAPTERS.values())
_REDUNDANT = "redundant_indexes"
_REDUNDANT_TITLE = "indexes that others make redundant (phase 3 of 3)"
_REDUNDANT_WHEN = (
    "Drops indexes that find nothing that another does not find, while others read and write. It stops where "
    "the other one is not there; reversing this builds each as it was."
)
_CONVERTING = (
    " A column that changes its type is rewritten, and with a key all that refers to it: readers and writers "
    "of these tables wait meanwhile. Values that cannot be read stop it before the first change. Not before "
    "the application knows the new type."
)
_COLUMNS_TITLE = "columns of another type or default (phase 3 of 3)"
_REMOVED_TITLE = "columns removed (phase 3 of 3)"
_REMOVED_WHEN = (
    "Not before every reader and writer of the column is gone. The values are copied into the target's "
    "journal while others write; then writers wait for what was changed meanwhile, and readers for a moment. "
    "Reversing this brings every value back."
)


def _converts(fixes: Sequence[SchemaFix]) -> bool:
    return {fix.kind for fix in fixes} <= {FixKind.CONVERT, FixKind.DEFAULT}


def chapter_of(fix: SchemaFix) -> tuple[int, int]:
    """Returns by what fixes are divided into files: a phase; first the tables and columns that all others are
    about, then tables made anew, the repairs that make possible what binds all rows, that, and last what
    nobody needs then."""
    if fix.kind in _REQUIRED_KINDS:
        return fix.phase, 0
    order = [None, FixKind.RECREATION, FixKind.REPAIR, _OTHERS, FixKind.REDUNDANT, *CHAPTERS]
    return fix.phase, order.index(fix.kind if fix.kind in order else _OTHERS)


def chapter_name(phase: int, part: int, fixes: Sequence[SchemaFix]) -> str:
    """Returns what a file is called behind its number."""
    uniques = phase == _LAST and all(fix.kind is FixKind.UNIQUE for fix in fixes)
    usual = "uniques" if uniques else "columns" if _converts(fixes) else _NAMES[phase]
    names = (_REQUIRED, _RECREATED, _REPAIRS, usual, _REDUNDANT, *_MIRRORS)
    return names[part]


def heading(phase: int, fixes: Sequence[SchemaFix], *, sqlite: bool) -> tuple[str, str]:
    """Returns what a file is called, and when to apply it."""
    own = _own_heading(fixes)
    if own is not None:
        return own
    kinds = {fix.kind for fix in fixes}
    title, advice = _TITLES[phase], (_ON_SQLITE if sqlite else _WHEN)[phase]
    if FixKind.UNIQUE in kinds and phase > 1:
        title = f"uniques (phase {phase} of 3)" if kinds == {FixKind.UNIQUE} else f"uniques and {title}"
        advice = f"{advice}{_UNIQUE}" if kinds != {FixKind.UNIQUE} else _UNIQUE.strip()
    return title, advice + (_CONVERTING if FixKind.CONVERT in kinds else "")


def _own_heading(fixes: Sequence[SchemaFix]) -> tuple[str, str] | None:
    """What a file of one kind alone says, None for one that is a phase."""
    kinds = {fix.kind for fix in fixes}
    if kinds == {FixKind.REPAIR}:
        shared = any(isinstance(fix.operation, RepairDuplicates) for fix in fixes)
        title = _REPAIRS_TITLE.replace("orphans", "orphans and duplicates") if shared else _REPAIRS_TITLE
        return title, _REPAIRS_WHEN
    if kinds <= set(_REQUIRED_KINDS):
        return _REQUIRED_TITLE, _REQUIRED_WHEN
    if kinds == {FixKind.RECREATION}:
        return _RECREATED_TITLE, _RECREATED_WHEN
    if kinds == {FixKind.REMOVAL} and not any(fix.operation.arguments().get("repeats") for fix in fixes):
        return _REMOVED_TITLE, _REMOVED_WHEN
    for kind in kinds & set(CHAPTERS):
        return CHAPTERS[kind][1:]
    if _converts(fixes):
        return _COLUMNS_TITLE, _CONVERTING.strip()
    if kinds == {FixKind.REDUNDANT}:
        return _REDUNDANT_TITLE, _REDUNDANT_WHEN
    return None
