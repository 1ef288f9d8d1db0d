"""Migrations asked for over HTTP: who may, what is answered, and that the command's function does it."""

import hashlib
import json
import threading
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connections
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory

from integrity import models, tasks
from integrity.database.session import Target
from integrity.operations import AddForeignKey, AddIndex
from integrity.operations.lock import migrating_alone
from tests.factories import TargetFactory, UserFactory
from tests.operations.conftest import KEY, ORPHANS, Shop
from tests.views.conftest import MIGRATE, READ

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]
URL = "/integrity/migrate/"
INDEX = AddIndex(table="orders", columns=("customer_id",), name="orders_customer")


@pytest.fixture
def migrations(shop: Shop) -> Shop:
    """A shop with an index and a foreign key to be made."""
    shop.migration("0001_indexes", INDEX)
    shop.migration("0002_foreign_keys", AddForeignKey(**KEY), phase=2)
    return shop


def post(site: Client, token: str = MIGRATE, **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return site.post(URL, json.dumps({"target": "target"} | body), "application/json", headers=headers)


# -- who may -------------------------------------------------------------------------------


@pytest.mark.engine("sqlite")
def test_a_token_migrates_and_another_does_not(migrations: Shop, site: Client) -> None:
    for token in ("wrong", READ, ""):
        assert post(site, token).status_code == 401
    assert site.post(URL, "{}", "application/json", headers={"Authorization": "Bearer "}).status_code == 401
    assert migrations.table("orders").index("orders_customer") is None
    assert post(site, phase=1).status_code == 200


@pytest.mark.engine("sqlite")
def test_a_token_may_stand_in_the_settings_as_its_digest(
    migrations: Shop, site: Client, settings: Any
) -> None:
    digest = "sha256:" + hashlib.sha256(b"a secret").hexdigest()
    settings.INTEGRITY |= {"MIGRATE_TOKENS": {"pipeline": digest, "nobody": ""}}
    assert post(site, digest).status_code == 401
    assert post(site, "a secret", dry_run=True).status_code == 200


@pytest.mark.engine("sqlite")
def test_without_tokens_in_the_settings_none_fits(
    migrations: Shop, site: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settings.INTEGRITY["MIGRATE_TOKENS"]
    assert post(site).status_code == 401
    monkeypatch.setenv("INTEGRITY_MIGRATE_TOKEN", MIGRATE)
    assert post(site, dry_run=True).status_code == 200


@pytest.mark.engine("sqlite")
def test_a_session_needs_the_permission_and_a_csrf_token(migrations: Shop, site: Client) -> None:
    site.force_login(UserFactory())
    assert post(site, "").status_code == 403
    user = UserFactory(may=["apply_migrations"])
    site.force_login(user)
    answer = post(site, "")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["error"]["what"]
    request = RequestFactory().get("/")
    token = get_token(request)
    site.cookies["csrftoken"] = request.META["CSRF_COOKIE"]
    answer = site.post(
        URL,
        '{"target": "target", "phase": 1, "wait": 20}',
        "application/json",
        headers={"X-CSRFToken": token},
    )
    assert answer.status_code == 200, answer.content
    assert answer.json()["actor"] == user.get_username()
    assert "+0001_indexes" in LogEntry.objects.get().change_message


@pytest.mark.engine("sqlite")
def test_only_posts_migrate(migrations: Shop, site: Client) -> None:
    answer = site.get(URL, headers={"Authorization": f"Bearer {MIGRATE}"})
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"


# -- what is done --------------------------------------------------------------------------


def test_migrations_are_applied_and_each_is_in_the_log(migrations: Shop, site: Client) -> None:
    answer = post(site, wait=30)
    found = answer.json()
    assert (answer.status_code, found["state"], found["actor"]) == (200, "finished", "token pipeline")
    assert [(each["migration"], each["result"], each["direction"]) for each in found["log"]] == [
        ("0001_indexes", "applied", "forward"),
        ("0002_foreign_keys", "applied", "forward"),
    ]
    assert all(each["duration_s"] >= 0 and each["error"] == "" for each in found["log"])
    assert migrations.table("orders").index("orders_customer") is not None
    assert models.MigrationRun.objects.filter(actor="token pipeline").count() == 2

    again = post(site).json()
    assert (again["state"], again["log"]) == ("finished", [])
    back = post(site, name="zero", wait=30).json()
    assert [each["direction"] for each in back["log"]] == ["backward", "backward"]
    assert migrations.table("orders").index("orders_customer") is None


def test_a_dry_run_changes_nothing_and_shows_the_sql(migrations: Shop, site: Client) -> None:
    before = migrations.fingerprint()
    found = post(site, dry_run=True).json()
    assert (found["state"], found["dry_run"]) == ("planned", True)
    assert [each["result"] for each in found["log"]] == ["planned", "planned"]
    assert "orders_customer" in "\n".join(found["sql"])
    assert migrations.fingerprint() == before
    assert models.Job.objects.count() == 0


def test_what_fails_is_said_with_what_was_done_before(migrations: Shop, site: Client) -> None:
    migrations.execute("DROP TABLE customers")
    answer = post(site, wait=30)
    found = answer.json()
    assert (answer.status_code, found["state"]) == (422, "failed")
    assert [each["result"] for each in found["log"]] == ["applied", "failed"]
    assert "customers" in found["log"][-1]["error"]
    assert "customers" in found["error"]


@pytest.mark.engine("sqlite")
def test_what_takes_longer_goes_on_and_is_found_at_its_address(migrations: Shop, site: Client) -> None:
    migrations.execute(ORPHANS)
    answer = post(site, wait=0)
    assert answer.status_code in (200, 202)
    tasks.wait_for_jobs()
    found = site.get(answer.json()["url"], headers={"Authorization": f"Bearer {READ}"})
    assert found.json()["state"] == "finished"
    assert len(found.json()["log"]) == 2
    assert site.get(answer.json()["url"]).status_code == 401
    missing = site.get(f"{URL}9999/", headers={"Authorization": f"Bearer {READ}"})
    assert missing.status_code == 404


@pytest.mark.engine("sqlite")
def test_whoever_only_reads_is_told_no_values_of_rows(site: Client) -> None:
    error = "duplicate key\nDETAIL:  Key (mail)=(ada@example.org) already exists."
    target, log = TargetFactory(alias="target"), [{"migration": "0001", "error": error}]
    job = models.Job.objects.create(
        target=target, kind="migrate", state="failed", error=error, result={"log": log}
    )
    answer = site.get(f"{URL}{job.pk}/", headers={"Authorization": f"Bearer {READ}"})
    assert [answer.json()["error"], answer.json()["log"][0]["error"]] == ["duplicate key"] * 2


@pytest.mark.engine("sqlite")
def test_who_asks_while_a_job_migrates_is_told_which(migrations: Shop, site: Client) -> None:
    job = models.Job.objects.create(target=TargetFactory(alias="target"), kind="migrate", state="running")
    answer = post(site)
    assert answer.status_code == 409
    assert answer.json()["error"]["job"] == f"{URL}{job.pk}/"
    assert models.Job.objects.count() == 1


def test_two_who_ask_at_the_same_instant_migrate_once(migrations: Shop, site: Client) -> None:
    answers: list[Any] = []
    together = threading.Barrier(2)

    def ask() -> None:
        together.wait(10)
        try:
            answers.append(post(site, wait=30))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)

    assert {each.status_code for each in answers} <= {200, 409}
    done = [each.json() for each in answers if each.json().get("log")]
    assert [(each["done"], each["total"], len(each["log"])) for each in done] == [(2, 2, 2)]
    assert models.MigrationRun.objects.filter(state="finished").count() == 2
    assert not models.MigrationRun.objects.exclude(state="finished").exists()


def test_who_asks_while_the_command_migrates_is_refused(migrations: Shop, site: Client) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with migrating_alone(Target("target")):
            held.set()
            done.wait(60)

    other = threading.Thread(target=hold)
    other.start()
    try:
        held.wait(10)
        answer = post(site, wait=30)
    finally:
        done.set()
        other.join()
    assert answer.status_code == 409, answer.content
    assert migrations.table("orders").index("orders_customer") is None


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"target": "nowhere"}', "target must be one of"),
        ("{}", "target must be one of"),
        ("[]", "must be an object"),
        ("{", "not JSON"),
        pytest.param("[" * 9_000, "not JSON", id="deep"),
        pytest.param('{"target": "' + "x" * 3_000_000 + '"}', "too long", id="huge"),
        ('{"target": ["target"]}', "target must be a text"),
        ('{"target": "target", "phase": 4}', "phase must be"),
        ('{"target": "target", "phase": true}', "phase must be"),
        ('{"target": "target", "phase": [1]}', "phase must be"),
        ('{"target": "target", "dryrun": true}', "Did you mean dry_run"),
        ('{"target": "target", "wait": 1e9}', "wait must be"),
        ('{"target": "target", "wait": NaN}', "wait must be"),
        ('{"target": "target", "name": "0009_none"}', "0009_none"),
        ('{"target": "target", "name": ""}', "name must be"),
        ("\udcff".encode("utf-8", "surrogateescape"), "not JSON"),
        (b'{"target": "' + b"x" * 20_000 + b'"}', "too long"),
    ],
)
def test_a_body_that_is_not_understood_changes_nothing(
    migrations: Shop, site: Client, body: Any, said: str
) -> None:
    before = migrations.fingerprint()
    answer = site.post(URL, body, "application/json", headers={"Authorization": f"Bearer {MIGRATE}"})
    assert answer.status_code == 422, answer.content
    assert said in answer.json()["error"]["what"]
    assert migrations.fingerprint() == before


@pytest.mark.engine("sqlite")
def test_a_target_without_migrations_is_said(shop: Shop, site: Client) -> None:
    answer = post(site)
    assert answer.status_code == 422
    assert "integrity_makemigrations" in answer.json()["error"]["hint"]
