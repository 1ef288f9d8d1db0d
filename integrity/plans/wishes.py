"""What was asked for one reference, in general and in particular."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from integrity.plans.request import Request
from integrity.plans.steps import KeyTexts
from integrity.references.reference import Reference


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
