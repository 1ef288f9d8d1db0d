"""Jobs: taken once, told how far they are, and never without an end."""

from pathlib import Path
from typing import Any

import pytest

from integrity import models, store, tasks
from integrity.signals import audit_finished
from tests.factories import JobFactory, TargetFactory
from tests.servers import RegisterTarget

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def target(register_target: RegisterTarget, sqlite_path: Path) -> str:
    sqlite_path.touch()
    return register_target("shop", f"sqlite:///{sqlite_path}")


def test_a_job_is_carried_out_in_the_background(target: str) -> None:
    job = tasks.start_job(target, "audit", actor="ada")
    assert tasks.wait_for_jobs(30)
    job.refresh_from_db()
    assert (job.state, job.error) == ("finished", "")
    run = models.AuditRun.objects.get()
    assert job.result == {"audit_run": run.pk, "findings": 0, "complete": True}
    assert run.actor == "ada"


def test_a_job_is_taken_once(target: str) -> None:
    job = JobFactory.create(target=TargetFactory(alias=target))
    assert store.begin_job(job.pk) is not None
    assert store.begin_job(job.pk) is None
    tasks.carry_out(job.pk)
    assert not models.AuditRun.objects.exists()


def test_a_job_that_fails_says_why(register_target: RegisterTarget, tmp_path: Path) -> None:
    alias = register_target("gone", f"sqlite:///{tmp_path / 'gone.sqlite3'}")
    job = JobFactory.create(target=TargetFactory(alias=alias))
    tasks.carry_out(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "gone" in job.error
    assert models.AuditRun.objects.get().state == "failed"
    target = models.Target.objects.get(alias=alias)
    assert (target.reachable, bool(target.error)) == (False, True)


def test_a_job_whose_target_is_gone_says_so(caplog: pytest.LogCaptureFixture) -> None:
    job = JobFactory.create()
    tasks.carry_out(job.pk)
    job.refresh_from_db()
    assert "There is no target" in job.error


def test_a_mistake_of_ours_ends_the_job_too(
    target: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("integrity.tasks.background.kinds.audit_and_store", broken)
    job = JobFactory.create(target=TargetFactory(alias=target))
    tasks.carry_out(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "ZeroDivisionError: by zero")


def test_a_job_that_nobody_has_begun_is_cancelled_at_once(target: str) -> None:
    job = JobFactory.create(target=TargetFactory(alias=target))
    assert store.ask_job(job.pk, models.Wish.CANCEL)
    tasks.carry_out(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("cancelled", 0)
    assert not store.ask_job(job.pk, models.Wish.CANCEL)


def test_a_wish_to_stop_reaches_a_job_that_is_under_way(target: str) -> None:
    job = JobFactory.create(target=TargetFactory(alias=target))
    assert store.begin_job(job.pk)
    assert store.ask_job(job.pk, models.Wish.CANCEL)
    assert store.wish_of(job.pk) == models.Wish.CANCEL


def test_a_backup_is_taken_and_recorded(target: str, tmp_path: Path, settings: Any) -> None:
    settings.INTEGRITY = {"BACKUP_ROOT": tmp_path / "backups"}
    tasks.start_job(target, "backup", actor="ada")
    assert tasks.wait_for_jobs(30)
    backup = models.Backup.objects.get()
    assert Path(backup.file).is_file()
    assert backup.actor == "ada"


def test_whoever_listens_is_told_of_an_audit(target: str) -> None:
    told: list[tuple[str, int | None]] = []

    def listen(sender: Any, target: str, result: Any, **kwargs: Any) -> None:
        told.append((target, result.run))

    audit_finished.connect(listen)
    try:
        result = tasks.audit_and_store(target)
    finally:
        audit_finished.disconnect(listen)
    assert told == [(target, result.run)]
