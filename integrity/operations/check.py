"""What is looked at before and after a migration, each look with its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.migrations import Migration

from integrity.exceptions import ChecksFailed

NAMED = 3
"""So many checks that failed are named in one error; the others are in the list."""

LONGEST = 160


class Moment(StrEnum):
    """When a check is made."""

    BEFORE = "before"
    AFTER = "after"


class Verdict(StrEnum):
    """What a check came to: ``noted`` stops nothing and should be known, ``skipped`` could not be made."""

    PASSED = "passed"
    FAILED = "failed"
    NOTED = "noted"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One look: ``what`` was looked for, at ``subject``, and what there is to say and to do."""

    what: str
    subject: str
    verdict: Verdict = Verdict.PASSED
    message: str = ""
    hint: str = ""
    moment: Moment = Moment.BEFORE

    def as_json(self) -> dict[str, Any]:
        """Returns the check as plain values."""
        return {
            "moment": str(self.moment),
            "what": self.what,
            "subject": self.subject,
            "verdict": str(self.verdict),
            "message": self.message,
            "hint": self.hint,
        }


class Attendant:
    """Who looks around each migration; this one looks at nothing and lets everything begin."""

    def before(
        self, migration: Migration, *, backwards: bool, earlier: Sequence[Migration] = ()
    ) -> list[Check]:
        """Returns what was looked at before a migration; one that failed keeps it from beginning.

        Args:
            migration: what is about to be applied or reversed.
            backwards: whether it is reversed.
            earlier: in a plan, the migrations that will have been applied by then.
        """
        return []

    def after(self, migration: Migration, *, backwards: bool) -> list[Check]:
        """Returns what was looked at after a migration; one that failed keeps the next from beginning."""
        return []


def failed(checks: Sequence[Check]) -> list[Check]:
    """Returns the checks that failed."""
    return [each for each in checks if each.verdict is Verdict.FAILED]


def refusal(checks: Sequence[Check], migration: str, alias: str) -> ChecksFailed | None:
    """Returns the error that failed checks amount to, None where none failed."""
    bad = failed(checks)
    if not bad:
        return None
    stands = f"{migration} was not begun." if bad[0].moment is Moment.BEFORE else f"{migration} is applied."
    what = bad[0].message
    if len(bad) > 1:
        listed = "; ".join(shortened(each.message) for each in bad[:NAMED])
        more = f"; and {len(bad) - NAMED:,} more" if len(bad) > NAMED else ""
        what = f"{len(bad)} checks {bad[0].moment} {migration} failed: {listed}{more}"
    error = ChecksFailed(what, where=alias, hint=f"{_hint(bad)}{stands}")
    error.checks = tuple(checks)
    return error


def _hint(bad: Sequence[Check]) -> str:
    """What to do first of each kind: for sixteen references it is sixteen times the same."""
    hints = {each.hint for each in bad if each.hint}
    first = list(dict.fromkeys({each.what: each.hint for each in reversed(bad) if each.hint}.values()))[::-1]
    said = " ".join(f"{each.rstrip('.')}." for each in first)
    more = " Likewise for the others." if len(hints) > len(first) else ""
    return f"{said}{more} " if said else ""


def shortened(text: str) -> str:
    """Returns a text as far as a line of a list holds it; the whole of it is kept with the run."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"
