"""Whoever opens the overview sees in ten seconds what is wrong, and what to do next."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrity import models, store, tasks
from integrity.admin.overview import states
from integrity.admin.overview.states import State, state_of, worst_first
from integrity.admin.overview.steps import next_step
from integrity.exceptions import TargetUnreachable
from integrity.store.standings import HISTORY, Standing, standings
from tests import factories
from tests.admin.conftest import Shop, SignIn

OVERVIEW = "/admin/integrity/"


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets of these tests need no database."""
    monkeypatch.setattr(states, "is_configured", lambda target: target.alias != "forgotten")


def standing(alias: str = "shop") -> Standing:
    (found,) = standings([alias])
    return found


def said(alias: str = "shop") -> tuple[str, str]:
    """The state of a target in a word, and what to do next."""
    found = standing(alias)
    return str(state_of(found)), next_step(found).sentence


def known(alias: str = "shop", **facts: Any) -> models.Target:
    made = factories.TargetFactory.create(alias=alias, **facts)
    factories.AuditRunFactory.create(target=made)
    return made


@pytest.mark.django_db
def test_each_state_has_its_next_step() -> None:
    target = factories.TargetFactory.create(alias="shop", reachable=None)
    assert said() == ("unknown", "Nobody has looked at it yet.")
    run = factories.AuditRunFactory.create(target=target, state="failed")
    assert said() == ("unknown", "The last audit failed.")
    run = factories.AuditRunFactory.create(target=target, complete=False)
    assert said() == ("unknown", "Not everything could be looked at.")
    models.AuditRun.objects.filter(pk=run.pk).update(complete=True)
    assert said() == ("healthy", "Nothing to do: all that is known holds.")
    models.AuditRun.objects.filter(pk=run.pk).update(finished_at=timezone.now() - timedelta(days=9))
    assert said() == ("healthy", "All was well, but that is a while ago.")
    models.Target.objects.update(warnings_open=1)
    assert said() == ("healthy", "1 finding is open.")
    factories.FindingFactory.create(target=target, code="missing_index", severity="warning")
    step = next_step(standing())
    assert step.sentence == "1 finding is open: a missing constraint, index or the like."
    assert (step.label, step.permission) == ("Choose schema fixes…", "write_migrations")
    assert step.for_whom(lambda permission: permission == "view_finding").label == "Look closer"
    assert step.for_whom(lambda permission: False).label == ""
    models.Target.objects.update(errors_open=2, orphans_open=9, undecided=2)
    assert said() == ("damaged", "2 findings wait for a decision.")
    models.Target.objects.update(undecided=0, decided=1)
    assert said() == ("damaged", "What was decided about 1 finding is not carried out.")
    factories.MigrationRunFactory.create(target=target, state="failed")
    assert said() == ("damaged", "Migration 0001_indexes failed.")
    repair = factories.RepairRunFactory.create(target=target, number=7, state="interrupted")
    assert said() == ("damaged", "Run 7 stopped in the middle. Nothing is half done.")
    models.RepairRun.objects.filter(pk=repair.pk).update(state="running")
    assert said() == ("repairing", "Run 7 is under way.")
    factories.JobFactory.create(target=target, kind="rollback", state="running")
    assert said() == ("repairing", "A repair is being rolled back.")
    store.unreachable("shop", TargetUnreachable("gone"))
    assert said()[0] == "unreachable"
    known("forgotten")
    assert said("forgotten")[1] == "It is not in DATABASES any more. What is remembered of it stays here."


@pytest.mark.django_db
def test_what_was_changed_since_the_last_audit_is_not_known() -> None:
    """A command repairs, rolls back and migrates without looking again."""
    target = known("shop", undecided=3)
    later = timezone.now() + timedelta(minutes=1)
    assert said()[1] == "3 findings wait for a decision."
    factories.MigrationRunFactory.create(target=target, finished_at=later)
    assert said() == ("unknown", "It was changed since the last audit.")
    who_decides = next_step(standing()).for_whom(lambda permission: permission == "view_orphanfinding")
    assert who_decides.label == "Decide…"
    factories.AuditRunFactory.create(target=target, started_at=later, narrowed=True)
    assert said()[1] == "3 findings wait for a decision."
    repair = factories.RepairRunFactory.create(target=target, number=1, state="rolled_back", rows_changed=0)
    models.RepairRun.objects.filter(pk=repair.pk).update(finished_at=later + timedelta(minutes=1))
    assert not standing().changed, "it changed nothing"
    models.RepairRun.objects.filter(pk=repair.pk).update(rows_changed=9)
    assert standing().changed


@pytest.mark.django_db
def test_what_was_never_counted_is_not_said_to_be_none(sign_in: SignIn) -> None:
    factories.TargetFactory.create(alias="shop")
    page = sign_in().get(OVERVIEW).content.decode()
    assert "<dt>Orphans</dt><dd>–</dd>" in page
    assert "not counted yet" in page
    known("other")
    assert "<dt>Orphans</dt><dd>0</dd>" in sign_in().get(OVERVIEW).content.decode()


