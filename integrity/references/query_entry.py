"""The catalog's ``[[query]]`` and ``[[flow]]``: what an application asks and does."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from integrity.references.entries import CatalogFlow, CatalogQuery
from integrity.references.entry_reading import Fail, read_choice, read_text, read_texts

QUERY_WORDS = ("name", "sql", "parameters", "table", "index", "before", "after", "rationale")
FLOW_WORDS = ("name", "statements", "parameters", "rationale")
LONGEST_NAME = 200


class _Plan(StrEnum):
    SCAN = "scan"
    INDEX = "index"


def read_query(entry: str, data: Mapping[str, Any], fail: Fail) -> CatalogQuery:
    """Reads a ``[[query]]`` whose words are known to be right.

    Raises:
        CatalogError: made by ``fail``.
    """
    query = CatalogQuery(
        entry=entry,
        name=read_text(data, "name", fail, required=True),
        sql=read_text(data, "sql", fail, required=True),
        parameters=_parameters(data, fail),
        table=read_text(data, "table", fail),
        index=read_text(data, "index", fail),
        before=str(read_choice(data, "before", _Plan, fail) or _Plan.SCAN),
        after=str(read_choice(data, "after", _Plan, fail) or _Plan.INDEX),
        rationale=read_text(data, "rationale", fail),
    )
    if len(query.name) > LONGEST_NAME:
        raise fail(f"name is longer than {LONGEST_NAME} characters", "")
    return query


def read_flow(entry: str, data: Mapping[str, Any], fail: Fail) -> CatalogFlow:
    """Reads a ``[[flow]]`` whose words are known to be right.

    Raises:
        CatalogError: made by ``fail``.
    """
    return CatalogFlow(
        entry=entry,
        name=read_text(data, "name", fail, required=True),
        statements=read_texts(data, "statements", fail, required=True),
        parameters=_parameters(data, fail),
        rationale=read_text(data, "rationale", fail),
    )


def _parameters(data: Mapping[str, Any], fail: Fail) -> dict[str, str]:
    parameters = data.get("parameters", {})
    if not isinstance(parameters, dict) or not all(isinstance(sql, str) for sql in parameters.values()):
        raise fail("parameters must give a query for each name", "")
    return parameters
