"""The hours in which a target may be migrated."""

from __future__ import annotations

from argparse import ArgumentTypeError
from dataclasses import dataclass
from datetime import datetime, time

from django.utils import timezone

from integrity.exceptions import SchemaFixRefused


@dataclass(frozen=True)
class Window:
    """From ``start`` until ``end``; one that ends before it starts goes over midnight."""

    start: time
    end: time

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def holds(self, now: time) -> bool:
        """Whether a time of day is within."""
        if self.start <= self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end

    def refuse_outside(self, alias: str) -> None:
        """Raises SchemaFixRefused outside of the window."""
        now = timezone.localtime() if timezone.is_aware(timezone.now()) else timezone.now()
        if not self.holds(now.time()):
            raise SchemaFixRefused(
                f"It is {now:%H:%M}, outside of the window {self}",
                where=alias,
                hint="No further migration was begun. Run it again within these hours.",
            )


def window(text: str) -> Window:
    """Reads ``22:00-05:30`` from a command line."""
    start, dash, end = text.partition("-")
    try:
        if not dash:
            raise ValueError
        return Window(*(datetime.strptime(each.strip(), "%H:%M").time() for each in (start, end)))  # noqa: DTZ007
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a window. Write HH:MM-HH:MM.") from error
