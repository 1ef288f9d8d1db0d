"""What somebody asks of a plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from integrity.database.identifiers import Path
from integrity.plans.mapping import Mapping
from integrity.plans.steps import KeyTexts
from integrity.references.reference import Reference, Resolution
from integrity.references.uniques import Duplicates


@dataclass(frozen=True)
class Request:
    """What somebody asks for: a resolution for one reference, or for all (``reference`` None).

    ``resolution`` None means by policy, ``suggested`` by what the delete action suggests where
    there is no policy. ``to`` is the referenced key that ``reassign`` points at (None: the
    system row). ``keys`` are the missing keys that it is about, ``rows`` the primary keys of the rows,
    each as text (neither: all that no other request names). ``mapping`` says for ``relink`` what becomes
    what (None: by normal form). ``standing`` says that it was decided earlier: what it names and is gone
    by now is left out, where a request of now would be refused.
    """

    reference: Path | None = None
    resolution: Resolution | None = None
    suggested: bool = False
    to: tuple[str, ...] | None = None
    reason: str = ""
    until: str = ""
    keys: tuple[KeyTexts, ...] = ()
    mapping: Mapping | None = field(default=None, repr=False)
    rows: tuple[KeyTexts, ...] = ()
    standing: bool = False

    @property
    def general(self) -> bool:
        """Whether it is about all orphans of a reference."""
        return not self.keys and not self.rows

    def resolves(self, reference: Reference) -> Resolution:
        """What it asks for a reference: nothing means that rows are kept."""
        if self.resolution is not None:
            return self.resolution
        decided = reference.suggestion if self.suggested else reference.policy
        return decided or Resolution.KEEP

    def as_json(self) -> dict[str, Any]:
        """Returns the request as plain values, from which :meth:`from_json` makes it again."""
        return {
            "reference": path_json(self.reference),
            "resolution": str(self.resolution) if self.resolution else None,
            "suggested": self.suggested,
            "to": list(self.to) if self.to is not None else None,
            "reason": self.reason,
            "until": self.until,
            "keys": [list(key) for key in self.keys],
            "mapping": self.mapping.as_json() if self.mapping else None,
            "rows": [list(row) for row in self.rows],
            "standing": self.standing,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Request:
        """Makes a request of what :meth:`as_json` returned; what is left out is as in a new one.

        Raises:
            KeyError, TypeError, ValueError: for anything else.
        """
        resolution, to, mapping = data.get("resolution"), data.get("to"), data.get("mapping")
        return cls(
            reference=path_from(data.get("reference")),
            resolution=Resolution(resolution) if resolution else None,
            suggested=bool(data.get("suggested", False)),
            to=tuple(map(str, to)) if to is not None else None,
            reason=str(data.get("reason", "")),
            until=str(data.get("until", "")),
            keys=key_texts(data.get("keys", ())),
            mapping=Mapping.from_json(mapping) if mapping else None,
            rows=key_texts(data.get("rows", ())),
            standing=bool(data.get("standing", False)),
        )


@dataclass(frozen=True)
class DuplicateRequest:
    """What somebody asks for: an action for the duplicates of one unique, or of all (``unique`` None).

    ``action`` None means by the catalog's policy, and without one they are kept. ``values`` are single
    values that it is about, as text (none: all); ``fill`` gives a survivor what it lacks and others have.
    ``standing`` says that it was decided earlier: values that nobody shares any more are left out.
    """

    unique: Path | None = None
    action: Duplicates | None = None
    survivor: str = ""
    rename: str = ""
    fill: bool = False
    values: tuple[KeyTexts, ...] = ()
    standing: bool = False

    def as_json(self) -> dict[str, Any]:
        """Returns the request as plain values, from which :meth:`from_json` makes it again."""
        return {
            "unique": path_json(self.unique),
            "action": str(self.action) if self.action else None,
            "survivor": self.survivor,
            "rename": self.rename,
            "fill": self.fill,
            "values": [list(value) for value in self.values],
            "standing": self.standing,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> DuplicateRequest:
        """Makes a request of what :meth:`as_json` returned; what is left out is as in a new one.

        Raises:
            KeyError, TypeError, ValueError: for anything else.
        """
        action = data.get("action")
        return cls(
            unique=path_from(data.get("unique")),
            action=Duplicates(action) if action else None,
            survivor=str(data.get("survivor", "")),
            rename=str(data.get("rename", "")),
            fill=bool(data.get("fill", False)),
            values=key_texts(data.get("values", ())),
            standing=bool(data.get("standing", False)),
        )


def path_json(path: Path | None) -> dict[str, list[str]] | None:
    """Returns a dotted name as plain values, whatever it contains."""
    return None if path is None else {"parts": list(path.parts), "columns": list(path.columns)}


def path_from(data: dict[str, list[str]] | None) -> Path | None:
    """Makes a dotted name of what :func:`path_json` returned."""
    return None if data is None else Path(tuple(data["parts"]), tuple(data["columns"]))


def key_texts(data: Iterable[Iterable[str]]) -> tuple[KeyTexts, ...]:
    """Makes keys of plain lists."""
    return tuple(tuple(map(str, key)) for key in data)
