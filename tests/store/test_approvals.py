"""A plan that needs a second person runs after their word, and never by that of whoever wants it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrity import models, signals, store, tasks
from integrity.exceptions import ApprovalNeeded, ApprovalRefused, PlanMismatch
from integrity.plans import Plan
from integrity.references import Resolution

pytestmark = pytest.mark.django_db
MakePlan = Callable[..., Plan]


@pytest.fixture
def stored(plan: MakePlan, settings: Any) -> Plan:
    """A plan that ada made and that touches 17 rows, where plans need a second person."""
    settings.INTEGRITY = {**settings.INTEGRITY, "APPROVALS": True}
    made = plan()
    store.store_plan(made, actor="ada")
    return made


def asked(plan: Plan, actor: str = "ada") -> models.Approval:
    return tasks.ask_for_approval(plan.target, plan.hash, actor=actor)


def test_a_plan_runs_after_somebody_else_approved_it(stored: Plan) -> None:
    with pytest.raises(ApprovalNeeded, match="needs the approval"):
        store.demand_approved(stored)
    question = asked(stored)
    with pytest.raises(ApprovalNeeded, match="waits for the approval"):
        store.demand_approved(stored)
    assert list(store.waiting_approvals()) == [question]

    given = tasks.approve_plan(question.pk, actor="bob", reason="fine")

    store.demand_approved(stored)
    assert (given.state, given.decided_by, given.reason) == ("approved", "bob", "fine")
    assert list(store.waiting_approvals()) == []


@pytest.mark.parametrize(
    ("asking", "deciding"), [("ada", "ada"), ("bob", "bob"), ("bob", "ada"), ("ada", "")]
)
def test_nobody_approves_or_refuses_what_they_made_or_asked_for(
    stored: Plan, asking: str, deciding: str
) -> None:
    question = asked(stored, asking)
    for decide in (tasks.approve_plan, tasks.refuse_plan):
        with pytest.raises(ApprovalRefused):
            decide(question.pk, actor=deciding)
    question.refresh_from_db()
    assert question.state == "asked"


def test_people_are_told_apart_by_their_accounts_and_not_by_their_names(
    plan: MakePlan, settings: Any
) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "APPROVALS": True}
    made = plan()
    store.store_plan(made, actor=store.Person("ada", "1"))
    question = tasks.ask_for_approval(made.target, made.hash, actor=store.Person("bob", "2"))
    for renamed in (store.Person("eve", "1"), store.Person("eve", "2"), store.Person("bob"), store.Person()):
        with pytest.raises(ApprovalRefused):
            tasks.approve_plan(question.pk, actor=renamed)
    namesake = store.Person("ada", "3")
    given = tasks.approve_plan(question.pk, actor=namesake)
    assert (given.decided_by, given.decided_by_key) == ("ada", "3")


def test_what_was_refused_is_refused_until_it_is_asked_anew(stored: Plan) -> None:
    tasks.refuse_plan(asked(stored).pk, actor="bob", reason="too many")
    with pytest.raises(ApprovalNeeded, match="was refused by bob: too many"):
        store.demand_approved(stored)
    again = asked(stored)
    assert again.state == "asked"
    tasks.approve_plan(again.pk, actor="cy")
    store.demand_approved(stored)


def test_a_question_is_answered_once(stored: Plan) -> None:
    question = asked(stored)
    assert asked(stored, "bob") == question, "asked twice, it is one question"
    tasks.approve_plan(question.pk, actor="cy")
    with pytest.raises(ApprovalRefused, match="cy decided"):
        tasks.refuse_plan(question.pk, actor="dan")
    assert asked(stored) == question, "nothing more to ask"
    with pytest.raises(ApprovalRefused, match="Nobody asked"):
        tasks.approve_plan(0, actor="cy")


def test_a_word_about_one_plan_is_none_about_another(stored: Plan, plan: MakePlan) -> None:
    tasks.approve_plan(asked(stored).pk, actor="bob")
    for other in (plan(rows=18), plan(target="barn")):
        store.store_plan(other, actor="ada")
        with pytest.raises(ApprovalNeeded):
            store.demand_approved(other)
    with pytest.raises(PlanMismatch):
        tasks.ask_for_approval("barn", stored.hash, actor="ada")


def test_questions_and_words_end(stored: Plan) -> None:
    question = asked(stored)
    old = timezone.now() - timedelta(days=8)
    models.Approval.objects.update(asked_at=old)
    with pytest.raises(ApprovalRefused, match="too long ago"):
        tasks.approve_plan(question.pk, actor="bob")
    assert list(store.waiting_approvals()) == []
    tasks.approve_plan(asked(stored).pk, actor="bob")
    store.demand_approved(stored)
    models.Approval.objects.update(decided_at=old)
    with pytest.raises(ApprovalNeeded):
        store.demand_approved(stored)


def test_a_threshold_counts_touched_rows(stored: Plan, plan: MakePlan, settings: Any) -> None:
    for setting, needed in ((False, False), (None, False), (17, True), (18, False), (True, True), (1, True)):
        settings.INTEGRITY = {**settings.INTEGRITY, "APPROVALS": setting}
        assert store.needs_approval(stored) is needed, setting
    settings.INTEGRITY = {**settings.INTEGRITY, "APPROVALS": True}
    kept = plan(Resolution.KEEP)
    assert not store.needs_approval(kept)
    store.store_plan(kept, actor="ada")
    with pytest.raises(ApprovalRefused, match="changes nothing"):
        asked(kept)


def test_a_waiver_is_noted_and_approves_nothing(stored: Plan) -> None:
    store.waive_approval(stored, actor="root", reason="fire")
    with pytest.raises(ApprovalNeeded):
        store.demand_approved(stored)
    (note,) = models.Approval.objects.all()
    assert (note.state, note.decided_by, note.reason) == ("waived", "root", "fire")
    tasks.approve_plan(asked(stored).pk, actor="bob")
    store.waive_approval(stored, actor="root", reason="again")
    store.demand_approved(stored)


def test_whoever_listens_is_told_once(stored: Plan) -> None:
    heard: list[tuple[str, str]] = []

    def listen(target: str, result: models.Approval, **kwargs: object) -> None:
        heard.append((target, result.state))

    signals.approval_asked.connect(listen)
    signals.approval_decided.connect(listen)
    try:
        question = asked(stored)
        asked(stored)
        tasks.approve_plan(question.pk, actor="bob")
    finally:
        signals.approval_asked.disconnect(listen)
        signals.approval_decided.disconnect(listen)
    assert heard == [("shop", "asked"), ("shop", "approved")]
