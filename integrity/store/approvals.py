"""A second person's word on a plan: asked for, given or refused, and ended by time.

Who asked for it or made the plan never gives it. It is about one plan: another hash needs another word.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils import timezone

from integrity import conf, models
from integrity.exceptions import ApprovalNeeded, ApprovalRefused
from integrity.plans import Plan
from integrity.store.people import Actor, Person, known
from integrity.store.plans import load_plan
from integrity.store.site import site_database

_APPROVED, _ASKED = models.ApprovalState.APPROVED, models.ApprovalState.ASKED


def needs_approval(plan: Plan) -> bool:
    """Whether the setting ``APPROVALS`` asks for a second person before this plan is run."""
    least = conf.approvals()
    return least is not None and bool(plan.changing_steps) and plan.touched >= least


def demand_approved(plan: Plan, *, begun: bool = False) -> None:
    """Sees to it that a plan may be run as far as a second person is concerned.

    Args:
        plan: what would be run.
        begun: whether a run of it is gone on with: what let it begin still counts, however long ago that was,
            unless somebody refused the plan since.

    Raises:
        ApprovalNeeded: somebody has to approve it first.
    """
    if not needs_approval(plan) or (begun and _let_begin(plan)):
        return
    found = approval_of(plan.target, plan.hash)
    if found is None or found.state != _APPROVED:
        raise _needed(plan, found)


def _let_begin(plan: Plan) -> bool:
    """Whether the last that was said of a plan, questions aside, is that it may be run."""
    with site_database():
        words = models.Approval.objects.filter(plan__target__alias=plan.target, plan__hash=plan.hash)
        last = words.exclude(state=_ASKED).order_by("-id").first()
    return last is not None and last.state in (_APPROVED, models.ApprovalState.WAIVED)


def approval_of(alias: str, plan_hash: str) -> models.Approval | None:
    """Returns the last word on a plan: asked for, given or refused; None where there is none, or it ended."""
    with site_database():
        words = models.Approval.objects.filter(plan__target__alias=alias, plan__hash=plan_hash)
        found = words.exclude(state=models.ApprovalState.WAIVED).select_related("plan__target")
        last = found.order_by("-id").first()
    return None if last is None or _ended(last) else last


def waiting_approvals() -> QuerySet[models.Approval]:
    """Returns what waits for somebody's word, the latest first: no more than one for a plan."""
    later = models.Approval.objects.filter(plan=OuterRef("plan")).order_by("-id")
    found = models.Approval.objects.filter(state=_ASKED, asked_at__gte=_earliest())
    last = found.filter(pk=Subquery(later.values("pk")[:1]))
    return last.select_related("plan__target").order_by("-id")


def ask_approval(alias: str, plan_hash: str, *, actor: Actor) -> tuple[models.Approval, bool]:
    """Asks for a second person's word on a stored plan, once.

    Args:
        alias: the target.
        plan_hash: of the plan.
        actor: who asks.

    Returns:
        The word that is waited for, or that was given already, and whether it was asked for just now.

    Raises:
        PlanMismatch: there is no such plan.
        ApprovalRefused: nobody asks, or the plan changes nothing.
    """
    plan, who = load_plan(alias, plan_hash), known(actor)
    _refuse_nobody(who, alias)
    if not plan.changing_steps:
        raise ApprovalRefused("The plan changes nothing", where=alias, hint="It needs nobody's approval.")
    with site_database(atomic=True):
        stored = models.StoredPlan.objects.filter(target__alias=alias, hash=plan.hash)
        stored.update(hash=F("hash"))  # whoever asks at the same time waits here
        found = approval_of(alias, plan.hash)
        if found is not None and found.state != models.ApprovalState.REFUSED:
            return found, False
        made = models.Approval.objects.create(plan=stored.get(), asked_by=who.name, asked_by_key=who.key)
    return made, True


def approve(pk: int, *, actor: Actor, reason: str = "") -> models.Approval:
    """Approves a plan.

    Args:
        pk: of what was asked for.
        actor: who approves.
        reason: what they say to it.

    Raises:
        ApprovalRefused: it is theirs, decided already, or too old.
    """
    return _decided(pk, _APPROVED, known(actor), reason)


