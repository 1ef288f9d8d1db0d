"""Errors of ours on their way from a job to whoever asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrity import exceptions
from integrity.exceptions import MappingRefused, ReferentialIntegrityError

MOST_MISTAKES = 200


def told(error: ReferentialIntegrityError) -> dict[str, Any]:
    """Returns an error as plain values for a job's result; ``problem`` is its class."""
    facts: dict[str, Any] = {
        "problem": type(error).__name__,
        "what": error.what,
        "where": error.where,
        "hint": error.hint,
    }
    if isinstance(error, MappingRefused):
        facts["mistakes"] = list(error.mistakes[:MOST_MISTAKES])
    return facts


def retold(result: Mapping[str, Any], text: str) -> ReferentialIntegrityError:
    """Returns the error that a job's result tells of; one that is not ours as its text."""
    kind = getattr(exceptions, str(result.get("problem", "")), None)
    if not (isinstance(kind, type) and issubclass(kind, ReferentialIntegrityError)):
        return ReferentialIntegrityError(text or "It came to nothing")
    error = kind(result.get("what", text), where=result.get("where", ""), hint=result.get("hint", ""))
    if isinstance(error, MappingRefused):
        error.mistakes = tuple(result.get("mistakes", ()))
    return error
