"""What a check of scripts is, and what it is given to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import ClassVar

from integrity.database.routines import Routine
from integrity.database.schema import Schema
from integrity.references.catalog import Catalog
from integrity.references.severity import Severity
from integrity.scripts.finding import ScriptFinding
from integrity.scripts.survey import Survey


@dataclass(frozen=True)
class LiveTarget:
    """A target against which scripts are held.

    ``functions`` are all that can be called, None where they could not be read; ``routines`` are the users'
    own. ``differs`` says whether one of these is another than a CREATE statement would make, and
    raises NotCheckable where that cannot be known.
    """

    alias: str
    vendor: str
    schema: Schema
    functions: frozenset[str] | None = None
    routines: tuple[Routine, ...] = ()
    differs: Callable[[Routine, str], bool] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class ScriptInspection:
    """Scripts, what they define together, and what else is known of the database that they are for."""

    survey: Survey
    catalog: Catalog = field(default_factory=Catalog)
    live: LiveTarget | None = None


class Check:
    """Finds one kind of thing. A subclass in a module of this package is registered by being there.

    ``title`` says in a sentence what is found; it names the rule in SARIF.
    """

    code: ClassVar[str] = ""
    severity: ClassVar[Severity] = Severity.ERROR
    title: ClassVar[str] = ""

    def check(self, inspection: ScriptInspection) -> Iterable[ScriptFinding]:
        """Yields what is wrong."""
        return ()


def all_checks() -> list[Check]:
    """Returns one check of each kind, in the order of their codes."""
    package = import_module(__package__)
    for module in iter_modules(package.__path__):
        import_module(f"{__package__}.{module.name}")
    return sorted((kind() for kind in Check.__subclasses__()), key=lambda each: each.code)
