"""Whether a run did what its plan promised, on the page of the run."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from integrity import models, store
from integrity.admin.cells import grouped
from integrity.database.identifiers import TableName
from integrity.exceptions import PlanMismatch
from integrity.plans import Plan
from integrity.plans.plan import Tally
from integrity.references.reference import written
from integrity.repairs.promises import Difference, Why, compare, promised_by


@dataclass(frozen=True)
class Promised:
    """``sentence`` says that the plan was kept; where it was not, ``differences`` do."""

    sentence: str
    differences: list[str]


def promised(run: models.RepairRun) -> Promised | None:
    """Returns how a finished repair compares with its plan; None where there is none to compare with."""
    if run.state != models.RunState.FINISHED or run.kind == models.RunKind.ROLLBACK or not run.plan_hash:
        return None
    try:
        plan = store.load_plan(run.target.alias, run.plan_hash)
    except PlanMismatch:
        return None
    found = compare(promised_by(plan), _done(run, plan), at_most=bool(plan.doubts))
    if found:
        return Promised("", [_in_words(each) for each in found])
    kept = (
        _("That is no more than its plan said.") if plan.doubts else _("That is exactly what its plan said.")
    )
    return Promised(kept, [])


def _done(run: models.RepairRun, plan: Plan) -> dict[TableName, Tally]:
    """What the run noted, whose tables are written as text."""
    names = {str(table): table for table in promised_by(plan)}
    done = {}
    for text, tally in run.rows.items():
        schema, _dot, table = text.partition(".")
        done[names.get(text) or TableName(schema, table)] = Tally(**tally)
    return done


def _in_words(difference: Difference) -> str:
    kinds = {
        "deleted": _("%(table)s: %(done)s deleted, %(promised)s planned"),
        "updated": _("%(table)s: %(done)s updated, %(promised)s planned"),
        "inserted": _("%(table)s: %(done)s made, %(promised)s planned"),
        "refused": _("%(table)s: %(done)s refused, %(promised)s planned"),
    }
    facts = {
        "table": written(difference.table),
        "done": grouped(difference.done),
        "promised": grouped(difference.promised),
    }
    return pgettext("what differs: why", "%(what)s: %(why)s.") % {
        "what": kinds[difference.kind] % facts,
        "why": _why(difference.why),
    }


def _why(why: Why) -> str:
    return {
        Why.HELD: _("something is in the way that the plan did not see, or that was written since"),
        Why.FREED: _("what was in the way is gone: somebody changed or deleted it since"),
        Why.REFUSED: _("rows were refused that the plan did not see held"),
        Why.LESS: _("somebody else put them right, changed or deleted them since"),
        Why.MORE: _("somebody wrote rows since that the same step is about, or freed some that were held"),
    }[why]
