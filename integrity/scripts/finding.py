"""The one shape of everything that a check of scripts finds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from integrity.references.severity import Severity
from integrity.scripts.statement import Place


@dataclass(frozen=True)
class Related:
    """Another place that a finding is about, and what stands there."""

    place: Place
    message: str

    def as_json(self) -> dict[str, Any]:
        """Returns it as plain values."""
        return place_json(self.place) | {"message": self.message}


@dataclass(frozen=True)
class ScriptFinding:
    """One thing that is wrong with scripts.

    ``object`` is what it is about (a table, ``table.column``, a function), ``key`` what else tells two
    findings on it in one file apart, ``occurrence`` those for which nothing does. ``details`` go on, a line
    each: how two definitions differ. ``portable`` is SQL to write instead, word for word. ``length`` is how
    many characters it is about, from its place on.
    """

    code: str
    severity: Severity
    place: Place
    object: str
    message: str
    suggestion: str = ""
    details: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    key: str = ""
    portable: str = ""
    length: int = 0
    occurrence: int = 1

    @property
    def fingerprint(self) -> str:
        """The same from run to run, on whatever line of its file it stands, and however the file is named:
        from its folder, the one above or the root."""
        path = PurePath(self.place.file)
        facts = [self.code, path.parent.name, path.name, self.object, self.key]
        facts += [str(self.occurrence)] if self.occurrence > 1 else []
        return hashlib.sha256("\x1f".join(facts).encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, Any]:
        """Returns the finding as plain values, as ``integrity_scripts --format json`` prints it."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "fingerprint": self.fingerprint,
            **place_json(self.place),
            "object": self.object,
            "message": self.message,
            "suggestion": self.suggestion,
            "details": list(self.details),
            "portable": self.portable,
            "related": [each.as_json() for each in self.related],
        }


def place_json(place: Place) -> dict[str, Any]:
    """Returns a place as plain values."""
    return {"file": place.file, "line": place.line, "column": place.column}
