"""The catalog's ``[[reference]]``: what should refer to what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrity.database.identifiers import parse_path
from integrity.database.schema import Action, Match
from integrity.references.entries import CatalogReference
from integrity.references.entry_reading import Fail, read_choice, read_path, read_text
from integrity.references.reference import Resolution

WORDS = ("from", "to", "name", "match", "on_delete", "on_update", "rationale", "orphans")


def read_reference(entry: str, data: Mapping[str, Any], fail: Fail) -> CatalogReference:
    """Reads a ``[[reference]]`` whose words are known to be right.

    Raises:
        CatalogError: made by ``fail``.
    """
    source, to = (read_path(data, word, parse_path, fail) for word in ("from", "to"))
    if len(source.columns) != len(to.columns):
        raise fail("from and to name a different number of columns", "")
    return CatalogReference(
        entry=entry,
        source=source,
        to=to,
        name=read_text(data, "name", fail),
        match=read_choice(data, "match", Match, fail) or Match.SIMPLE,
        on_delete=read_choice(data, "on_delete", Action, fail) or Action.NO_ACTION,
        on_update=read_choice(data, "on_update", Action, fail) or Action.NO_ACTION,
        rationale=read_text(data, "rationale", fail),
        orphans=read_choice(data, "orphans", Resolution, fail),
    )
