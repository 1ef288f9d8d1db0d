"""What was asked for one unique: in general, and for single shared values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from integrity.plans.request import DuplicateRequest
from integrity.plans.steps import KeyTexts
from integrity.references.uniques import UniqueRule


@dataclass
class DuplicateWish:
    """What was asked for one unique.

    Rows go by what was asked for the value that they share, else in general; where two requests speak of
    the same, the later one counts.
    """

    rule: UniqueRule
    general: DuplicateRequest | None = None
    values: dict[KeyTexts, DuplicateRequest] = field(default_factory=dict)

    def add(self, request: DuplicateRequest) -> None:
        """Takes another request into account."""
        if not request.values:
            self.general = request
        self.values |= dict.fromkeys(request.values, request)

    def parts(self) -> Iterator[tuple[DuplicateRequest, tuple[KeyTexts, ...]]]:
        """Yields what becomes of which shared values, the general first, with those that it leaves alone."""
        if self.general is not None:
            yield self.general, tuple(self.values)
        alike: dict[DuplicateRequest, list[KeyTexts]] = {}
        for value, request in self.values.items():
            alike.setdefault(replace(request, values=()), []).append(value)
        for request, some in alike.items():
            yield replace(request, values=tuple(some)), ()
