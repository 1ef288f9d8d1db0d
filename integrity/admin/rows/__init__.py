"""Orphans row by row: pages of the live target that show, count and hand out what it holds."""

from integrity.admin.rows.pages import RowPages

__all__ = ["RowPages"]
