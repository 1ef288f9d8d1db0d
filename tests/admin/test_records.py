"""Pages of what is kept say how it went, what was left out, and where to go; each to whom it concerns."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrity import models, store, tasks
from integrity.plans import Request
from integrity.references.reference import Resolution
from tests import factories
from tests.admin.conftest import Shop, SignIn

pytestmark = pytest.mark.django_db


def text_of(client: Client, kind: str, found: Any) -> str:
    return client.get(reverse(f"admin:integrity_{kind}_change", args=[found.pk])).content.decode()


def only(client: Client, *permissions: str) -> Client:
    """Sign in somebody who may see nothing but this."""
    found = Permission.objects.filter(content_type__app_label="integrity", codename__in=permissions)
    user = User.objects.create_user("-".join(permissions), is_staff=True)
    user.user_permissions.set(found)
    client.force_login(user)
    return client


def test_an_audit_says_what_it_found_and_how_that_compares(audited: Shop, everything: Client) -> None:
    audited.execute("INSERT INTO orders VALUES (7, 95, 'late'), (8, 95, 'late')")
    tasks.audit_and_store(audited.alias)
    newest, first = models.AuditRun.objects.order_by("-pk")

    text = text_of(everything, "auditrun", newest)

    assert "All 2 known references were checked" in text
    assert "with 6 orphans." in text
    assert "2 more" in text
    assert "What it found, the worst first" in text
    assert "5 orders refer to 3 customers that do not exist" in text
    assert f"The audit before: {first.pk}" in text
    text = text_of(everything, "auditrun", first)
    assert f"The newest audit: {newest.pk}" in text
    assert "All that it found was seen again by a later audit." in text


def test_an_audit_says_what_it_did_not_look_at_and_why(client: Client) -> None:
    coverage = {
        "references": 3, "checked": 1, "skipped": [{"reference": "invoices.customer_id", "reason": "No right."}],
        "timed_out": [], "unread": [{"routine": "close_year()", "reason": "It composes its SQL."}],
    }  # fmt: skip
    run = factories.AuditRunFactory.create(complete=False, coverage=coverage)
    text = text_of(only(client, "view_auditrun"), "auditrun", run)
    assert "1 of 3 references were checked." in text
    assert "1 check could not be made" in text
    assert "No right." in text
    assert "close_year()" in text
    assert "Decide about orphans" not in text


def test_a_failed_audit_says_why_and_is_asked_for_again_by_who_may(sign_in: SignIn) -> None:
    run = factories.AuditRunFactory.create(state="failed", error="The server cannot be reached")
    start = reverse("admin:integrity_target_start", args=[run.target_id, "audit"])
    text = text_of(sign_in("view_auditrun", "audit_target"), "auditrun", run)
    assert "What it had seen by then is not kept." in text
    assert "The server cannot be reached" in text
    assert f'action="{start}"' in text
    assert start not in text_of(sign_in("view_auditrun"), "auditrun", run)


def test_a_decision_says_whether_it_stands_and_leads_on(audited: Shop, everything: Client) -> None:
    until = timezone.localdate() + timedelta(days=1)
    line = audited.finding("lines.order_id")
    store.store_decision([line], "keep", actor="ann", reason="Counted", until=until)
    plan = tasks.plan_and_store(audited.alias, [Request(resolution=Resolution.DELETE)])
    store.store_decisions(plan, actor="bob")
    kept, deleted = models.Resolution.objects.filter(finding=line.pk).order_by("pk")
    assert "decided anew, or withdrawn, since" in text_of(everything, "resolution", kept)
    text = text_of(everything, "resolution", deleted)
    assert "</span> stands</span>" in text
    assert "bob decided: delete to quarantine, for the whole finding." in text
    assert reverse("admin:integrity_orphanfinding_plan", args=[audited.alias, plan.hash]) in text
    tasks.repair_and_store(audited.alias, plan)
    text = text_of(everything, "resolution", deleted)
    assert "carried out" in text
    assert "Counted" in text
    store.withdraw_decision(line, deleted.pk, actor="eve")
    withdrawal = models.Resolution.objects.get(decision="withdraw")
    assert "eve withdrew what was decided for the whole finding." in text_of(
        everything, "resolution", withdrawal
    )


def test_values_of_a_decision_are_for_those_who_may_see_rows(sign_in: SignIn) -> None:
    made = factories.ResolutionFactory.create(
        decision="reassign", to_key=["secret-7"], keys=[["secret-8"]], rows=[]
    )
    may = ("view_resolution", "view_finding")
    text = text_of(sign_in(*may), "resolution", made)
    assert "1 missing key" in text
    assert "secret" not in text


def test_a_plan_leads_to_its_page_or_tells_what_became_of_it(client: Client, sign_in: SignIn) -> None:
    plan = factories.StoredPlanFactory.create(created_by="ann")
    run = factories.RepairRunFactory.create(target=plan.target, plan_hash=plan.hash)
    url = reverse("admin:integrity_storedplan_change", args=[plan.pk])
    leads = reverse("admin:integrity_orphanfinding_plan", args=[plan.target.alias, plan.hash])
    assert sign_in("view_storedplan", "view_orphanfinding").get(url).headers["Location"] == leads
    text = text_of(only(client, "view_storedplan", "view_repairrun"), "storedplan", plan)
    assert "is for those who may see orphans" in text
    assert reverse("admin:integrity_repairrun_change", args=[run.pk]) in text
    assert only(client, "view_orphanfinding").get(url).status_code == 403


def test_a_backup_says_whether_it_is_there_and_what_it_misses(sign_in: SignIn, tmp_path: Path) -> None:
    file = tmp_path / "shop.sqlite3"
    file.write_bytes(b"12345")
    backup = factories.BackupFactory.create(file=str(file), size=5, taken_at=timezone.now() - timedelta(1))
    run = factories.RepairRunFactory.create(target=backup.target)
    client = sign_in("view_backup", "view_repairrun")
    text = text_of(client, "backup", backup)
    assert "✓</span> there" in text
    assert reverse("admin:integrity_repairrun_change", args=[run.pk]) in text
    file.write_bytes(b"1")
    assert "another size" in text_of(client, "backup", backup)
    file.unlink()
    assert "not seen from here" in text_of(client, "backup", backup)


def test_a_measurement_says_which_queries_got_slower(client: Client, sign_in: SignIn) -> None:
    before = factories.QueryRunFactory.create()
    run = factories.QueryRunFactory.create(target=before.target, baseline=before)
    text = text_of(sign_in("view_queryrun", "view_querytiming"), "queryrun", run)
    assert f"1 is slower than in measurement {before.pk}." in text
    assert "it takes 1.50 times as long" in text
    assert "it takes 1.50" not in text_of(only(client, "view_queryrun"), "queryrun", run)
