"""Jobs: taken once, told how far they are, and never without an end."""

import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from integrity import models, store, tasks
from integrity.exceptions import PlanRefused, ReferentialIntegrityError
from integrity.plans import Plan, Request
from integrity.references import Resolution
from integrity.signals import audit_finished
from integrity.tasks.background.working import Workshop
from tests.commands import run
from tests.factories import BackupFactory, JobFactory, TargetFactory
from tests.servers import RegisterTarget
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def target(register_target: RegisterTarget, sqlite_path: Path) -> str:
    sqlite_path.touch()
    return register_target("shop", f"sqlite:///{sqlite_path}")


@pytest.fixture
def broken(target: str, sqlite_path: Path, tmp_path: Path, settings: Any) -> str:
    """A target with one orphan, and a catalog."""
    settings.INTEGRITY = {"CATALOG_ROOT": tmp_path / "catalogs", "WRITES_MIGRATIONS": True}
    folder = tmp_path / "catalogs" / target
    folder.mkdir(parents=True)
    (folder / "catalog.toml").write_text(
        '[[reference]]\nfrom = "orders.customer_id"\nto = "customers.id"\non_delete = "CASCADE"\n'
    )
    with closing(sqlite3.connect(sqlite_path)) as connection:
        connection.executescript(
            "CREATE TABLE customers (id integer PRIMARY KEY);"
            "CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer);"
            "INSERT INTO customers VALUES (1); INSERT INTO orders VALUES (1, 1), (2, 90);"
        )
    return target


def test_a_job_is_carried_out_in_the_background(target: str) -> None:
    job = tasks.start_job(target, "audit", actor="ada")
    assert tasks.wait_for_jobs(PATIENCE)
    job.refresh_from_db()
    assert (job.state, job.error) == ("finished", "")
    run = models.AuditRun.objects.get()
    assert job.result == {"audit_run": run.pk, "findings": 0, "orphans": 0, "complete": True}
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
    assert tasks.wait_for_jobs(PATIENCE)
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


def test_a_plan_that_is_ready_soon_is_returned_and_leaves_no_job(broken: str) -> None:
    plan = tasks.plan_in_background(broken, [Request(resolution=Resolution.DELETE)], actor="ada", wait=20)
    assert isinstance(plan, Plan)
    assert plan.touched == 1
    assert models.StoredPlan.objects.get().created_by == "ada"
    assert not models.Job.objects.exists()


def test_a_plan_that_takes_longer_is_a_job_and_asking_again_is_the_same_one(
    broken: str, settings: Any
) -> None:
    settings.INTEGRITY = {"CARRIER": "worker"}
    first = tasks.plan_in_background(broken, actor="ada", wait=0)
    again = tasks.plan_in_background(broken, actor="ada", wait=0)
    other = tasks.plan_in_background(broken, [Request(resolution=Resolution.KEEP)], actor="ada", wait=0)
    assert isinstance(first, models.Job)
    assert isinstance(other, models.Job)
    assert again == first != other
    tasks.carry_out(first.pk)
    first.refresh_from_db()
    assert (first.state, first.result["plan"]) == ("finished", models.StoredPlan.objects.get().hash)


def test_a_plan_that_is_refused_is_refused_to_whoever_asked(broken: str) -> None:
    with pytest.raises(PlanRefused, match="no system row"):
        tasks.plan_in_background(broken, [Request(resolution=Resolution.REASSIGN)], wait=20)
    assert not models.Job.objects.exists()


def test_whoever_waits_for_a_job_waits_for_that_of_another_process_too(target: str, settings: Any) -> None:
    settings.INTEGRITY = {"CARRIER": "worker"}
    job = tasks.start_job(target, "audit")
    assert not tasks.wait_for_job(job.pk, 0)
    begun = store.begin_job(job.pk)
    assert begun is not None

    def end() -> None:
        store.end_job(begun, models.RunState.FINISHED)
        connections.close_all()

    later = threading.Timer(0.2, end)
    later.start()
    assert tasks.wait_for_job(job.pk, PATIENCE)
    later.join()


