"""One root for every error of this product; each class says why it exists.

A message says what is wrong, where, and what to do next, in that order. Commands turn any
of these into exit code 2 without a traceback.
"""

from __future__ import annotations

from typing import Any


class ReferentialIntegrityError(Exception):
    """The root: whatever this product refuses or cannot do.

    Args:
        what: what is wrong, a sentence without its full stop.
        where: the target, file, table or row concerned.
        hint: what to do next, a sentence.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(what, where, hint)

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        advice = f" {self.hint}" if self.hint else ""
        return f"{self.what}{place}.{advice}"


class UnknownTarget(ReferentialIntegrityError):
    """An alias that is not in ``DATABASES``: the caller mistyped it or did not configure it."""


class UnsupportedVendor(ReferentialIntegrityError):
    """A database whose vendor nobody taught this product to read."""


class TargetUnreachable(ReferentialIntegrityError):
    """The target cannot be opened: no server, no file, no such database."""


class WrongCredentials(TargetUnreachable):
    """The server answered, but refused the user or the password."""


class MissingPrivilege(ReferentialIntegrityError):
    """The role may not do what is needed; the hint is the GRANT."""


class ReadOnlyTarget(MissingPrivilege):
    """The target can be read but not changed."""


class TargetBusy(ReferentialIntegrityError):
    """A lock was not granted in time; nothing was changed."""


class NoRoom(ReferentialIntegrityError):
    """A disk, the memory or a limit is used up: waiting does not help, somebody has to make room. What
    was under way was taken back."""


class TimedOut(ReferentialIntegrityError):
    """A statement ran past its time limit; what it looked at was not checked."""


class CatalogError(ReferentialIntegrityError):
    """A mistake in a target catalog, with its file and entry."""


class CatalogMissing(CatalogError):
    """A command that needs a target catalog was given a target without one."""


class InvalidIdentifier(ReferentialIntegrityError):
    """A dotted name that cannot be read as schema, table and columns."""


class UnknownReference(ReferentialIntegrityError):
    """A reference was named that is neither in the catalog nor declared."""


class UnknownTable(ReferentialIntegrityError):
    """A table or column was named that the target does not have."""


class NotCheckable(ReferentialIntegrityError):
    """A reference that cannot be checked rightly, and therefore is not checked at all."""


class NotAnswerable(ReferentialIntegrityError):
    """A question that no target can answer: a place in a list that was never given out, a key that no
    column can hold. Whoever asks made the question up, or its structure changed since."""


class PlanRefused(ReferentialIntegrityError):
    """A resolution that would break another rule: SET NULL on NOT NULL, no system row, …"""


class MappingRefused(PlanRefused):
    """A mapping for relink with mistakes; ``mistakes`` are all of them, each with its line."""

    mistakes: tuple[str, ...] = ()


class PlanMismatch(ReferentialIntegrityError):
    """What would run is not what was approved: more rows, another schema, an unknown hash."""


class TooManyRows(PlanMismatch):
    """More rows than ``--max-rows`` or the approved plan allow."""


class AskedTwice(ReferentialIntegrityError):
    """A plan that is to be run was run since whoever asks looked at it: once is enough."""


class ApprovalNeeded(ReferentialIntegrityError):
    """A plan that a second person has to approve before it is run, and nobody did."""


class ApprovalRefused(ReferentialIntegrityError):
    """An approval that this person cannot ask for or give: their own plan, or decided already."""


class RepairRunning(ReferentialIntegrityError):
    """Another repair holds the target; two at once could not both be journaled rightly."""


class UnknownRun(ReferentialIntegrityError):
    """A run number that the target's journal does not have, or not in a usable state."""


class InvalidPlace(ReferentialIntegrityError):
    """A place in a list of rows, or a choice of some, that no page of ours gave out."""


class RollbackRefused(ReferentialIntegrityError):
    """Rows cannot come back as they were without breaking something that stands now.

    ``keys`` are the foreign keys in the way, each with the migration that made it; ``converted``
    says that a column has another type by now.
    """

    keys: tuple[Any, ...] = ()
    converted: bool = False


class Interrupted(ReferentialIntegrityError):
    """Somebody stopped a repair between two batches; it can be resumed."""


class NotRecorded(ReferentialIntegrityError):
    """What was done in a target could not be written down in the site's own database: it is done all the
    same, and ``result`` is what came of it."""

    result: Any = None


class SchemaFixRefused(ReferentialIntegrityError):
    """A schema fix whose precondition does not hold, or that meets another object of its name."""


class ChecksFailed(SchemaFixRefused):
    """A look before or after a migration found what must not be; ``checks`` are all that were made."""

    checks: tuple[Any, ...] = ()


class FileNotWritten(ReferentialIntegrityError):
    """A script or a module could not be written; what was there before is there still."""


class BackupFailed(ReferentialIntegrityError):
    """No backup could be taken, or none is recorded where one is required."""


class NotConfirmed(ReferentialIntegrityError):
    """Somebody was asked before a change and did not agree, or could not be asked."""


class NotExplainable(ReferentialIntegrityError):
    """A text that is no error about a reference or a duplicate, so that nothing can be said of it."""


class NotFoundInTargets(ReferentialIntegrityError):
    """An error whose table and constraint no target has, so that nothing can be looked up."""


class AmbiguousError(ReferentialIntegrityError):
    """An error that fits more than one target: somebody has to say which it came from."""
