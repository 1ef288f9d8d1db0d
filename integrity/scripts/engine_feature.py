"""A feature of one engine: what only it understands, or what means something else on the other."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from integrity.references.severity import Severity
from integrity.scripts.statement import Dialect

TYPE = r"(?<=[\w\"`\]])\s+"
"""Before a type stands a name: ``id SERIAL``, not ``(serial TEXT``."""
PER_ENGINE = "Write it once for each engine, in files or branches of their own."
ID = (
    "Let the application make the id, or write the default once for each engine: gen_random_uuid()::text on "
    "PostgreSQL, lower(hex(randomblob(16))) on SQLite."
)
CREATED = ("CREATE", "ALTER")
WARN = Severity.WARNING


@dataclass(frozen=True)
class Feature:
    """Something of one engine.

    ``shown`` is how it is called, the matched text where it is empty; ``portable`` what both understand.
    ``only`` are the first words of the statements in which it is looked for. ``function`` says that it is
    one, which a script may define itself.
    """

    engine: Dialect
    pattern: re.Pattern[str] = field(repr=False)
    suggestion: str
    shown: str = ""
    portable: str = ""
    severity: Severity = Severity.ERROR
    only: tuple[str, ...] = ()
    function: bool = False


@dataclass(frozen=True)
class FeaturesOf:
    """Makes the features of one engine."""

    engine: Dialect

    def feature(
        self,
        pattern: str,
        suggestion: str,
        shown: str = "",
        portable: str = "",
        *,
        severity: Severity = Severity.ERROR,
        only: tuple[str, ...] = (),
    ) -> Feature:
        """A pattern in the code of a statement: without strings and comments."""
        compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)
        return Feature(self.engine, compiled, suggestion, shown, portable, severity, only)

    def function(self, names: str, suggestion: str, portable: str = "") -> Feature:
        """Functions, by a pattern of their names."""
        pattern = re.compile(rf"(?<![\w.\"])(?P<shown>(?:{names}))\s*\(", re.IGNORECASE)
        return Feature(self.engine, pattern, suggestion, portable=portable, function=True)
