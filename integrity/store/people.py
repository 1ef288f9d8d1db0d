"""Who did what: a name to show, and the account's primary key, by which one person is told from another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """Somebody, as what they do is recorded.

    Names change hands, and whoever may rename accounts could be two people by them. ``key`` is the primary
    key of the account as text; empty at the command line, where there is a name alone.
    """

    name: str = ""
    key: str = ""

    def is_same(self, other: Person) -> bool:
        """Whether both are one person: by their accounts where both have one, else by their names."""
        if self.key and other.key:
            return self.key == other.key
        return bool(self.name) and self.name == other.name


Actor = Person | str
"""Who acts; a name alone where no account is known."""


def known(actor: Actor) -> Person:
    """Returns who acts as a person."""
    return Person(actor) if isinstance(actor, str) else actor
