"""Where plans need a second person, no way to run one leads past them unseen."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrity import models, store, tasks
from integrity.exceptions import TooManyRows
from integrity.management.options import actor
from integrity.repairs import Options
from tests.commands import run, run_json
from tests.management.conftest import Shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engine("sqlite")]

DELETE = ("--reference", "orders.customer_id", "--action", "delete")


@pytest.fixture
def shop(shop: Shop, settings: Any) -> Shop:
    """The shop of a site whose plans need a second person."""
    settings.INTEGRITY = {**settings.INTEGRITY, "APPROVALS": True}
    return shop


def orders(shop: Shop) -> int:
    return int(shop.rows("SELECT count(*) FROM orders")[0][0])


def test_a_command_runs_what_somebody_else_approved_and_nothing_else(shop: Shop) -> None:
    refused = run("cleanup", shop.alias, *DELETE, "--no-input")
    assert refused.code == 2
    assert "--ask-approval" in refused.err
    assert orders(shop) == 6

    plan = run_json("plan", shop.alias, *DELETE, "--ask-approval")["hash"]
    assert "waits for the approval" in run("cleanup", shop.alias, "--plan", plan, "--no-input").err
    (question,) = models.Approval.objects.all()
    assert question.asked_by == actor()
    tasks.approve_plan(question.pk, actor="somebody else")
    assert run("cleanup", shop.alias, "--plan", plan, "--no-input").code == 0
    assert orders(shop) == 3


def test_a_command_that_runs_without_says_why(shop: Shop) -> None:
    assert run("cleanup", shop.alias, *DELETE, "--no-input", "--without-approval", "fire").code == 0

    assert orders(shop) == 3
    (note,) = models.Approval.objects.all()
    assert (note.state, note.reason, note.decided_by) == ("waived", "fire", actor())


def test_rows_that_came_after_the_approval_are_nobody_s(shop: Shop) -> None:
    plan = store.load_plan(shop.alias, run_json("plan", shop.alias, *DELETE, "--ask-approval")["hash"])
    tasks.approve_plan(models.Approval.objects.get().pk, actor="somebody else")
    shop.execute("INSERT INTO orders VALUES (99, 90, 'new')")
    with pytest.raises(TooManyRows):
        tasks.repair_and_store(shop.alias, plan)
    assert orders(shop) == 7


def begun(shop: Shop) -> None:
    """A run of a plan, paused before its first batch."""
    plan = store.load_plan(shop.alias, run_json("plan", shop.alias, *DELETE)["hash"])
    assert tasks.repair_and_store(shop.alias, plan, options=Options(stop=lambda: "paused")).state == "paused"
    assert orders(shop) == 6


def test_what_was_approved_goes_on_without_another_word_unless_it_was_refused(shop: Shop) -> None:
    plan = run_json("plan", shop.alias, *DELETE, "--ask-approval")["hash"]
    tasks.approve_plan(models.Approval.objects.get().pk, actor="somebody else")
    begun(shop)
    models.Approval.objects.update(decided_at=timezone.now() - timedelta(days=30))
    again = tasks.ask_for_approval(shop.alias, plan, actor="ada")
    tasks.refuse_plan(again.pk, actor="bob", reason="stop")
    assert "was refused by bob" in run("cleanup", shop.alias, "--resume", "1", "--no-input").err
    models.Approval.objects.filter(pk=again.pk).delete()
    assert run("cleanup", shop.alias, "--resume", "1", "--no-input").code == 0
    assert orders(shop) == 3


def test_what_was_begun_without_a_word_needs_one_to_go_on(shop: Shop, settings: Any) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "APPROVALS": False}
    begun(shop)
    models.StoredPlan.objects.all().delete()
    settings.INTEGRITY = {**settings.INTEGRITY, "APPROVALS": True}
    refused = run("cleanup", shop.alias, "--resume", "1", "--no-input")
    assert (refused.code, orders(shop)) == (2, 6)
    assert models.StoredPlan.objects.exists(), "it can be asked for, also where the site forgot the plan"
    assert run("cleanup", shop.alias, "--resume", "1", "--no-input", "--without-approval", "fire").code == 0
    assert (orders(shop), models.Approval.objects.get().reason) == (3, "fire")


def test_a_job_that_somebody_forged_changes_nothing(shop: Shop) -> None:
    plan = run_json("plan", shop.alias, *DELETE)["hash"]
    job = tasks.start_job(shop.alias, models.JobKind.REPAIR, {"plan": plan}, actor="mallory")
    assert tasks.wait_for_jobs()
    job.refresh_from_db()
    assert job.state == "failed"
    assert "needs the approval of a second person" in job.error
    assert orders(shop) == 6