@pytest.mark.django_db
def test_the_worst_comes_first() -> None:
    known("calm")
    known("bad", orphans_open=5, errors_open=1)
    known("worse", orphans_open=50, errors_open=1)
    factories.TargetFactory.create(alias="dark")
    known("gone", reachable=False)
    found = worst_first(standings(["calm", "bad", "worse", "dark", "gone"]))
    assert [each.target.alias for each in found] == ["gone", "worse", "bad", "dark", "calm"]
    assert [state_of(each) for each in found][-1] is State.HEALTHY


@pytest.mark.django_db
def test_the_line_shows_the_last_audits_of_everything() -> None:
    target = factories.TargetFactory.create(alias="shop")
    for orphans in range(HISTORY + 5):
        factories.AuditRunFactory.create(target=target, orphans_count=orphans)
    factories.AuditRunFactory.create(target=target, orphans_count=999, narrowed=True)
    factories.AuditRunFactory.create(target=target, orphans_count=998, state="failed")
    assert [orphans for _at, orphans in standing().history] == list(range(5, HISTORY + 5))


@pytest.mark.django_db(transaction=True)
def test_the_overview_leads_to_the_orphans_and_from_a_button_to_an_audit(
    audited: Shop, everything: Client
) -> None:
    page = everything.get(OVERVIEW).content.decode()
    target = store.target_row("shop")
    assert "damaged" in page
    assert "2 findings wait for a decision." in page
    assert f"/admin/integrity/orphanfinding/?target__id__exact={target.pk}&amp;decision=none" in page
    assert "style=" not in page.split("<main")[1]
    response = everything.post(reverse("admin:integrity_target_start", args=[target.pk, "audit"]))
    job = models.Job.objects.get()
    assert response["Location"] == f"/admin/integrity/job/{job.pk}/change/"
    assert LogEntry.objects.get().change_message == "Asked for an audit"
    assert tasks.wait_for_jobs(30)


@pytest.mark.django_db
def test_the_next_phase_that_is_written_is_offered(tmp_path: Path, settings: Any) -> None:
    settings.INTEGRITY = {"CATALOG_ROOT": tmp_path}
    folder = tmp_path / "shop" / "migrations"
    folder.mkdir(parents=True)
    for number, phase in ((1, 1), (2, 2), (3, 2)):
        text = (
            f"from django.db import migrations\nclass Migration(migrations.Migration):\n    phase = {phase}\n"
        )
        (folder / f"000{number}_some.py").write_text(text)
    target = known("shop")
    factories.MigrationRunFactory.create(target=target, migration="0001_some")
    step = next_step(standing())
    assert step.sentence == "2 migrations of phase 2 are written, but not applied."
    assert step.url == reverse("admin:integrity_target_migrations", args=[target.pk]) + "?phase=2"
    factories.MigrationRunFactory.create(target=target, migration="0001_some", direction="backward")
    assert next_step(standing()).label == "Apply phase 1…"
    (folder / "0002_some.py").write_text("nonsense(")
    assert next_step(standing()).sentence == "Nothing to do: all that is known holds."


@pytest.mark.django_db(transaction=True)
def test_what_was_decided_is_planned_as_a_whole(audited: Shop, everything: Client) -> None:
    url = reverse("admin:integrity_target_start", args=[store.target_row("shop").pk, "plan"])
    everything.post(url)
    assert not models.StoredPlan.objects.exists(), "nothing is decided yet"
    store.store_decision([audited.finding()], "delete")
    store.store_decision([audited.finding("lines.order_id")], "keep", reason="museum")
    response = everything.post(url, follow=True)
    plan = models.StoredPlan.objects.get()
    assert plan.hash in response.content.decode()
    assert {each["resolution"] for each in plan.plan["steps"]} == {"delete", "keep"}


@pytest.mark.django_db(transaction=True)
def test_who_may_not_sees_neither_button_nor_number(audited: Shop, sign_in: SignIn) -> None:
    client = sign_in()
    page = client.get(OVERVIEW).content.decode()
    assert "Decide…" in page
    start = reverse("admin:integrity_target_start", args=[store.target_row("shop").pk, "audit"])
    assert start not in page
    assert "Audit all now" not in page
    assert client.post(start).status_code == 403
    assert client.get(start).status_code == 405
    assert not models.Job.objects.exists()


@pytest.mark.django_db
def test_thirty_targets_with_a_thousand_runs_need_no_more_queries(
    admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        target = factories.TargetFactory.create(orphans_open=3)
        runs = [factories.AuditRunFactory.build(target=target, orphans_count=n) for n in range(35)]
        models.AuditRun.objects.bulk_create(runs)
    with django_assert_max_num_queries(14):
        page = admin_client.get(OVERVIEW).content.decode()
    assert page.count('class="integrity-picture integrity-sparkline"') == 30