def refuse(pk: int, *, actor: Actor, reason: str = "") -> models.Approval:
    """Refuses a plan: it must be asked for anew; see :func:`approve`."""
    return _decided(pk, models.ApprovalState.REFUSED, known(actor), reason)


def waive_approval(plan: Plan, *, actor: str, reason: str) -> None:
    """Notes that somebody at the command line ran a plan without the approval that it needs, and why.

    It holds for that run alone: it approves nothing.
    """
    with site_database():
        stored = models.StoredPlan.objects.get(target__alias=plan.target, hash=plan.hash)
        models.Approval.objects.create(
            plan=stored,
            state=models.ApprovalState.WAIVED,
            asked_by=actor,
            decided_by=actor,
            decided_at=timezone.now(),
            reason=reason,
        )


def is_of(found: models.Approval, who: Person) -> bool:
    """Whether somebody made the plan or asked for the approval, and so never gives it."""
    return who.is_same(asker_of(found)) or who.is_same(maker_of(found.plan))


def asker_of(found: models.Approval) -> Person:
    """Returns who asked for an approval."""
    return Person(found.asked_by, found.asked_by_key)


def maker_of(stored: models.StoredPlan) -> Person:
    """Returns who made a plan."""
    return Person(stored.created_by, stored.created_by_key)


def _decided(pk: int, state: models.ApprovalState, who: Person, reason: str) -> models.Approval:
    with site_database():
        approvals = models.Approval.objects.select_related("plan__target").filter(pk=pk)
        asked = approvals.first()
        if asked is None or not who.name or is_of(asked, who):
            raise _not_theirs(asked, who)
        open_one = models.Approval.objects.filter(pk=pk, state=_ASKED, asked_at__gte=_earliest())
        facts = {"decided_by": who.name, "decided_by_key": who.key, "decided_at": timezone.now()}
        if not open_one.update(state=state, reason=reason, **facts):
            raise _not_theirs(approvals.first(), who)
        return approvals.get()


def _earliest() -> datetime:
    return timezone.now() - timedelta(days=conf.approval_days())


def _ended(found: models.Approval) -> bool:
    """A word that was given long ago was about another day's target; one that nobody gave is asked anew."""
    return (found.decided_at or found.asked_at) < _earliest()


def _refuse_nobody(who: Person, alias: str) -> None:
    if not who.name:
        raise ApprovalRefused(
            "Nobody knows who asks", where=alias, hint="An approval is one person's word to another."
        )


def _needed(plan: Plan, found: models.Approval | None) -> ApprovalNeeded:
    said = {
        None: "needs the approval of a second person",
        _ASKED: "waits for the approval of a second person",
        models.ApprovalState.REFUSED: f"was refused by {found.decided_by if found else ''}",
    }[models.ApprovalState(found.state) if found else None]
    why = f": {found.reason}" if found and found.reason and found.state != _ASKED else ""
    hints = {
        None: "Ask for it on the plan's page in admin, or with: "
        f"manage.py integrity_plan {plan.target} --plan {plan.hash[:16]} --ask-approval.",
        _ASKED: "Somebody else approves it in admin.",
    }
    hint = hints.get(models.ApprovalState(found.state) if found else None, "Make another plan, or ask anew.")
    return ApprovalNeeded(f"Plan {plan.hash[:12]} {said}{why}", where=plan.target, hint=hint)


def _not_theirs(found: models.Approval | None, who: Person) -> ApprovalRefused:
    if found is None:
        return ApprovalRefused("Nobody asked for this approval", hint="Look at the list of approvals.")
    where = f"{found.plan.target}, plan {found.plan}"
    if found.state != _ASKED:
        what = f"{found.decided_by} decided about this plan already"
        return ApprovalRefused(what, where=where, hint="What counts stands on the plan's page.")
    if found.asked_at < _earliest():
        return ApprovalRefused("This was asked for too long ago", where=where, hint="Let it be asked anew.")
    if who.is_same(asker_of(found)):
        return ApprovalRefused("Nobody approves what they asked for", where=where, hint=_ANOTHER)
    return ApprovalRefused("Nobody approves a plan of their own", where=where, hint=_ANOTHER)


_ANOTHER = "Somebody else has to look at it."
