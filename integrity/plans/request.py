"""What somebody asks of a plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from integrity.database.identifiers import Path
from integrity.plans.mapping import Mapping
from integrity.plans.steps import KeyTexts
from integrity.references.reference import Reference, Resolution


@dataclass(frozen=True)
class Request:
    """What somebody asks for: a resolution for one reference, or for all (``reference`` None).

    ``resolution`` None means by policy, ``suggested`` by what the delete action suggests where
    there is no policy. ``to`` is the referenced key that ``reassign`` points at (None: the
    system row). ``keys`` are the missing keys that it is about, as text (none: all that no other
    request names). ``mapping`` says for ``relink`` what becomes what (None: by normal form).
    """

    reference: Path | None = None
    resolution: Resolution | None = None
    suggested: bool = False
    to: tuple[str, ...] | None = None
    reason: str = ""
    until: str = ""
    keys: tuple[KeyTexts, ...] = ()
    mapping: Mapping | None = field(default=None, repr=False)

    def resolves(self, reference: Reference) -> Resolution:
        """What it asks for a reference: nothing means that rows are kept."""
        if self.resolution is not None:
            return self.resolution
        decided = reference.suggestion if self.suggested else reference.policy
        return decided or Resolution.KEEP


@dataclass
class Wish:
    """What was asked for one reference: in general, and for single missing keys; the later counts."""

    reference: Reference
    general: Request | None = None
    single: dict[KeyTexts, Request] = field(default_factory=dict)

    def add(self, request: Request) -> None:
        """Takes another request into account."""
        if not request.keys:
            self.general = request
        for key in request.keys:
            self.single[key] = request

    def parts(self) -> Iterable[tuple[Request, tuple[KeyTexts, ...], tuple[KeyTexts, ...]]]:
        """Yields each request with the keys that it is about, and those that it leaves to others."""
        for number, request in enumerate(self.single.values()):
            if request not in list(self.single.values())[:number]:
                yield request, tuple(key for key, each in self.single.items() if each == request), ()
        if self.general is not None:
            yield self.general, (), tuple(self.single)
