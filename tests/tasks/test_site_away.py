"""The site's database fails, or a worker is killed, when the target's rows are changed already."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrity import models, store, tasks
from integrity.database.session import Target
from integrity.exceptions import NotRecorded, ReferentialIntegrityError
from integrity.plans import Request
from integrity.references import load_catalog
from integrity.repairs import list_runs, roll_back, run_repair
from tests.commands import run, run_json
from tests.factories import JobFactory
from tests.tasks.test_background import broken as broken
from tests.tasks.test_background import target as target

pytestmark = pytest.mark.django_db(transaction=True)
FULL = "The site's own database cannot be used: database or disk is full"


@pytest.fixture
def site_full(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let nothing be noted of runs; return how to make room again."""

    def full(*_: object) -> int:
        raise ReferentialIntegrityError(FULL, where="default", hint="Make room for it.")

    noting = store.mirror_runs
    monkeypatch.setattr(store, "mirror_runs", full)
    return lambda: monkeypatch.setattr(store, "mirror_runs", noting)


def states() -> list[tuple[int, str]]:
    return [(each.number, each.state) for each in models.RepairRun.objects.order_by("number")]


def test_what_was_done_is_shown_and_noted_when_the_site_has_room_again(
    broken: str, site_full: Callable[[], None]
) -> None:
    ran = run("cleanup", broken, "--action", "suggested", "--no-input")
    assert ran.code == 2
    assert "Take it back with: manage.py integrity_rollback shop 1" in ran.out
    assert FULL in ran.err
    assert "Run 1 of shop is finished all the same" in ran.err
    assert states() == []

    back = run("rollback", broken, 1, "--no-input", "--format", "json")
    assert back.code == 2
    assert back.json["proof"]["rows_equal"] is True
    site_full()
    run_json("log", broken)
    assert states() == [(1, "rolled_back"), (2, "finished")]


def test_a_program_is_told_with_the_result(broken: str, site_full: Callable[[], None]) -> None:
    plan = tasks.plan_and_store(broken, [Request(suggested=True)])
    with pytest.raises(NotRecorded, match="integrity_log shop shows it, and records it here") as told:
        tasks.repair_and_store(broken, plan)
    assert (told.value.result.run, told.value.result.state) == (1, "finished")


@pytest.mark.parametrize("kind", ["repair", "rollback"])
def test_a_job_that_was_killed_between_target_and_site_finds_its_run_again(broken: str, kind: str) -> None:
    catalog = load_catalog(broken)
    plan = tasks.plan_and_store(broken, [Request(suggested=True)])
    arguments: dict[str, Any] = {"plan": plan.hash}
    if kind == "rollback":
        run_repair(Target(broken), plan, catalog=catalog)
        arguments = {"run": 1}
    site = models.Target.objects.get(alias=broken)
    job = JobFactory.create(target=site, kind=kind, arguments=arguments, carrier="worker")
    assert store.begin_job(job.pk, worker="killed") is not None
    if kind == "repair":
        run_repair(Target(broken), plan, catalog=catalog)
    else:
        roll_back(Target(broken), 1, catalog=catalog)
    done = [(each.number, str(each.state)) for each in reversed(list_runs(Target(broken)))]
    assert states() == []

    models.Job.objects.filter(pk=job.pk).update(signs_of_life_at=timezone.now() - timedelta(hours=1))
    tasks.see_lost_jobs()
    assert store.resume_job(job.pk)
    assert tasks.carry_out(job.pk)

    job.refresh_from_db()
    assert (job.state, job.error, job.result["run"]) == ("finished", "", done[-1][0])
    assert states() == done
