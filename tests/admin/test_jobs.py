"""The page of a job: how far it is, who has it, what came of it, and who may do what with it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import DjangoAssertNumQueries

from integrity import models, store, tasks
from integrity.plans import Request
from integrity.references.reference import Resolution
from tests.admin.conftest import Shop, SignIn
from tests.factories import JobFactory, TargetFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def address(job: models.Job, what: str = "change") -> str:
    return reverse(f"admin:integrity_job_{what}", args=[job.pk])


def text_of(client: Client, job: models.Job, what: str = "change") -> str:
    return client.get(address(job, what)).content.decode()


def running(**facts: Any) -> models.Job:
    now = timezone.now()
    known = {"state": "running", "signs_of_life_at": now, "resumed_at": now, "started_at": now, "attempts": 1}
    return JobFactory.create(**{**known, **facts})


def repaired(shop: Shop, client: Client) -> models.Job:
    plan = tasks.plan_and_store(shop.alias, [Request(resolution=Resolution.DELETE)])
    job = tasks.start_job(shop.alias, "repair", {"plan": plan.hash}, actor="boss")
    assert tasks.wait_for_jobs(30)
    return models.Job.objects.get(pk=job.pk)


def test_a_job_says_how_far_it_is_how_fast_and_who_has_it(everything: Client) -> None:
    begun = timezone.now() - timedelta(seconds=10_000)
    job = running(kind="repair", carrier="worker", worker="ann", done=501_000, done_before=1_000, total=1_001_000,
                  unit="rows", at="orders.customer_id", resumed_at=begun)  # fmt: skip
    for what in ("change", "state"):
        text = text_of(everything, job, what)
        assert "The worker ann carries it out." in text
        assert "501,000 of 1,001,000 rows" in text
        assert "50 rows a second, about 3 hours left" in text
        assert "orders.customer_id" in text


@pytest.mark.parametrize(
    "facts",
    [{"done": 0, "total": 50}, {"done": 5, "done_before": 5, "total": 50}, {"done": 5, "total": None}],
)
def test_what_is_not_known_of_its_speed_is_not_said(everything: Client, facts: dict[str, Any]) -> None:
    job = running(kind="repair", unit="rows", resumed_at=timezone.now() - timedelta(hours=1), **facts)
    text = text_of(everything, job)
    assert "a second" not in text
    assert "left" not in text.partition('data-live-part="now"')[2].partition("</section>")[0]


def test_a_job_of_which_nothing_is_heard_is_seen_as_interrupted(everything: Client) -> None:
    job = running(signs_of_life_at=timezone.now() - timedelta(minutes=5))
    text = text_of(everything, job)
    assert "Nothing was heard of it" in text
    assert "Start again" in text
    job.refresh_from_db()
    assert job.state == "interrupted"


def test_a_job_that_is_heard_of_again_was_not_interrupted(everything: Client) -> None:
    job = running(signs_of_life_at=timezone.now() - timedelta(minutes=5))
    text_of(everything, job)
    assert store.job_alive(job, done=1)
    job.refresh_from_db()
    assert (job.state, job.finished_at) == ("running", None)


def test_who_lost_a_job_to_somebody_else_cannot_end_it() -> None:
    job = running(signs_of_life_at=timezone.now() - timedelta(minutes=5))
    store.interrupt_silent()
    assert store.resume_job(job.pk)
    assert store.begin_job(job.pk)
    assert not store.job_alive(job, done=9)
    assert not store.end_job(job, models.RunState.FINISHED)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.done) == ("running", 2, 0)


def test_a_page_renews_itself_by_its_script_or_without_one_until_its_job_is_over(everything: Client) -> None:
    job = running()
    text = text_of(everything, job)
    assert "integrity/live.js" in text
    assert '<noscript><meta http-equiv="refresh"' in text
    assert 'data-live-over="no"' in text_of(everything, job, "state")
    models.Job.objects.update(state="finished")
    text = text_of(everything, job)
    assert "live.js" not in text
    assert "http-equiv" not in text
    assert 'data-live-over="yes"' in text_of(everything, job, "state")


@pytest.mark.parametrize(
    ("carrier", "said"),
    [
        ("thread", "free thread"),
        ("worker", "start manage.py integrity_work"),
        ("tasks", "Is a worker of that"),
    ],
)
def test_a_job_that_waits_says_for_whom(everything: Client, carrier: str, said: str) -> None:
    at = timezone.now() if carrier == "thread" else timezone.now() - timedelta(minutes=5)
    job = JobFactory.create(carrier=carrier, signs_of_life_at=at)
    assert said in text_of(everything, job)


def test_whoever_asked_for_a_job_may_stop_it_and_others_may_not(sign_in: SignIn) -> None:
    job = running(kind="repair", actor="somebody else")
    for what in ("stop", "pause"):
        assert sign_in().post(address(job, what)).status_code == 403
    assert sign_in("run_repair").post(address(job, "stop")).status_code == 302
    job.refresh_from_db()
    assert job.wish == models.Wish.CANCEL
    assert LogEntry.objects.get().get_change_message() == "Asked to stop"
    mine = sign_in()
    own = running(kind="repair", actor=User.objects.latest("pk").username)
    assert mine.post(address(own, "pause")).status_code == 302
    own.refresh_from_db()
    assert own.wish == models.Wish.PAUSE


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"kind": "audit", "state": "failed"}, "Try again"),
        ({"kind": "audit", "state": "cancelled"}, "Start again"),
        ({"kind": "verify", "state": "interrupted"}, "Start again"),
        ({"kind": "plan", "state": "failed"}, ""),
        ({"kind": "repair", "state": "failed"}, "Try again"),
        ({"kind": "repair", "state": "failed", "result": {"run": 1}}, "Go on"),
        ({"kind": "rollback", "state": "paused", "arguments": {"run": 1}}, "Go on"),
        ({"kind": "repair", "state": "cancelled"}, ""),
        ({"kind": "migrate", "state": "interrupted"}, "Go on"),
        ({"kind": "migrate", "state": "failed"}, ""),
    ],
)
def test_the_button_says_what_taking_a_job_up_will_do(
    everything: Client, facts: dict[str, Any], said: str
) -> None:
    job = JobFactory.create(**facts)
    buttons = re.findall(
        r"<button[^>]*>([^<]*)</button>", text_of(everything, job).partition("content-main")[2]
    )
    shown = re.findall(r"<button(?![^>]* hidden)[^>]*>([^<]*)</button>", text_of(everything, job))
    assert [text for text in shown if text in buttons] == ([said] if said else [])


def test_an_audit_that_somebody_stopped_is_begun_anew(audited: Shop, everything: Client) -> None:
    job = tasks.start_job(audited.alias, "audit", actor="boss")
    assert tasks.wait_for_jobs(30)
    models.Job.objects.filter(pk=job.pk).update(state="cancelled", result={})
    assert everything.post(address(job, "resume")).status_code == 302
    assert tasks.wait_for_jobs(30)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("finished", 2)
    assert models.AuditRun.objects.count() == 3
    assert LogEntry.objects.get().get_change_message() == "Asked to begin again"


def test_buttons_are_for_those_who_may(sign_in: SignIn) -> None:
    job = running(kind="repair", actor="somebody else")
    assert "<button" not in text_of(sign_in(), job).partition("content-main")[2]
    text = text_of(sign_in("run_repair"), job)
    assert 'id="run-pause"' in text
    assert 'data-live-can="' in text_of(sign_in("run_repair"), job, "state")


def test_nothing_is_done_by_looking_and_only_what_can_be_paused_is(everything: Client) -> None:
    job = running(kind="audit")
    for what in ("stop", "pause", "resume"):
        assert everything.get(address(job, what)).status_code == 405
    assert everything.post(address(job, "pause")).status_code == 403
    assert everything.post(address(job, "resume")).status_code == 302
    job.refresh_from_db()
    assert (job.wish, job.state, job.attempts) == ("", "running", 1)


def test_going_on_takes_what_asking_took(audited: Shop, everything: Client, sign_in: SignIn) -> None:
    job = repaired(audited, everything)
    models.Job.objects.filter(pk=job.pk).update(state="paused")
    assert sign_in("run_repair").post(address(job, "resume")).status_code == 403, "not to delete"
    assert sign_in("run_repair", "cleanup_finding").post(address(job, "resume")).status_code == 302
    assert tasks.wait_for_jobs(30)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("finished", 2)
    assert models.RepairRun.objects.count() == 1, "its run was over: nothing was begun anew"


def test_going_on_with_a_run_takes_the_permissions_of_its_plan_too(
    audited: Shop, everything: Client, sign_in: SignIn
) -> None:
    target = repaired(audited, everything).target
    again = JobFactory.create(target=target, kind="repair", state="interrupted", arguments={"resume": 1})
    how = {"run": 1, "how": "with_migrations"}
    back = JobFactory.create(target=target, kind="rollback", state="interrupted", arguments=how)
    client = sign_in("run_repair", "roll_back_repair")
    assert [client.post(address(each, "resume")).status_code for each in (again, back)] == [403, 403]
    client = sign_in("run_repair", "cleanup_finding")
    assert client.post(address(again, "resume")).status_code == 302


def test_a_job_that_is_over_leads_on(audited: Shop, everything: Client) -> None:
    job = repaired(audited, everything)
    text = text_of(everything, job)
    assert "6 rows were changed." in text
    assert reverse("admin:integrity_repairrun_change", args=[models.RepairRun.objects.get().pk]) in text
    assert "Run 1 in the target" in text
    audit = tasks.start_job(audited.alias, "verify", actor="boss")
    assert tasks.wait_for_jobs(30)
    assert "Not everything holds" in text_of(everything, audit)


def test_a_page_of_a_job_takes_few_queries_however_long_its_log(
    everything: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    job = running(kind="repair", target=TargetFactory(), result={"run": 1})
    store.note_job(job.pk, [(timezone.now(), f"line {n}") for n in range(1_000)])
    with django_assert_max_num_queries(12):
        text = text_of(everything, job)
    assert "line 999" in text
    assert "line 799" not in text
    assert "The first lines are left out." in text


def test_the_list_says_who_carries_jobs_out(everything: Client, settings: Any) -> None:
    url = reverse("admin:integrity_job_changelist")
    lost = running(signs_of_life_at=timezone.now() - timedelta(minutes=5))
    assert "threads of this server" in everything.get(url).content.decode()
    lost.refresh_from_db()
    assert lost.state == "interrupted", "whoever looks sees it"
    settings.INTEGRITY = {"CARRIER": "worker"}
    assert "there is none" in everything.get(url).content.decode()
    store.worker_heard("ann")
    assert "by one worker" in everything.get(url).content.decode()


def test_whoever_may_sees_which_workers_there_are_and_what_they_are_at(
    sign_in: SignIn, settings: Any
) -> None:
    store.worker_heard("ann")
    store.worker_heard("ben")
    models.Worker.objects.filter(name="ben").update(heard_at=timezone.now() - timedelta(minutes=2))
    own = running(kind="repair", carrier="worker", worker="ann", target=TargetFactory(alias="shop"))
    running(kind="audit", carrier="thread", worker="web1:7", target=TargetFactory(alias="books"))
    url = reverse("admin:integrity_job_changelist")
    page = sign_in().get(url).content.decode()
    section = page.partition('id="workers"')[2].partition("</section>")[0]
    ann, ben, web = (re.sub(r"<[^>]+>|\s+", " ", row) for row in section.split("<tr>")[2:])
    assert "ann integrity_work" in " ".join(ann.split())
    assert "at work" in ann
    assert "Repair of shop" in ann
    assert address(own) in section
    assert "silent" in ben
    assert "web1:7" in web
    assert "Audit of books" in web


def test_whoever_may_not_see_workers_sees_no_name_of_a_host(client: Client) -> None:
    store.worker_heard("web1:7")
    viewer = UserFactory.create()
    viewer.user_permissions.remove(*viewer.user_permissions.filter(codename="view_worker"))
    client.force_login(viewer)
    page = client.get(reverse("admin:integrity_job_changelist")).content.decode()
    assert "by one worker" in page
    assert "web1" not in page


def test_a_rollback_is_left_to_the_next_process_and_gone_on_with(
    audited: Shop, everything: Client, settings: Any
) -> None:
    before = audited.rows("SELECT * FROM orders ORDER BY id")
    run = repaired(audited, everything).result["run"]
    settings.INTEGRITY = {**settings.INTEGRITY, "CARRIER": "worker"}
    job = tasks.start_job(audited.alias, "rollback", {"run": run}, actor="boss")
    tasks.carry_out(job.pk, leaving=lambda: True)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("planned", 1)
    tasks.carry_out(job.pk)
    assert audited.rows("SELECT * FROM orders ORDER BY id") == before
    assert "6 rows were brought back. Each is exactly what it was." in text_of(everything, job)

    models.Job.objects.filter(pk=job.pk).update(state="interrupted", result={})
    runs = models.RepairRun.objects.count()
    tasks.resume_job(job.pk)
    tasks.carry_out(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("finished", ""), "it was over before its process could say so"
    assert models.RepairRun.objects.count() == runs


def test_a_page_goes_on_by_itself_without_being_loaded_again(page: Page, transactional_db: None) -> None:
    User.objects.create_superuser("boss", password="boss")
    page.goto("/admin/login/")
    page.fill("[name=username]", "boss")
    page.fill("[name=password]", "boss")
    page.click("[type=submit]")
    job = running(kind="repair", unit="rows", done=10, total=100, actor="boss")
    page.goto(address(job))
    page.evaluate("window.loaded = 'once'")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("button", name="Stop").focus()
    store.job_alive(job, done=60)
    store.note_job(job.pk, [(timezone.now(), "Half of it.")])
    expect(page.get_by_text("60 of 100 rows")).to_be_visible()
    expect(page.get_by_text("Half of it.")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    expect(page.locator("[data-live-said]")).to_have_text("running, 50 %")
    store.end_job(job, models.RunState.PAUSED)
    expect(page.locator(".integrity-run-now header")).to_contain_text("paused")
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    assert page.evaluate("window.loaded") == "once"
