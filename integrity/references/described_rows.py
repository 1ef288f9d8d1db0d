"""Rows that a catalog describes: ``[system_row.TABLE]`` and ``[restore.TABLE]``."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from integrity.database.identifiers import quote
from integrity.exceptions import CatalogError

_VALUES = (str, int, float, date, datetime, time)


def described_rows(data: dict[str, Any], word: str, file: object) -> dict[str, dict[str, Any]]:
    """Returns the rows under ``word`` by the names of their tables, as written.

    ``[restore.auth.users]`` is a table of another schema, as TOML nests it.

    Raises:
        CatalogError: for what is no row.
    """
    rows = data.get(word, {})
    if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
        raise CatalogError(
            f"{word} must describe a row of a table", where=f"{file}, {word}", hint=f"Write [{word}.users]."
        )
    found: dict[str, dict[str, Any]] = {}
    for name, row in rows.items():
        if row and all(isinstance(value, dict) for value in row.values()):
            found |= {f"{quote(name)}.{quote(table)}": values for table, values in row.items()}
        else:
            found[name] = row
    for name, row in found.items():
        for column, value in row.items():
            if not isinstance(value, _VALUES):
                raise CatalogError(
                    f"{column} must be a text, a number, a truth value or a date",
                    where=f"{file}, [{word}.{name}]",
                )
    return found
