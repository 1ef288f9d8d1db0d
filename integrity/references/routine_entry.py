"""The catalog's ``[[routine]]``: a function, trigger or view that should be in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrity.database.identifiers import Path, parse_table
from integrity.database.routines import RoutineKind
from integrity.references.entry_reading import Fail, PerVendor, read_choice, read_path, read_sql, read_text

WORDS = ("kind", "name", "table", "create", "rationale")


@dataclass(frozen=True)
class CatalogRoutine:
    """A ``[[routine]]`` as written; ``table`` is a trigger's, ``create`` its CREATE statement by vendor."""

    entry: str
    kind: RoutineKind
    name: Path
    table: Path | None = None
    create: PerVendor = field(default_factory=dict)
    rationale: str = ""


def read_routine(entry: str, data: Mapping[str, Any], fail: Fail) -> CatalogRoutine:
    """Reads a ``[[routine]]`` whose words are known to be right.

    Raises:
        CatalogError: made by ``fail``.
    """
    kind = read_choice(data, "kind", RoutineKind, fail)
    if kind is None:
        raise fail("kind is missing", 'Write kind = "function", "trigger" or "view".')
    if (kind is RoutineKind.TRIGGER) != ("table" in data):
        raise fail("a trigger has a table, and nothing else does", 'Write table = "…" for a trigger alone.')
    create = read_sql(data, "create", fail)
    if not create:
        raise fail("create is missing", 'Write create = { postgresql = "CREATE …" }.')
    return CatalogRoutine(
        entry=entry,
        kind=kind,
        name=read_path(data, "name", parse_table, fail),
        table=read_path(data, "table", parse_table, fail) if "table" in data else None,
        create=create,
        rationale=read_text(data, "rationale", fail),
    )
