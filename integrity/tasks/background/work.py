"""A job on its way, as those who do the work see it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from integrity import models, store
from integrity.audit import Progress
from integrity.database.identifiers import parse_path
from integrity.exceptions import Interrupted, ReferentialIntegrityError
from integrity.repairs import Options
from integrity.tasks.background.pulse import Pulse
from integrity.tasks.reading import audit_and_store
from integrity.tasks.repairing import mirror

logger = logging.getLogger(__name__)

MOST_LINES = 300
SECONDS_BETWEEN_LINES = 10.0
"""A long repair says so often how far it is, each time a little less often."""

Outcome = tuple[models.RunState, dict[str, Any]]

_HEEDED = {models.Wish.PAUSE: "paused", models.Wish.CANCEL: "cancelled"}


@dataclass
class Work:
    """A job on its way: it says how far it is, keeps a log, and heeds wishes.

    ``result`` is what it has to show by now, also if it fails later; ``leaving`` says whether the process
    is asked to end: then the job is stopped as soon as it can be gone on with, for somebody else to do so.
    """

    job: models.Job
    pulse: Pulse
    leaving: Callable[[], bool] = lambda: False
    result: dict[str, Any] = field(default_factory=dict)
    lines: int = 0
    counted_from: int | None = None
    next_line_at: float = 0.0
    between_lines: float = SECONDS_BETWEEN_LINES

    def __post_init__(self) -> None:
        self.lines = store.count_notes(self.job.pk) if self.again else 0
        self.next_line_at = time.monotonic() + self.between_lines

    @property
    def alias(self) -> str:
        """The target."""
        return self.job.target.alias

    @property
    def again(self) -> bool:
        """Whether somebody began it before and did not come to its end."""
        return self.job.attempts > 1

    def has(self, name: str, value: Any) -> None:
        """Notes what it has to show by now."""
        self.result[name] = value
        self.pulse.note(result=dict(self.result))

    def say(self, text: str, *, always: bool = False) -> None:
        """Adds a line to the log, which ends after `MOST_LINES` but for what must be said."""
        if self.lines < MOST_LINES or always:
            self.pulse.say(text)
        elif self.lines == MOST_LINES:
            self.pulse.say(_("More of this is not written down."))
        self.lines += 1

    def moved(self, progress: Progress) -> None:
        """Notes how far it is, and stops where nothing would be half done."""
        self.note(progress.done, progress.total, progress.at)
        if wished := self.stop():
            raise Interrupted(f"It was {wished}", where=self.alias)

    def note(self, done: int, total: int | None, at: str, unit: str = "") -> None:
        """Notes how far it is. Its speed is counted from the first number that it says."""
        facts: dict[str, Any] = {"done": done, "total": total, "at": at}
        if unit:
            facts["unit"] = unit
        if self.counted_from is None:
            self.counted_from = done
            facts |= {"done_before": done, "resumed_at": timezone.now()}
        self.pulse.note(**facts)

    def rows(self, progress: Progress) -> None:
        """The same for rows that are changed in batches, between which it is asked whether to stop."""
        self.note(progress.done, progress.total, progress.at, "rows")
        if time.monotonic() >= self.next_line_at and progress.total:
            self.between_lines *= 1.5
            self.next_line_at = time.monotonic() + self.between_lines
            self.say(
                _("%(done)s of %(total)s rows.")
                % {"done": f"{progress.done:,}", "total": f"{progress.total:,}"}
            )

    def stop(self) -> str | None:
        """Whether to stop: ``paused`` or ``cancelled``."""
        if self.pulse.lost:
            return "cancelled"
        return _HEEDED.get(self.pulse.wish) or ("paused" if self.leaving() else None)

    def options(self, **more: Any) -> Options:
        """How a repair or a rollback behaves that is this job's."""
        return Options(
            actor=self.job.actor, on_progress=self.rows, stop=self.stop, on_run=self._began_run, **more
        )

    def _began_run(self, number: int) -> None:
        self.has("run", number)
        self.say(_("Run %(run)s in the target's journal.") % {"run": number})

    # -- afterwards ------------------------------------------------------------------------

    def count_again(self, labels: Sequence[str] = ()) -> None:
        """Audits these references, or all: what was done stands, also when it cannot be looked at."""
        self.say(_("Counting again what is left."))
        try:
            only = [parse_path(label) for label in labels]
            audit_and_store(self.alias, only=only, actor=self.job.actor)
        except ReferentialIntegrityError:
            logger.warning("%s could not be audited after job %s", self.alias, self.job.pk, exc_info=True)
            self.say(_("It could not be counted again."))

    def mirror(self) -> None:
        """Shows also what became of runs whose process died."""
        try:
            mirror(self.alias)
        except ReferentialIntegrityError:
            logger.warning("The runs of %s could not be mirrored", self.alias, exc_info=True)
