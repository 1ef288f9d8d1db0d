"""What a detector is, and what it is given to look at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import ClassVar

from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.detectors.finding import Finding, Severity
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference
from integrity.references.uniques import UniqueRule


@dataclass(frozen=True)
class Inspection:
    """A target at one moment, with everything that is known of it.

    ``narrowed`` says that only some references were asked for: then nothing is said of others.
    ``uniques`` are those of the catalog, each with the one that stands for it. ``found`` is what was found
    wrong with references and uniques, once the target as a whole is looked at. ``unread`` is where a detector
    says of which routines it did not look into all, and why.
    """

    session: Session
    schema: Schema
    catalog: Catalog
    references: tuple[Reference, ...]
    uniques: tuple[UniqueRule, ...] = ()
    narrowed: bool = False
    found: tuple[Finding, ...] = ()
    unread: list[dict[str, str]] = field(default_factory=list)


class Detector:
    """Finds one kind of thing. A subclass in a module of this package is registered by being there."""

    code: ClassVar[str] = ""
    severity: ClassVar[Severity] = Severity.ERROR

    def check_reference(self, inspection: Inspection, reference: Reference) -> Iterable[Finding]:
        """Yields what is wrong with one reference."""
        return ()

    def check_unique(self, inspection: Inspection, rule: UniqueRule) -> Iterable[Finding]:
        """Yields what is wrong with one unique of the catalog."""
        return ()

    def check_structure(self, inspection: Inspection) -> Iterable[Finding]:
        """Yields what is wrong with the target as a whole."""
        return ()


def all_detectors() -> list[Detector]:
    """Returns one detector of each kind, in the order of their codes."""
    package = import_module(__package__)
    for module in iter_modules(package.__path__):
        import_module(f"{__package__}.{module.name}")
    return sorted((kind() for kind in Detector.__subclasses__()), key=lambda each: each.code)
