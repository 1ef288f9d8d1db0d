"""What a plan will do, in plain words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity.admin.cells import grouped
from integrity.plans import Change, DuplicateStep, Plan, Step
from integrity.plans.plan import AnyStep
from integrity.references import Resolution
from integrity.references.reference import written
from integrity.references.uniques import Duplicates


def said(step: AnyStep, *, values: bool) -> list[str]:
    """What a step will do, as sentences.

    Args:
        step: of a plan.
        values: whether the key of a row that somebody chose may be named.
    """
    if isinstance(step, DuplicateStep):
        return [_shared(step), *_following(step)]
    if not values and step.system_row is None:
        step = replace(step, values=tuple((name, "…") for name, value in step.values))
    sentence = _SENTENCES[step.resolution](step)
    return [sentence, *_following(step)]


def said_of(plan: Plan, sees: Callable[[AnyStep], bool]) -> list[str]:
    """What a plan will do in all, as sentences; ``sees`` is whether the values of a step may be named."""
    changing = plan.changing_steps
    if not changing:
        return [_("This plan changes no row.")]
    if len(changing) == 1:
        return said(changing[0], values=sees(changing[0]))
    facts = {"rows": grouped(plan.rows), "touched": grouped(plan.touched), "steps": len(changing)}
    return [_("%(rows)s rows are put right in %(steps)s steps; %(touched)s rows are touched in all.") % facts]


def _deleted(step: Step) -> str:
    facts = _facts(step)
    if step.stays:
        return _held(step)
    if step.doubt is not None:
        return (
            ngettext(
                "At most %(rows)s row of %(table)s is taken out, to the quarantine.",
                "At most %(rows)s rows of %(table)s are taken out, to the quarantine.",
                step.rows,
            )
            % facts
        )
    return (
        ngettext(
            "%(rows)s row of %(table)s is taken out, to the quarantine.",
            "%(rows)s rows of %(table)s are taken out, to the quarantine.",
            step.rows,
        )
        % facts
    )


def _held(step: Step) -> str:
    """What goes and what stays, where rows that stay are in the way."""
    facts = _facts(step) | {"goes": grouped(step.resolved), "stays": grouped(step.stays)}
    if not step.resolved:
        text = ngettext(
            "The %(rows)s row of %(table)s stays: other rows refer to it or to what would go with it.",
            "All %(rows)s rows of %(table)s stay: other rows refer to them or to what would go with them.",
            step.rows,
        )
        return text % facts
    text = ngettext(
        "Of %(rows)s rows of %(table)s, %(goes)s is taken out, to the quarantine, and %(stays)s must stay: "
        "others refer to them or to what would go with them.",
        "Of %(rows)s rows of %(table)s, %(goes)s are taken out, to the quarantine, and %(stays)s must stay: "
        "others refer to them or to what would go with them.",
        step.resolved,
    )
    return text % facts


def _set_null(step: Step) -> str:
    nulls = ", ".join(name for name, _value in step.values)
    return ngettext(
        "%(rows)s row of %(table)s stays, and its %(nulls)s becomes NULL: it refers to nothing any more.",
        "%(rows)s rows of %(table)s stay, and their %(nulls)s becomes NULL: they refer to nothing any more.",
        step.rows,
    ) % (_facts(step) | {"nulls": nulls})


def _reassigned(step: Step) -> str:
    made = step.system_row is not None and not step.system_row.exists
    facts = _facts(step) | {"key": ", ".join(str(value) for _name, value in step.values)}
    if made:
        return (
            ngettext(
                "%(rows)s row of %(table)s will refer to the system row %(key)s of %(parent)s, made first.",
                "%(rows)s rows of %(table)s will refer to the system row %(key)s of %(parent)s, made first.",
                step.rows,
            )
            % facts
        )
    if step.system_row is not None:
        return (
            ngettext(
                "%(rows)s row of %(table)s will refer to the system row %(key)s of %(parent)s.",
                "%(rows)s rows of %(table)s will refer to the system row %(key)s of %(parent)s.",
                step.rows,
            )
            % facts
        )
    return (
        ngettext(
            "%(rows)s row of %(table)s will refer to row %(key)s of %(parent)s.",
            "%(rows)s rows of %(table)s will refer to row %(key)s of %(parent)s.",
            step.rows,
        )
        % facts
    )


def _relinked(step: Step) -> str:
    return ngettext(
        "%(rows)s row of %(table)s will refer to the row of %(parent)s that it means.",
        "%(rows)s rows of %(table)s will refer to the rows of %(parent)s that they mean.",
        step.rows,
    ) % _facts(step)


def _restored(step: Step) -> str:
    made = sum(each.rows for each in step.restorations if each.table == step.reference.referenced_table)
    return ngettext(
        "%(made)s row of %(parent)s is made again, so that %(rows)s rows of %(table)s have what they "
        "refer to.",
        "%(made)s rows of %(parent)s are made again, so that %(rows)s rows of %(table)s have what they "
        "refer to.",
        made,
    ) % (_facts(step) | {"made": grouped(made)})


def _kept(step: Step) -> str:
    return ngettext(
        "%(rows)s row of %(table)s stays as it is.", "%(rows)s rows of %(table)s stay as they are.", step.rows
    ) % _facts(step)


_SENTENCES = {
    Resolution.DELETE: _deleted,
    Resolution.SET_NULL: _set_null,
    Resolution.REASSIGN: _reassigned,
    Resolution.RELINK: _relinked,
    Resolution.RESTORE_PARENT: _restored,
    Resolution.KEEP: _kept,
}


def _facts(step: Step) -> dict[str, str]:
    parent = written(step.reference.referenced_table)
    return {"rows": grouped(step.rows), "table": written(step.table), "parent": parent}


def _shared(step: DuplicateStep) -> str:
    facts = {"rows": grouped(step.rows), "table": written(step.table), "who": step.ordered}
    if step.action is Duplicates.MERGE:
        return (
            ngettext(
                "%(rows)s row of %(table)s is merged into the one with the same value that stays: %(who)s.",
                "%(rows)s rows of %(table)s are merged into those with the same values that stay: %(who)s.",
                step.rows,
            )
            % facts
        )
    if step.action is Duplicates.RENAME:
        return ngettext(
            "%(rows)s row of %(table)s gets another %(column)s, so that the value is that of one alone: "
            "%(who)s.",
            "%(rows)s rows of %(table)s get another %(column)s, so that each value is that of one alone: "
            "%(who)s.",
            step.rows,
        ) % (facts | {"column": step.rename})
    return (
        ngettext(
            "%(rows)s row of %(table)s stays as it is.",
            "%(rows)s rows of %(table)s stay as they are.",
            step.rows,
        )
        % facts
    )


def _following(step: AnyStep) -> list[str]:
    """What happens to rows of other tables, or of other references."""
    effects = step.effects
    gone = sum(each.rows for each in effects if each.change is Change.DELETE)
    changed = sum(each.rows for each in effects if each.change not in (Change.DELETE, Change.RESTRICT))
    found = []
    if gone:
        text = ngettext(
            "%(rows)s row that refers to them is taken out with them.",
            "%(rows)s rows that refer to them are taken out with them.",
            gone,
        )
        found.append(text % {"rows": grouped(gone)})
    if changed:
        text = ngettext(
            "%(rows)s row that refers to them stays and is changed.",
            "%(rows)s rows that refer to them stay and are changed.",
            changed,
        )
        found.append(text % {"rows": grouped(changed)})
    return found
