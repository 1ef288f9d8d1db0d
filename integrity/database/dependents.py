"""What uses a column: it must be known before the column goes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What becomes of a dependent when its column is removed.

    DROPPED and GOES are made again by the reverse; STAYS is only said to mention the column; BLOCKS must
    be changed by hand before.
    """

    DROPPED = "dropped with it"
    GOES = "goes with it"
    STAYS = "left as it is"
    BLOCKS = "in the way"


@dataclass(frozen=True)
class Dependent:
    """One thing that uses a column.

    ``drop`` and ``make`` are the statements that take it away and make it again, without parameters.
    ``note`` is for people.
    """

    kind: str
    name: str
    fate: Fate
    drop: tuple[str, ...] = ()
    make: tuple[str, ...] = ()
    note: str = ""

    @property
    def label(self) -> str:
        """How it is acknowledged: ``view sales_report``."""
        return f"{self.kind} {self.name}"

    def as_json(self) -> dict[str, str]:
        """Returns it as plain values."""
        return {"label": self.label, "kind": self.kind, "name": self.name, "fate": str(self.fate)} | (
            {"note": self.note} if self.note else {}
        )
