"""Somebody decides: what is shown is what runs, and who may not is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from integrity import models, store, tasks
from integrity.plans import Request
from integrity.references import Resolution
from integrity.repairs import Options
from tests.admin.conftest import Shop, SignIn
from tests.factories import OrphanFindingFactory

pytestmark = pytest.mark.django_db(transaction=True)

PLAN_PAGE = "admin:integrity_orphanfinding_plan"


def decide(client: Client, decision: str, *findings: models.Finding, **more: Any) -> Any:
    """Ask for the page of a decision, its questions answered."""
    answers = {"where": "system", "how": "form", "answered": "yes"}
    data = {"_selected_action": [finding.pk for finding in findings], **answers, **more}
    url = reverse("admin:integrity_orphanfinding_decide", args=[decision])
    return client.post(url, data, follow=True)


def run_shown_plan(client: Client, **data: Any) -> Any:
    """Post the last plan that was shown, and wait for what comes of it."""
    plan = models.StoredPlan.objects.first()
    assert plan is not None
    url = reverse(PLAN_PAGE, args=[plan.target.alias, plan.hash])
    response = client.post(url, data or {"run": "yes"}, follow=True)
    assert tasks.wait_for_jobs(30)
    return response


def test_the_action_of_the_list_shows_the_plan(audited: Shop, everything: Client) -> None:
    data = {"action": "delete", "_selected_action": [audited.finding().pk]}
    url = reverse("admin:integrity_orphanfinding_changelist")
    text = everything.post(url, data, follow=True).content.decode()
    assert "3 rows of orders are taken out, to the quarantine." in text
    assert "2 rows that refer to them are taken out with them." in text
    assert "by lines.order_id" in text, "what follows is shown"
    assert models.StoredPlan.objects.get().hash in text
    assert "NOT EXISTS" in text, "SQL on demand"
    assert len(audited.rows("SELECT * FROM orders")) == 6, "nothing was changed"


def test_deleting_takes_orphans_to_quarantine_and_can_be_taken_back(
    audited: Shop, everything: Client
) -> None:
    before = audited.rows("SELECT * FROM orders"), audited.rows("SELECT * FROM lines")
    decide(everything, "delete", audited.finding())
    response = run_shown_plan(everything)
    job = models.Job.objects.get()
    assert response.redirect_chain[-1][0] == reverse("admin:integrity_job_change", args=[job.pk])
    assert (job.state, job.error, job.actor) == ("finished", "", "boss")
    run = models.RepairRun.objects.get()
    assert (run.kind, run.state, run.rows_changed, run.actor) == ("cleanup", "finished", 5, "boss")
    assert len(audited.rows("SELECT * FROM orders")) == 3
    assert audited.finding().state == "resolved", "the findings are counted again"

    url = reverse("admin:integrity_repairrun_roll_back", args=[run.pk])
    assert "<code>orders</code>" in everything.get(url).content.decode()
    everything.post(url, {"state": "finished", "how": ""})
    assert tasks.wait_for_jobs(30)
    assert (audited.rows("SELECT * FROM orders"), audited.rows("SELECT * FROM lines")) == before
    back = models.RepairRun.objects.get(kind="rollback")
    assert back.proof is not None
    assert back.proof["rows_equal"] is True
    run.refresh_from_db()
    assert run.state == "rolled_back"
    assert audited.finding().state == "open"
    text = everything.get(reverse("admin:integrity_repairrun_change", args=[back.pk])).content.decode()
    assert "equal" in text


def test_setting_null_ends_the_references(audited: Shop, everything: Client) -> None:
    decide(everything, "set_null", audited.finding())
    run_shown_plan(everything)
    assert audited.rows("SELECT count(*) FROM orders WHERE customer_id IS NULL") == [(4,)]


def test_reassigning_makes_the_system_row_and_points_there(audited: Shop, everything: Client) -> None:
    decide(everything, "reassign", audited.finding())
    run_shown_plan(everything)
    assert audited.rows("SELECT count(*) FROM orders WHERE customer_id = 0") == [(3,)]
    assert audited.rows("SELECT name FROM customers WHERE id = 0") == [("Unknown customer",)]
    assert models.RepairRun.objects.get().kind == "reassign"


def test_reassigning_to_a_row_by_its_key(audited: Shop, everything: Client) -> None:
    decide(everything, "reassign", audited.finding(), where="row", to="2")
    run_shown_plan(everything)
    assert audited.rows("SELECT count(*) FROM orders WHERE customer_id = 2") == [(4,)]
    assert models.Resolution.objects.get().to_key == ["2"]


def test_a_decision_that_breaks_another_rule_is_explained(audited: Shop, everything: Client) -> None:
    text = decide(everything, "set_null", audited.finding("lines.order_id")).content.decode()
    assert "the column is NOT NULL" in text
    assert "Choose delete, reassign or keep" in text
    assert not models.StoredPlan.objects.exists()


def test_keeping_needs_a_reason(audited: Shop, everything: Client) -> None:
    text = decide(everything, "keep", audited.finding(), reason="", until="").content.decode()
    assert "This field is required" in text
    assert audited.finding().state == "open"


def test_keeping_stores_why_and_until_when(audited: Shop, everything: Client) -> None:
    text = decide(
        everything, "keep", audited.finding(), reason="history", until="2999-01-02"
    ).content.decode()
    assert "The orphans are kept" in text
    assert audited.finding().state == "kept"
    assert [str(day) for day in store.kept_until("shop").values()] == ["2999-01-02"]
    assert not models.Job.objects.exists(), "no row is changed"


def test_keeping_until_a_day_that_is_over_is_refused(audited: Shop, everything: Client) -> None:
    decide(everything, "keep", audited.finding(), reason="history", until="1999-01-02")
    assert audited.finding().state == "open"


def test_a_decision_can_be_remembered_for_later(audited: Shop, everything: Client) -> None:
    decide(everything, "delete", audited.finding())
    run_shown_plan(everything, decide="later")
    assert [str(each.resolution) for each in store.decisions_for("shop")] == ["delete"]
    assert len(audited.rows("SELECT * FROM orders")) == 6


def test_everything_is_in_the_admin_log(audited: Shop, everything: Client) -> None:
    decide(everything, "delete", audited.finding())
    run_shown_plan(everything)
    plan = models.StoredPlan.objects.get()
    assert [entry.change_message for entry in LogEntry.objects.all()] == [
        f"Delete to quarantine, run by plan {plan.hash[:12]}: 5 rows"
    ]


def test_more_orphans_than_were_shown_stop_it_before_the_first_change(
    audited: Shop, everything: Client
) -> None:
    decide(everything, "delete", audited.finding())
    audited.execute("INSERT INTO orders VALUES (7, 92, 'lost later')")
    shown = run_shown_plan(everything).content.decode()
    job = models.Job.objects.get(kind="repair")
    assert job.state == "failed"
    assert "Nothing was changed" in job.error
    assert len(audited.rows("SELECT * FROM orders")) == 7
    assert "The target changed since you looked at it" in shown
    assert "4 rows of orders are taken out" in shown, "the plan as it is now"
    text = everything.get(reverse("admin:integrity_job_change", args=[job.pk])).content.decode()
    assert "Nothing was changed" in text


def test_an_unknown_plan_is_explained(audited: Shop, everything: Client) -> None:
    text = everything.post(reverse(PLAN_PAGE, args=["shop", "0" * 64]), follow=True).content.decode()
    assert "No plan begins with" in text
    assert not models.Job.objects.exists()


def test_findings_of_two_targets_have_no_common_plan(audited: Shop, everything: Client) -> None:
    text = decide(everything, "delete", audited.finding(), OrphanFindingFactory.create()).content.decode()
    assert "Findings of several targets were chosen" in text


def test_a_resolved_finding_needs_no_decision(audited: Shop, everything: Client) -> None:
    finding = audited.finding()
    models.Finding.objects.filter(pk=finding.pk).update(state="resolved")
    assert "resolved already" in decide(everything, "delete", finding).content.decode()


@pytest.mark.parametrize("decision", ["delete", "set_null", "reassign", "keep"])
def test_each_decision_has_its_own_permission(decision: str, audited: Shop, sign_in: SignIn) -> None:
    others = {"cleanup_finding", "set_null_finding", "reassign_finding", "keep_finding", "run_repair"}
    own = {"delete": "cleanup_finding"}.get(decision, f"{decision}_finding")
    assert decide(sign_in(*others - {own}), decision, audited.finding()).status_code == 403
    assert decide(sign_in(own), decision, audited.finding()).status_code == 200


def test_a_plan_that_deletes_cannot_be_run_by_whoever_may_only_set_null(
    audited: Shop, everything: Client, sign_in: SignIn
) -> None:
    decide(everything, "delete", audited.finding())
    response = run_shown_plan(sign_in("set_null_finding", "decide_finding", "run_repair"))
    assert response.status_code == 403
    assert not models.Job.objects.exists()


def test_a_rollback_has_its_own_permission(
    audited: Shop, everything: Client, sign_in: Callable[..., Client]
) -> None:
    decide(everything, "delete", audited.finding())
    run_shown_plan(everything)
    run = models.RepairRun.objects.get()
    url = reverse("admin:integrity_repairrun_roll_back", args=[run.pk])
    nobody = sign_in("cleanup_finding")
    assert nobody.get(url).status_code == 403
    assert nobody.post(url, {"state": "finished"}).status_code == 403
    limited = sign_in("roll_back_repair")
    offered = limited.get(url).content.decode()
    assert 'value="unvalidate"' in offered
    assert 'value="with_migrations"' not in offered
    wish = {"state": "finished", "how": "with_migrations"}
    assert limited.post(url, wish).status_code == 403, "structure needs its own permission"


def test_a_repair_that_was_stopped_goes_on_from_its_page(
    audited: Shop, everything: Client, sign_in: SignIn
) -> None:
    plan = tasks.plan_and_store("shop", [Request(resolution=Resolution.DELETE)])
    options = Options(approved=True, stop=lambda: "paused")
    assert tasks.repair_and_store("shop", plan, options=options).state == "paused"
    run = models.RepairRun.objects.get()
    page = reverse("admin:integrity_repairrun_change", args=[run.pk])
    url = reverse("admin:integrity_repairrun_resume", args=[run.pk])
    assert "Go on where it stopped" in everything.get(page).content.decode()
    everything.post(url)
    assert tasks.wait_for_jobs(30)
    run.refresh_from_db()
    assert (run.state, run.rows_changed) == ("finished", 6)
    assert "Go on where it stopped" not in everything.get(page).content.decode()
    assert sign_in("set_null_finding").post(url).status_code == 403
