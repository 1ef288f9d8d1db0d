"""`integrity_work`: a process of its own that carries out jobs, ends cleanly, and is missed when it is killed."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from integrity import models, store, tasks
from integrity.audit import Progress
from integrity.plans import Request
from integrity.references.reference import Resolution
from integrity.tasks.background.work import Work
from tests.commands import environment, manage, run, run_json, start
from tests.forking import Process
from tests.servers import EmptyTarget

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

ORDERS = 2_400
"""In batches of 50 rows: enough of them to be met in the middle."""

SHOP = f"""
CREATE TABLE customers (id integer PRIMARY KEY);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, note text);
INSERT INTO customers VALUES (1);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ORDERS})
INSERT INTO orders SELECT i, 1 + i % 8, 'note ' || i FROM n;
"""
CATALOG = """
[[reference]]
from = "orders.customer_id"
to = "customers.id"
on_delete = "CASCADE"
"""
KEPT = ORDERS // 8

END_IN_THE_MIDDLE = """
import threading, time
from integrity import tasks
from integrity.tasks.background.work import Work

def slowly(work, progress, rows=Work.rows):
    rows(work, progress)
    if progress.done:
        moved.set()
        time.sleep(0.05)

moved = threading.Event()
Work.rows = slowly
tasks.start_job("{alias}", "repair", {{"plan": "{plan}"}})
assert moved.wait(60)
"""

StartWorker = Callable[..., Process]


@pytest.fixture
def shop(empty_target: EmptyTarget, settings: Any, tmp_path: Any) -> EmptyTarget:
    """A target with 2,100 orphans, whose jobs are left to workers."""
    root = tmp_path / "catalogs"
    (root / "target").mkdir(parents=True)
    (root / "target" / "catalog.toml").write_text(CATALOG)
    settings.INTEGRITY = {"CARRIER": "worker", "CATALOG_ROOT": str(root)}
    empty_target.execute_script(SHOP)
    return empty_target


@pytest.fixture
def work(shop: EmptyTarget, settings: Any) -> Iterator[StartWorker]:
    """Return a function that starts a worker as a process of its own, with the smallest batches."""
    started: list[Process] = []

    def begin(*arguments: str) -> Process:
        own = json.dumps(settings.INTEGRITY | {"BATCH_ROWS": 50, "BATCH_SECONDS": 0.001})
        env = environment(
            connections["default"].settings_dict["NAME"],
            {shop.alias: shop.url},
            DJANGO_SETTINGS_MODULE="tests.tasks.worker_settings",
            INTEGRITY_SETTINGS=own,
        )
        started.append(start(env, "integrity_work", "--interval", "0.1", *arguments))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ask_for_repair(shop: EmptyTarget) -> models.Job:
    plan = tasks.plan_and_store(shop.alias, [Request(resolution=Resolution.DELETE)])
    return tasks.start_job(shop.alias, "repair", {"plan": plan.hash}, actor="ada")


def wait_until(reached: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "that does not come"
        time.sleep(0.02)


def orders(shop: EmptyTarget) -> int:
    return int(shop.rows("SELECT count(*) FROM orders")[0][0])


def fall_silent(job: models.Job) -> None:
    models.Job.objects.filter(pk=job.pk).update(signs_of_life_at=timezone.now() - timedelta(minutes=1))


def test_a_repair_whose_worker_was_killed_goes_on_where_it_stopped(
    shop: EmptyTarget, work: StartWorker
) -> None:
    before = shop.rows("SELECT * FROM orders ORDER BY id")
    job = ask_for_repair(shop)
    process = work()
    wait_until(lambda: orders(shop) < ORDERS)
    process.kill()
    process.wait()
    left = orders(shop)
    assert KEPT < left < ORDERS

    fall_silent(job)
    if shop.vendor == "sqlite":  # where nobody could write down which run it was
        models.Job.objects.filter(pk=job.pk).update(result={})
    assert store.interrupt_silent() == [job.pk]
    job.refresh_from_db()
    assert (job.state, job.worker != "") == ("interrupted", True)

    assert tasks.resume_job(job.pk)
    ended = run_json("work", "--once")["jobs"]
    assert [(each["job"], each["state"]) for each in ended] == [(job.pk, "finished")]
    job.refresh_from_db()
    assert job.attempts == 2
    assert (job.done, job.total) == (ORDERS - KEPT, ORDERS - KEPT)
    assert ORDERS - left <= job.done_before < ORDERS, "what was done before does not count for its speed"
    assert orders(shop) == KEPT
    assert models.RepairRun.objects.get(kind="cleanup").number == job.result["run"]

    result = tasks.roll_back_and_store(shop.alias, job.result["run"])
    assert result.proof.rows_equal
    assert shop.rows("SELECT * FROM orders ORDER BY id") == before


@pytest.mark.engine("sqlite")
def test_a_worker_that_is_told_to_end_leaves_its_repair_to_the_next(
    shop: EmptyTarget, work: StartWorker
) -> None:
    job = ask_for_repair(shop)
    process = work("--name", "ann")
    wait_until(lambda: orders(shop) < ORDERS)
    assert models.Worker.objects.get().name == "ann"
    process.terminate()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    job.refresh_from_db()
    assert (job.state, job.carrier, job.worker) == ("planned", "worker", "ann")
    assert not models.Worker.objects.exists()
    assert KEPT < orders(shop) < ORDERS
    assert run("work", "--once").code == 0
    job.refresh_from_db()
    assert job.state == "finished"
    assert orders(shop) == KEPT


@pytest.mark.engine("postgresql")
def test_a_repair_is_paused_and_gone_on_with(
    shop: EmptyTarget, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "BATCH_ROWS": 50, "BATCH_SECONDS": 0.001}
    job = ask_for_repair(shop)
    moved = Work.rows

    def paused_in_the_middle(work: Work, progress: Progress) -> None:
        """Somebody asks for it while the first batches are under way."""
        moved(work, progress)
        if work.job.attempts == 1 and not work.pulse.wish and orders(shop) < ORDERS:
            assert store.ask_job(job.pk, models.Wish.PAUSE)
            wait_until(lambda: work.pulse.wish)

    monkeypatch.setattr(Work, "rows", paused_in_the_middle)
    run("work", "--once")
    job.refresh_from_db()
    assert job.state == "paused"
    assert KEPT < orders(shop) < ORDERS
    assert tasks.resume_job(job.pk)
    run("work", "--once")
    job.refresh_from_db()
    assert (job.state, job.wish) == ("finished", "")
    assert orders(shop) == KEPT
    said = list(models.JobNote.objects.values_list("text", flat=True))
    assert any("Paused" in line for line in said)
    assert any("main.orders" in line or "public.orders" in line for line in said)


@pytest.mark.engine("sqlite")
def test_a_job_that_fails_ends_the_command_with_a_word(shop: EmptyTarget) -> None:
    tasks.start_job(shop.alias, "rollback", {"run": 99})
    ran = run("work", "--once", "--format", "json")
    assert ran.code == 2
    (job,) = ran.json["jobs"]
    assert (job["state"], job["result"]["problem"]) == ("failed", "UnknownRun")
    assert "There is no run 99" in job["error"]


@pytest.mark.engine("sqlite")
def test_a_server_that_ends_does_not_wait_for_its_threads_but_stops_their_jobs(
    shop: EmptyTarget, settings: Any
) -> None:
    own = {**settings.INTEGRITY, "CARRIER": "thread", "BATCH_ROWS": 50, "BATCH_SECONDS": 0.001}
    env = environment(
        connections["default"].settings_dict["NAME"],
        {shop.alias: shop.url},
        DJANGO_SETTINGS_MODULE="tests.tasks.worker_settings",
        INTEGRITY_SETTINGS=json.dumps(own),
    )
    plan = tasks.plan_and_store(shop.alias, [Request(resolution=Resolution.DELETE)])
    ran = manage(env, "shell", "-v", "0", "-c", END_IN_THE_MIDDLE.format(alias=shop.alias, plan=plan.hash))
    assert ran.code == 0, ran.err
    job = models.Job.objects.get()
    assert (job.state, job.error) == ("interrupted", "")
    assert KEPT < orders(shop) < ORDERS
    assert tasks.resume_job(job.pk)
    assert tasks.carry_out(job.pk)
    job.refresh_from_db()
    assert (job.state, orders(shop)) == ("finished", KEPT)


@pytest.mark.parametrize("threads", ["0", "-1", "many"])
def test_a_worker_needs_at_least_one_thread(threads: str) -> None:
    with pytest.raises(CommandError, match=r"1 or more"):
        call_command("integrity_work", f"--threads={threads}")
