"""What locks, guesses, phases and states are called on pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from integrity.admin import cells
from integrity.database.locks import Doing, StatementLock, Waiting
from integrity.references.reference import written
from integrity.tasks import Basis, Guess, Pace, guess, together

PHASES = (1, 2, 3)
PHASE_TITLES = {
    1: gettext_lazy("Phase 1: harmless"),
    2: gettext_lazy("Phase 2: binds new rows"),
    3: gettext_lazy("Phase 3: binds all rows"),
}
PHASE_MEANINGS = {
    1: gettext_lazy("Indexes, tables and columns. Nothing that works today stops working."),
    2: gettext_lazy(
        "Foreign keys for new rows. Deleting a parent does from here on what stands beside each key."
    ),
    3: gettext_lazy(
        "Foreign keys for all rows, uniques, changes of columns. Not while rows stand in the way."
    ),
}

_WAITING: Mapping[Waiting, object] = {
    Waiting.NOBODY: gettext_lazy("nobody: readers and writers go on"),
    Waiting.WRITERS: gettext_lazy("writers; readers go on"),
    Waiting.EVERYBODY: gettext_lazy("readers and writers"),
}
_DOING: Mapping[Doing, object] = {
    Doing.MOMENT: gettext_lazy("for a moment"),
    Doing.READS: gettext_lazy("while the rows are read"),
    Doing.BUILDS: gettext_lazy("while the index is built"),
    Doing.REWRITES: gettext_lazy("while the table is rewritten"),
    Doing.CHANGES: gettext_lazy("while rows are changed"),
}


@dataclass(frozen=True)
class ShownStatement:
    """One statement with what it locks, in words."""

    lock: StatementLock
    guess: Guess

    @property
    def sql(self) -> str:
        """The statement, as it would be sent."""
        return self.lock.sql

    @property
    def locked(self) -> str:
        """What is locked: of a SQLite file always the whole."""
        if self.lock.mode in ("RESERVED", "SHARED"):
            return _("the file")
        return ", ".join(written(table) for table in self.lock.tables)

    @property
    def waiting(self) -> str:
        """Who waits."""
        return str(_WAITING[self.lock.waiting]) if self.lock.known else _("not known")

    @property
    def held(self) -> str:
        """How long the lock is held."""
        if not self.lock.known or not self.lock.mode:
            return ""
        if self.lock.together > 1:
            return _("%(doing)s, and to the end of its transaction") % {"doing": _DOING[self.lock.doing]}
        return str(_DOING[self.lock.doing])

    @property
    def takes(self) -> str:
        """How long it may take."""
        return guessed(self.guess)

    @property
    def loud(self) -> bool:
        """Whether somebody will notice: everybody waits, or writers for longer than a moment."""
        return self.lock.waiting is Waiting.EVERYBODY or (
            self.lock.waiting is Waiting.WRITERS and self.lock.doing is not Doing.MOMENT
        )


def shown_statements(locks: Sequence[StatementLock], pace: Pace, kind: str = "") -> list[ShownStatement]:
    """Returns statements with their locks and guesses."""
    return [ShownStatement(lock, guess(pace, lock, kind)) for lock in locks]


def all_of(statements: Sequence[ShownStatement]) -> Guess:
    """Returns how long all of them may take, one after the other."""
    return together(each.guess for each in statements)


def guessed(found: Guess) -> str:
    """A range of time, as people say it."""
    if found.basis is Basis.UNKNOWN:
        return _("not known")
    if found.high <= 1:
        return _("under a second")
    low, high = duration(found.low), duration(found.high)
    if found.low < 1:
        return _("up to %(time)s") % {"time": high}
    if low == high:
        return _("about %(time)s") % {"time": high}
    return _("%(low)s to %(high)s") % {"low": low, "high": high}


def resting_on(found: Guess) -> str:
    """How a guess was come to."""
    number = cells.grouped(found.rows) if found.rows is not None else ""
    facts = {"rows": number, "target": found.where}
    if found.basis is Basis.SAME:
        return _("by how long this migration took on %(target)s") % facts
    if found.basis is Basis.KIND:
        return _("by how long the same took here before, for %(rows)s rows") % facts
    if found.basis is Basis.READING:
        return _("by how fast %(rows)s rows can be read here just now") % facts
    if found.basis is Basis.MOMENT and number:
        return ngettext("for %(rows)s row", "for %(rows)s rows", found.rows or 0) % facts
    return ""


def duration(seconds: float) -> str:
    """A time in the unit in which people would say it."""
    if seconds < 1:
        return _("under a second")
    if seconds < 90:
        return _("%(n)s s") % {"n": cells.grouped(round(seconds))}
    if seconds < 5_400:
        return _("%(n)s min") % {"n": cells.grouped(round(seconds / 60))}
    return _("%(n)s h") % {"n": cells.grouped(round(seconds / 3_600))}


def took(seconds: float | None) -> str:
    """A time that was measured."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return _("%(n)s s") % {"n": f"{seconds:.2f}"}
    minutes, rest = divmod(round(seconds), 60)
    return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}


_VERDICTS = {
    "passed": gettext_lazy("passed"),
    "failed": gettext_lazy("in the way"),
    "noted": gettext_lazy("to know"),
    "skipped": gettext_lazy("not looked at"),
}


def verdict(value: str) -> str:
    """What a look came to."""
    return str(_VERDICTS.get(value, value))


def phase_title(phase: int) -> str:
    """What a phase is called."""
    known = PHASE_TITLES.get(phase)
    return str(known) if known else pgettext("phase of migrations", "Without a phase")
