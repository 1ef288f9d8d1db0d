"""Where a page of rows begins, as an address carries it: signed, so that nobody else's ever reaches SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core import signing

from integrity.diagnosis.rows.looking import Orphans
from integrity.exceptions import NotAnswerable

_SALT = "integrity.rows"


@dataclass(frozen=True)
class Mark:
    """The place of a row: the part of the table that it stands in, and where in its order."""

    part: str
    place: tuple[Any, ...]


def written(orphans: Orphans, mark: Mark) -> str:
    """Returns a place as an address carries it."""
    values = [{"bytes": each.hex()} if isinstance(each, bytes) else each for each in mark.place]
    return signing.dumps([mark.part, *values], salt=_salt(orphans), compress=True)


def read(orphans: Orphans, text: str) -> Mark | None:
    """Returns the place that an address carries, None where it carries none.

    Raises:
        NotAnswerable: for one that this site did not give out for this reference.
    """
    if not text:
        return None
    try:
        part, *place = signing.loads(text, salt=_salt(orphans))
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise NotAnswerable(
            "This page of rows cannot be found",
            where=orphans.reference.label,
            hint="Begin with the first page: the address was cut or changed.",
        ) from error
    values = (bytes.fromhex(each["bytes"]) if isinstance(each, dict) else each for each in place)
    return Mark(str(part), tuple(values))


def _salt(orphans: Orphans) -> str:
    reference = orphans.reference
    return f"{_SALT} {orphans.session.target} {reference.table} {','.join(reference.columns)}"