def test_an_audit_is_cancelled_between_two_checks(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrity.tasks.background.work.Work.stop", lambda work: "cancelled")
    job = tasks.start_job(broken, "audit")
    assert tasks.wait_for_jobs(PATIENCE)
    job.refresh_from_db()
    assert (job.state, job.error) == ("cancelled", "")
    assert models.AuditRun.objects.get().state == "cancelled"


def test_a_process_that_has_to_end_leaves_its_job_to_the_next(broken: str) -> None:
    job = JobFactory.create(target=TargetFactory(alias=broken), carrier="worker")
    assert tasks.carry_out(job.pk, worker="ann", leaving=lambda: True)
    job.refresh_from_db()
    assert (job.state, job.finished_at, job.worker) == ("planned", None, "ann")
    assert tasks.carry_out(job.pk, worker="ben")
    job.refresh_from_db()
    assert (job.state, job.worker, job.attempts) == ("finished", "ben", 2)
    said = list(job.notes.values_list("text", flat=True))
    assert said[0] == "Begun by ann."
    assert "Taken up again by ben." in said


def test_a_job_is_heard_of_while_one_statement_takes_long(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrity.tasks.background.pulse.SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setattr("integrity.tasks.background.pulse.SECONDS_BETWEEN_BEATS", 0.05)
    job = JobFactory.create(target=TargetFactory(alias=broken), kind="backup")

    def long_statement(*args: Any, **kwargs: Any) -> Any:
        models.Job.objects.filter(pk=job.pk).update(signs_of_life_at=timezone.now() - timedelta(hours=1))
        until(lambda: not models.Job.objects.get(pk=job.pk).is_silent)
        return BackupFactory.create(target=job.target)

    monkeypatch.setattr("integrity.tasks.background.kinds.backup_and_store", long_statement)
    tasks.carry_out(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("finished", "")


def test_a_job_that_somebody_takes_away_stops_nothing(
    broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    job = JobFactory.create(target=TargetFactory(alias=broken))

    def taken_away(*args: Any, **kwargs: Any) -> Any:
        models.Job.objects.all().delete()
        raise PlanRefused("It is gone")

    monkeypatch.setattr("integrity.tasks.background.kinds.audit_and_store", taken_away)
    assert tasks.carry_out(job.pk)
    assert not models.Job.objects.exists()


def test_a_log_ends_somewhere(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrity.tasks.background.work.MOST_LINES", 2)
    job = tasks.start_job(broken, "verify")
    assert tasks.wait_for_jobs(PATIENCE)
    said = list(job.notes.values_list("text", flat=True))
    assert "More of this is not written down." in said
    assert said[-1] == "Finished."


def test_migrations_are_stopped_between_two_and_gone_on_with(broken: str, settings: Any) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "CARRIER": "worker"}
    assert run("audit", broken).code == 1
    assert run("makemigrations", broken, "--no-input").code == 0
    job = tasks.start_job(broken, "migrate", {"phase": 2})
    assert tasks.carry_out(job.pk, leaving=lambda: True)
    job.refresh_from_db()
    assert (job.state, models.MigrationRun.objects.count()) == ("planned", 0)
    assert tasks.carry_out(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("finished", "")
    assert models.MigrationRun.objects.filter(state="finished").count() == job.total
    said = " ".join(job.notes.values_list("text", flat=True))
    assert "checks passed" in said
    assert "was applied in" in said


def test_a_wish_that_comes_as_a_worker_leaves_is_heeded_by_the_next(broken: str) -> None:
    job = JobFactory.create(target=TargetFactory(alias=broken), carrier="worker")
    begun = store.begin_job(job.pk)
    assert begun is not None
    assert store.ask_job(job.pk, models.Wish.CANCEL)
    assert store.end_job(begun, models.RunState.PLANNED)
    assert tasks.carry_out(job.pk)
    job.refresh_from_db()
    assert (job.state, job.wish) == ("cancelled", "")


def test_the_end_of_a_job_is_noted_once_the_sites_database_is_back(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrity.tasks.background.carrying.SECONDS_BETWEEN_TRIES", (0.01, 0.01))
    note, away = store.end_job, [1, 2]

    def end_job(*args: Any, **kwargs: Any) -> bool:
        if away:
            away.pop()
            raise ReferentialIntegrityError("The site's own database cannot be used")
        return note(*args, **kwargs)

    monkeypatch.setattr(store, "end_job", end_job)
    job = JobFactory.create(target=TargetFactory(alias=broken))
    assert tasks.carry_out(job.pk)
    job.refresh_from_db()
    assert job.state == "finished"


def test_a_worker_outlives_a_database_that_is_away_as_a_job_ends(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    JobFactory.create(target=TargetFactory(alias=broken), carrier="worker")

    def away(pk: int) -> None:
        raise ReferentialIntegrityError("The site's own database cannot be used")

    monkeypatch.setattr(store, "load_job", away)
    assert Workshop(interval=0.01).run(once=True) == []
    assert models.Job.objects.get().state == "finished"
