"""What was asked for one reference: in general, for single missing keys, for chosen rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from integrity.plans.request import Request
from integrity.plans.steps import KeyTexts
from integrity.references.reference import Reference


@dataclass(frozen=True)
class Part:
    """One request with the missing keys or rows that it is about, and those that it leaves to others."""

    request: Request
    keys: tuple[KeyTexts, ...] = ()
    rows: tuple[KeyTexts, ...] = ()
    spared: tuple[KeyTexts, ...] = ()
    spared_rows: tuple[KeyTexts, ...] = ()


@dataclass
class Wish:
    """What was asked for one reference.

    A row goes by what was asked for the row, else for its missing key, else in general; where two
    requests speak of the same, the later one counts.
    """

    reference: Reference
    general: Request | None = None
    keys: dict[KeyTexts, Request] = field(default_factory=dict)
    rows: dict[KeyTexts, Request] = field(default_factory=dict)

    def add(self, request: Request) -> None:
        """Takes another request into account."""
        if request.general:
            self.general = request
        self.keys |= dict.fromkeys(request.keys, request)
        self.rows |= dict.fromkeys(request.rows, request)

    @property
    def standing(self) -> bool:
        """Whether all that is asked for single keys and rows was decided earlier."""
        return all(request.standing for request in (*self.keys.values(), *self.rows.values()))

    def parts(self) -> Iterator[Part]:
        """Yields what becomes of which orphans, the particular before the general."""
        for request, rows in _alike(self.rows):
            yield Part(request, rows=tuple(rows))
        for request, keys in _alike(self.keys):
            yield Part(request, keys=tuple(keys), spared_rows=tuple(self.rows))
        if self.general is not None:
            yield Part(self.general, spared=tuple(self.keys), spared_rows=tuple(self.rows))


def _alike(asked: Mapping[KeyTexts, Request]) -> Iterable[tuple[Request, list[KeyTexts]]]:
    """What is to become of several keys or rows alike is one step: a step walks the whole table."""
    by_request: dict[int, tuple[Request, list[KeyTexts]]] = {}
    for key, request in asked.items():
        by_request.setdefault(id(request), (request, []))[1].append(key)
    found: dict[Request, list[KeyTexts]] = {}
    for request, keys in by_request.values():
        found.setdefault(replace(request, keys=(), rows=()), []).extend(keys)
    return found.items()
