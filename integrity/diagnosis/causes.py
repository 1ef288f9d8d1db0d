"""Why there are orphans, as it may be shown: without the values of masked columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.references.catalog import Catalog
from integrity.references.causes import Cause, attribute
from integrity.references.masking import any_masked
from integrity.references.reference import Reference


@dataclass(frozen=True)
class ProbableCause:
    """A cause with how many orphans and missing keys it accounts for; ``kind`` is a word to act on."""

    kind: str
    rows: int
    missing_keys: int
    confidence: str
    sentence: str
    evidence: dict[str, Any] = field(default_factory=dict)


def causes_of(
    session: Session, schema: Schema, catalog: Catalog, reference: Reference
) -> tuple[ProbableCause, ...]:
    """Returns the causes of a reference's orphans, empty where there are none.

    Raises:
        NotCheckable: when no honest answer can be given, with the reason.
    """
    sides: Sequence[tuple[Any, Any]] = (
        (reference.table, reference.columns),
        (reference.referenced_table, reference.referenced_columns),
    )
    masked = any(any_masked(catalog, table, columns) for table, columns in sides)
    return tuple(_shown(each, masked=masked) for each in attribute(session, schema, reference))


def _shown(cause: Cause, *, masked: bool) -> ProbableCause:
    facts = (str(cause.kind), cause.rows, cause.missing_keys, str(cause.confidence))
    if masked:
        return ProbableCause(*facts, cause.masked)
    return ProbableCause(*facts, cause.sentence, cause.evidence)
