"""Where plans need a second person, no way to run one leads past them unseen."""

from typing import Any

import pytest

from integrity import models, store, tasks
from integrity.exceptions import TooManyRows
from integrity.management.options import actor
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


def test_a_job_that_somebody_forged_changes_nothing(shop: Shop) -> None:
    plan = run_json("plan", shop.alias, *DELETE)["hash"]
    job = tasks.start_job(shop.alias, models.JobKind.REPAIR, {"plan": plan}, actor="mallory")
    assert tasks.wait_for_jobs()
    job.refresh_from_db()
    assert job.state == "failed"
    assert "needs the approval of a second person" in job.error
    assert orders(shop) == 6
