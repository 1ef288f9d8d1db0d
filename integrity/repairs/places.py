"""Places in lists of rows of a target, as addresses of pages carry them."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from integrity.exceptions import InvalidPlace


@dataclass(frozen=True, order=True)
class Place:
    """Where a row stands in a target's journal: its run, the journal's table, the number of its image."""

    run: int
    journal: str
    seq: int

    def __str__(self) -> str:
        data = json.dumps([self.run, self.journal, self.seq]).encode()
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Place:
        """Reads what :meth:`__str__` wrote.

        Raises:
            InvalidPlace: for anything else.
        """
        try:
            data = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
            run, journal, seq = data
        except (ValueError, TypeError, binascii.Error, RecursionError) as error:
            raise _invalid() from error
        numbers = type(run) is int and type(seq) is int and 0 <= run < 2**63 and 0 <= seq < 2**63
        if not numbers or not isinstance(journal, str) or "\0" in journal:
            raise _invalid()
        return cls(run, journal, seq)


def _invalid() -> InvalidPlace:
    return InvalidPlace("That is no place in a list", hint="Begin at its first page.")
