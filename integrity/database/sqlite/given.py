"""Values of ours as rows of a statement of SQLite: a temporary table, which is no part of the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from integrity.database.schema import Column
from integrity.database.session import Session

_TABLE = "temp.integrity_given"


@contextmanager
def item(
    session: Session, columns: Sequence[Column], rows: Sequence[tuple[int, Sequence[Any]]]
) -> Iterator[str]:
    """Gives ``temp.integrity_given AS g``, whose columns have the affinity and collation of ``columns``."""
    listed = ", ".join(_definition(place, each) for place, each in enumerate(columns, start=1))
    session.execute(f"DROP TABLE IF EXISTS {_TABLE}")
    session.execute(f"CREATE TEMP TABLE integrity_given (n INTEGER, {listed})")
    try:
        marks = ", ".join(["%s"] * (len(columns) + 1))
        with session.connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {_TABLE} VALUES ({marks})", [(number, *values) for number, values in rows]
            )
        yield f"{_TABLE} AS g"
    finally:
        session.execute(f"DROP TABLE IF EXISTS {_TABLE}")


def _definition(place: int, column: Column) -> str:
    kind = " ".join(word for word in column.type.split() if word.upper() not in ("GENERATED", "ALWAYS"))
    collated = f" COLLATE {column.collation}" if column.collation else ""
    return f"v{place} {kind}{collated}".replace("%", "%%")
