"""Orphans of the live target, row by row: in pages, by missing key, with what refers to them."""

from integrity.diagnosis.rows.chosen import ShownColumn
from integrity.diagnosis.rows.looking import PATIENCE_MS, Orphans, Sought, looking
from integrity.diagnosis.rows.missing import KEYS_A_PAGE, KeyPage, MissingKey, missing_keys
from integrity.diagnosis.rows.pages import ROWS_A_PAGE, Cell, RowPage, ShownRow, orphan_rows
from integrity.diagnosis.rows.parents import Parent, Parents, find_parents
from integrity.diagnosis.rows.referring import (
    ReferringRows,
    all_referring_rows,
    references_to,
    referring_rows,
)

__all__ = [
    "KEYS_A_PAGE",
    "PATIENCE_MS",
    "ROWS_A_PAGE",
    "Cell",
    "KeyPage",
    "MissingKey",
    "Orphans",
    "Parent",
    "Parents",
    "ReferringRows",
    "RowPage",
    "ShownColumn",
    "ShownRow",
    "Sought",
    "all_referring_rows",
    "find_parents",
    "looking",
    "missing_keys",
    "orphan_rows",
    "references_to",
    "referring_rows",
]
