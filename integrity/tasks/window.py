"""The hours in which a target may be migrated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.utils import timezone

from integrity import models
from integrity.exceptions import SchemaFixRefused
from integrity.operations.executor import StepEvent

Longest = Mapping[tuple[str, str], tuple[float, str]]
"""How long each migration took at most, and where: (name, direction) → (seconds, alias)."""


@dataclass(frozen=True)
class Window:
    """From ``start`` until ``end`` in the site's time zone; one that ends before it starts goes over
    midnight, one that ends as it starts (``00:00-24:00``) is the whole day."""

    start: time
    end: time

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def holds(self, now: time) -> bool:
        """Whether a time of day is within."""
        if self.start < self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end

    def left(self, now: datetime) -> timedelta:
        """How long the window is still open at a moment within it."""
        end = now.replace(hour=self.end.hour, minute=self.end.minute, second=0, microsecond=0)
        if end <= now:
            end = (end + timedelta(days=1)).replace(hour=self.end.hour, minute=self.end.minute)
        # Two aware times of one zone are subtracted as clocks show them, whatever summer time does between.
        return timedelta(seconds=end.timestamp() - now.timestamp())

    def admit(self, step: StepEvent, alias: str, longest: Longest) -> None:
        """Lets a migration begin within the window alone, and only where it will end there as well, as far
        as it is known from other runs.

        Raises:
            SchemaFixRefused: with the time, or with how long it took and how long is left.
        """
        self.refuse_outside(alias)
        direction = models.Direction.BACKWARD if step.backwards else models.Direction.FORWARD
        seconds, where = longest.get((step.name, str(direction)), (0.0, ""))
        left = self.left(_now())
        if seconds > left.total_seconds():
            took = _shown(timedelta(seconds=seconds))
            raise SchemaFixRefused(
                f"{step.name} took {took} on {where}, and the window {self} ends in {_shown(left)}",
                where=alias,
                hint="It was not begun; what was done before stands. Run it again when the window opens, "
                "or with a longer one.",
            )

    def refuse_outside(self, alias: str) -> None:
        """Raises SchemaFixRefused outside of the window."""
        now = _now()
        if not self.holds(now.time()):
            raise SchemaFixRefused(
                f"It is {now:%H:%M} ({now.tzname() or 'local time'}), outside of the window {self}",
                where=alias,
                hint="No further migration was begun. Run it again within these hours; it does not wait.",
            )


def _now() -> datetime:
    """The time in the site's time zone."""
    now = timezone.now()
    return timezone.localtime(now) if timezone.is_aware(now) else now


def _shown(span: timedelta) -> str:
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def read_window(text: str) -> Window:
    """Reads ``22:00-05:30``; ``24:00`` is midnight at its end.

    Raises:
        ValueError: with what to write instead.
    """
    start, dash, end = (part.strip() for part in text.partition("-"))
    try:
        if not dash or start == end:
            raise ValueError
        ends = "00:00" if end == "24:00" else end
        return Window(*(datetime.strptime(each, "%H:%M").time() for each in (start, ends)))  # noqa: DTZ007
    except ValueError as error:
        raise ValueError(f"{text!r} is not a window. Write HH:MM-HH:MM, such as 22:00-05:30.") from error
