"""What is stored uses the words of the core, and nobody has to write a migration."""

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import IntegrityError, transaction

from integrity import models
from integrity.detectors import Severity
from integrity.references import Resolution
from integrity.repairs.result import State
from tests.factories import FindingFactory, RepairRunFactory, StoredPlanFactory, TargetFactory

OWN_PERMISSIONS = {
    "audit_target", "decide_finding", "cleanup_finding", "set_null_finding", "reassign_finding",
    "keep_finding", "relink_finding", "restore_parent_finding", "deduplicate_finding", "note_finding",
    "download_csv", "run_repair", "roll_back_repair", "approve_plan", "write_migrations",
    "apply_migrations", "view_sample_rows", "read_metrics",
}  # fmt: skip


def test_states_of_runs_are_those_of_the_core() -> None:
    assert set(models.RunState.values) == {str(state) for state in State}


def test_decisions_are_the_resolutions_of_the_core() -> None:
    about_orphans = {str(resolution) for resolution in Resolution}
    others = {models.Decision.DEDUPLICATE, models.Decision.WITHDRAW}
    assert set(models.Decision.values) == about_orphans | others


def test_severities_are_those_of_the_core() -> None:
    assert set(models.Severity.values) == {str(severity) for severity in Severity}


@pytest.mark.django_db
def test_the_migrations_make_what_the_models_say() -> None:
    call_command("makemigrations", "integrity", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_every_dangerous_thing_has_a_permission_of_its_own() -> None:
    known = Permission.objects.filter(content_type__app_label="integrity").values_list("codename", flat=True)
    assert set(known) >= OWN_PERMISSIONS


@pytest.mark.django_db
def test_history_can_be_seen_and_nothing_else() -> None:
    known = Permission.objects.filter(content_type__app_label="integrity").values_list("codename", flat=True)
    rest = set(known) - OWN_PERMISSIONS
    assert {name.split("_")[0] for name in rest} == {"view"}


@pytest.mark.django_db
def test_a_target_has_a_finding_once() -> None:
    finding = FindingFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        FindingFactory.create(target=finding.target, fingerprint=finding.fingerprint)
    FindingFactory.create(fingerprint=finding.fingerprint)


@pytest.mark.django_db
def test_a_target_has_a_run_number_once() -> None:
    run = RepairRunFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        RepairRunFactory.create(target=run.target, number=run.number)


@pytest.mark.django_db
def test_a_target_has_a_plan_once() -> None:
    plan = StoredPlanFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        StoredPlanFactory.create(target=plan.target, hash=plan.hash)


@pytest.mark.django_db
def test_orphan_findings_are_the_findings_about_orphans() -> None:
    about_rows = FindingFactory.create()
    FindingFactory.create(code="missing_index")
    assert [finding.pk for finding in models.OrphanFinding.objects.all()] == [about_rows.pk]


@pytest.mark.django_db
def test_a_target_is_called_by_its_alias() -> None:
    assert str(TargetFactory.create(alias="shop")) == "shop"
