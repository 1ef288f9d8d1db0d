"""Pages on which people decide: what they ask, what they refuse, and that what is shown runs once."""

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from integrity import models, store, tasks
from integrity.admin.deciding.forms import TypedRowsForm
from integrity.plans import Request
from integrity.references import Resolution
from tests.admin.conftest import CATALOG, SHOP, Shop
from tests.factories import JobFactory, OrphanFindingFactory, UserFactory
from tests.servers import EmptyTarget

pytestmark = pytest.mark.django_db(transaction=True)

MORE = """
CREATE TABLE codes (code text PRIMARY KEY, secret text);
CREATE TABLE contacts (id integer PRIMARY KEY, code text, mail text);
INSERT INTO codes VALUES ('AB-1', 's'), ('AB-2', 's');
INSERT INTO contacts VALUES (1, 'ab-1', 'x'), (2, 'AB-2 ', 'x'), (3, 'zz', 'x'), (4, 'AB-1', 'x');
INSERT INTO customers VALUES (3, 'Ada');
"""
MORE_CATALOG = """
[[reference]]
from = "contacts.code"
to = "codes.code"

[[unique]]
table = "customers"
columns = ["name"]
name = "customers_name"

[restore.customers]
id = "{key}"
name = "Restored {key}"
"""
ANSWERS = {"answered": "yes", "where": "system", "how": "form", "action": "merge", "survivor": "oldest"}


@pytest.fixture
def fuller(shop: Shop, transactional_db: None) -> Shop:
    """The shop with keys that are spelled wrongly, and customers of one name."""
    catalog = shop.root / "shop" / "catalog.toml"
    catalog.write_text(catalog.read_text() + MORE_CATALOG)
    shop.execute(MORE)
    tasks.audit_and_store(shop.alias)
    return shop


def decide(client: Client, decision: str, *findings: models.Finding, **more: Any) -> Any:
    """Answer what the page of a decision asks."""
    data = {"_selected_action": [finding.pk for finding in findings], **ANSWERS, **more}
    return client.post(reverse("admin:integrity_orphanfinding_decide", args=[decision]), data, follow=True)


def page_of(plan: models.StoredPlan) -> str:
    return reverse("admin:integrity_orphanfinding_plan", args=[plan.target.alias, plan.hash])


def last_plan() -> models.StoredPlan:
    plan = models.StoredPlan.objects.select_related("target").first()
    assert plan is not None
    return plan


def run(client: Client, **data: Any) -> Any:
    """Post the last plan that was shown, and wait for what comes of it."""
    response = client.post(page_of(last_plan()), {"run": "yes", **data}, follow=True)
    assert tasks.wait_for_jobs(30)
    return response


def repairs() -> int:
    return models.Job.objects.filter(kind=models.JobKind.REPAIR).count()


def text_of(response: Any) -> str:
    return str(response.content.decode())


# -- each decision -------------------------------------------------------------------------


def test_relinking_shows_what_becomes_what_and_does_it(fuller: Shop, everything: Client) -> None:
    text = text_of(decide(everything, "relink", fuller.finding("contacts.code")))
    assert "2 rows of contacts will refer to the rows of codes that they mean." in text
    assert "<code>ab-1</code></td><td><code>AB-1</code>" in text
    run(everything)
    assert fuller.rows("SELECT code FROM contacts ORDER BY id") == [("AB-1",), ("AB-2",), ("zz",), ("AB-1",)]


def test_a_list_for_relinking_is_read_line_by_line(fuller: Shop, everything: Client) -> None:
    listed = "old,new\nab-1,AB-1\nnope,AB-2\nzz,AB-99\n"
    text = text_of(decide(everything, "relink", fuller.finding("contacts.code"), how="list", pairs=listed))
    assert "line 3: nope is not a missing key of contacts.code" in text
    assert "line 4: codes has no row AB-99" in text
    assert 'aria-invalid="true"' in text
    assert "autofocus" in text
    assert not models.StoredPlan.objects.exists()
    odd = "old,new\n" + "semicolons;here\n" * 5_000
    text = text_of(decide(everything, "relink", fuller.finding("contacts.code"), how="list", pairs=odd))
    assert "There are 4,950 more mistakes." in text
    assert text.count("1 values, where the header has 2") < 60


def test_a_list_for_relinking_can_be_a_file(fuller: Shop, everything: Client) -> None:
    file = BytesIO("\ufeffold,new\nzz,AB-2\n".encode())
    file.name = "pairs.csv"
    decide(everything, "relink", fuller.finding("contacts.code"), how="list", file=file)
    run(everything)
    assert fuller.rows("SELECT code FROM contacts WHERE id = 3") == [("AB-2",)]
    odd = BytesIO(b"old,new\n\xff,AB-2\n")
    odd.name = "odd.csv"
    text = text_of(decide(everything, "relink", fuller.finding("contacts.code"), how="list", file=odd))
    assert "Line 2 is not in UTF-8" in text


def test_restoring_parents_shows_what_is_made(fuller: Shop, everything: Client) -> None:
    text = text_of(decide(everything, "restore_parent", fuller.finding()))
    assert "2 rows of customers are made again, so that 3 rows of orders have what they refer to." in text
    assert "Restored {id}" in text
    run(everything)
    assert fuller.rows("SELECT name FROM customers WHERE id > 50 ORDER BY id") == [
        ("Restored 90",),
        ("Restored 91",),
    ]


def test_what_the_catalog_does_not_describe_is_not_chosen_beforehand(
    audited: Shop, everything: Client
) -> None:
    """No system row and no other spelling: somebody has to say which row, or give the list."""
    for decision, chosen in (("reassign", "row"), ("relink", "list")):
        url = reverse("admin:integrity_orphanfinding_decide", args=[decision])
        page = text_of(everything.get(url, {"_selected_action": audited.finding("lines.order_id").pk}))
        (checked,) = re.findall(r"<input type=.radio.[^>]*checked[^>]*>", page)
        assert f'value="{chosen}"' in checked


def test_a_row_that_is_not_there_is_said_beside_its_field(audited: Shop, everything: Client) -> None:
    text = text_of(decide(everything, "reassign", audited.finding(), where="row", to="77"))
    assert "customers has no row 77" in text
    assert "--to" not in text, "nobody here types options"
    assert "Say which row" in text_of(decide(everything, "reassign", audited.finding(), where="row", to=" "))


def test_duplicates_are_merged_after_it_was_shown_who_stays(fuller: Shop, everything: Client) -> None:
    finding = models.Finding.objects.get(code=models.DUPLICATE_ROWS)
    url = reverse("admin:integrity_finding_deduplicate")
    asked = text_of(everything.get(url, {"_selected_action": finding.pk}))
    assert "Which row stays as it is" in asked
    shown = text_of(everything.post(url, {"_selected_action": finding.pk, **ANSWERS}, follow=True))
    assert "1 row of customers is merged" in shown
    run(everything)
    assert fuller.rows("SELECT id FROM customers WHERE name = 'Ada'") == [(1,)]
    entry = LogEntry.objects.get()
    assert (entry.object_id, "Resolve duplicates" in entry.change_message) == (str(finding.pk), True)


def test_one_shared_value_is_decided_alone_and_stays_so(fuller: Shop, everything: Client) -> None:
    fuller.execute("INSERT INTO customers VALUES (4, 'Grace')")
    tasks.audit_and_store(fuller.alias)
    finding = models.Finding.objects.get(code=models.DUPLICATE_ROWS)
    url, about = reverse("admin:integrity_finding_deduplicate"), {"_selected_action": finding.pk}
    page = text_of(everything.get(reverse("admin:integrity_finding_change", args=[finding.pk])))
    assert "Decide for the value Ada" in page
    assert "key=%5B%22Ada%22%5D" in page
    asked = text_of(everything.get(url, about | {"key": '["Ada"]'}))
    assert "1 shared value" in asked
    everything.post(url, {**about, **ANSWERS, "key": '["Ada"]', "action": "rename"})
    everything.post(page_of(last_plan()), {"decide": "yes"})

    text = text_of(everything.post(url, {**about, **ANSWERS}, follow=True))
    assert "1 row of customers is merged" in text
    assert "go another way (rename)" in text
    run(everything)
    assert fuller.rows("SELECT id FROM customers ORDER BY id") == [(1,), (2,), (3,)]
    (left,) = [each for each in store.duplicate_decisions_for("shop") if each.action == "rename"]
    assert left.values == (("Ada",),)


def test_each_is_planned_as_suggested(audited: Shop, everything: Client) -> None:
    text = text_of(decide(everything, "suggested", audited.finding(), audited.finding("lines.order_id")))
    assert "4 rows are put right in 2 steps" in text
    models.Finding.objects.filter(label="lines.order_id").update(suggested="", evidence={})
    text = text_of(decide(everything, "suggested", audited.finding(), audited.finding("lines.order_id")))
    assert "1 finding was left out" in text


def test_what_stands_decided_is_one_plan(audited: Shop, everything: Client) -> None:
    url = reverse("admin:integrity_target_start", args=[audited.finding().target_id, "plan"])
    assert "Nothing" in text_of(everything.post(url, follow=True)), "nothing is decided yet"
    for label, decision in (("orders.customer_id", "set_null"), ("lines.order_id", "delete")):
        decide(everything, decision, audited.finding(label))
        everything.post(page_of(last_plan()), {"decide": "yes"})
    text = text_of(everything.post(url, follow=True))
    assert "4 rows are put right in 2 steps" in text


def test_a_decision_is_withdrawn_by_whoever_may_make_it_and_kept_in_the_history(
    audited: Shop, everything: Client
) -> None:
    finding = audited.finding()
    decide(everything, "keep", finding, reason="history")
    made = models.Resolution.objects.get()
    page = reverse("admin:integrity_orphanfinding_change", args=[finding.pk])
    url = reverse("admin:integrity_orphanfinding_withdraw", args=[made.pk])
    assert f'action="{url}"' in text_of(everything.get(page))
    deleter = person("deleter", "cleanup_finding")
    assert url not in text_of(deleter.get(page))
    assert deleter.post(url).status_code == 403
    assert everything.get(url).status_code == 405

    seen = text_of(everything.post(url, {"reason": "they are gone"}, follow=True))
    finding.refresh_from_db()
    assert (finding.state, finding.decided) == ("open", "")
    assert store.decisions_for("shop") == []
    assert f'action="{url}"' not in seen
    assert all(said in seen for said in ("history", "Withdrawn", "they are gone"))
    assert LogEntry.objects.first().change_message == "Withdrew: Keep. they are gone"  # type: ignore[union-attr]
    assert "did not stand any more" in text_of(everything.post(url, follow=True))
    assert models.Resolution.objects.count() == 2


def test_a_plan_that_takes_long_is_waited_for_on_the_page_of_its_job(
    audited: Shop, everything: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = JobFactory.create(target=audited.finding().target, kind="plan")
    monkeypatch.setattr(tasks, "plan_in_background", lambda *asked, **more: job)
    for decision in ("delete", "relink", "suggested"):
        response = decide(everything, decision, audited.finding())
        assert response.redirect_chain[-1][0] == reverse("admin:integrity_job_change", args=[job.pk])


@pytest.mark.newest_postgres_only
def test_each_engine_is_decided_about_alike(
    empty_target: EmptyTarget, everything: Client, tmp_path: Path, settings: Any
) -> None:
    folder = tmp_path / "catalogs" / empty_target.alias
    folder.mkdir(parents=True)
    (folder / "catalog.toml").write_text(CATALOG + MORE_CATALOG)
    settings.INTEGRITY = {"CATALOG_ROOT": folder.parent}
    empty_target.execute_script(SHOP + MORE)
    tasks.audit_and_store(empty_target.alias)
    orders, contacts = (
        models.OrphanFinding.objects.get(label=label) for label in ("orders.customer_id", "contacts.code")
    )
    assert "No orphan of" in text_of(decide(everything, "keep", orders, row='["4x"]', reason="history"))
    decide(everything, "keep", orders, row='["4"]', reason="history")
    decide(everything, "relink", contacts, how="list", pairs="old,new\nzz,AB-2\n")
    run(everything)
    assert empty_target.rows("SELECT code FROM contacts WHERE id = 3") == [("AB-2",)]
    decide(everything, "delete", orders)
    empty_target.execute_script("INSERT INTO orders VALUES (7, 92, 'lost later')")
    assert "The target changed since you looked at it" in text_of(run(everything))
    run(everything)
    assert empty_target.rows("SELECT id FROM orders WHERE customer_id > 50") == [(4,)]


# -- keys and rows -------------------------------------------------------------------------


def test_one_missing_key_is_decided_alone(audited: Shop, everything: Client) -> None:
    text = text_of(decide(everything, "delete", audited.finding(), key=json.dumps(["90"])))
    assert "Delete to quarantine (1 missing key)" in text
    run(everything)
    assert audited.rows("SELECT id FROM orders ORDER BY id") == [(1,), (2,), (3,), (6,)]
    made = models.Resolution.objects.get()
    assert (made.keys, made.rows, made.plan_hash) == ([["90"]], [], last_plan().hash)


def test_chosen_rows_are_decided_alone(audited: Shop, everything: Client) -> None:
    rows = [json.dumps(["4"]), json.dumps(["6"])]
    text = text_of(decide(everything, "set_null", audited.finding(), row=rows))
    assert "Set NULL (2 chosen rows)" in text
    run(everything)
    assert audited.rows("SELECT id FROM orders WHERE customer_id IS NULL ORDER BY id") == [(3,), (4,), (6,)]


def test_what_was_decided_for_one_key_is_an_exception_from_the_rest(
    audited: Shop, everything: Client
) -> None:
    decide(everything, "keep", audited.finding(), key=json.dumps(["90"]), reason="history")
    text = text_of(decide(everything, "delete", audited.finding()))
    assert "What stays as it is" in text
    assert "history" in text
    run(everything)
    assert audited.rows("SELECT id FROM orders WHERE customer_id > 50") == [(4,), (5,)]


@pytest.mark.parametrize(
    "scope",
    [
        {"key": "90"},
        {"key": '{"a": 1}'},
        {"key": "[]"},
        {"key": "[90]"},
        {"key": '["90", "91"]'},
        {"key": '["\\u0000"]'},
        {"key": "[" * 100_000},
        {"key": '["90"]', "row": '["4"]'},
        {"row": "not JSON"},
    ],
)
def test_keys_and_rows_that_no_page_sends_are_refused(
    scope: dict[str, str], audited: Shop, everything: Client
) -> None:
    assert decide(everything, "delete", audited.finding(), **scope).status_code == 400
    assert not models.StoredPlan.objects.exists()


def test_keys_belong_to_one_finding_and_have_to_be_missing(audited: Shop, everything: Client) -> None:
    both = audited.finding(), audited.finding("lines.order_id")
    assert decide(everything, "delete", *both, key='["90"]').status_code == 400
    for decision in ("delete", "keep"):
        text = text_of(decide(everything, decision, audited.finding(), key='["1"]', reason="history"))
        assert "No missing key" in text
    assert not models.Resolution.objects.exists()
    assert not models.StoredPlan.objects.exists()


# -- what is shown is what runs, once ------------------------------------------------------


def test_a_plan_that_is_posted_twice_runs_once(audited: Shop, everything: Client) -> None:
    decide(everything, "delete", audited.finding())
    run(everything, after="")
    text = text_of(run(everything, after=""))
    assert "It was not started again" in text
    assert (repairs(), models.RepairRun.objects.count()) == (1, 1)
    assert models.Resolution.objects.count() == 1
    for forged in ("999", "x", str(10**30)):
        run(everything, after=forged)
    assert repairs() == 1


def test_a_plan_can_be_run_again_by_whoever_saw_that_it_was_run(audited: Shop, everything: Client) -> None:
    decide(everything, "delete", audited.finding())
    run(everything, after="")
    job = last_plan().job_id
    text = text_of(everything.get(page_of(last_plan())))
    assert f'name="after" value="{job}"' in text
    run(everything, after=job)
    assert repairs() == 2


def test_a_plan_that_is_being_run_is_not_begun_a_second_time(audited: Shop, everything: Client) -> None:
    decide(everything, "delete", audited.finding())
    job = JobFactory.create(target=audited.finding().target, kind="repair", state="running")
    models.StoredPlan.objects.update(job=job)
    text = text_of(everything.get(page_of(last_plan())))
    assert "This plan is being run." in text
    assert "Run exactly this plan" not in text
    assert "It was not started again" in text_of(run(everything, after=job.pk))
    assert repairs() == 1


def test_other_work_on_the_target_is_said_and_what_no_finding_is_about_is_logged(
    audited: Shop, everything: Client
) -> None:
    decide(everything, "delete", audited.finding())
    target = audited.finding().target
    JobFactory.create(target=target, kind="rollback", state="running")
    assert "one repair runs at a time" in text_of(everything.get(page_of(last_plan())))
    models.Finding.objects.filter(label="orders.customer_id").update(label="moved.away")
    everything.post(page_of(last_plan()), {"decide": "yes"})
    assert LogEntry.objects.get().object_id == str(target.pk)


def test_looking_never_runs(audited: Shop, everything: Client) -> None:
    decide(everything, "delete", audited.finding())
    everything.get(page_of(last_plan()), {"run": "yes", "decide": "yes", "approve": "yes"})
    again = reverse("admin:integrity_orphanfinding_plan_again", args=["shop", last_plan().hash])
    assert everything.get(again).status_code == 405
    assert everything.post(page_of(last_plan()), {}).status_code == 400, "no button was pressed"
    assert repairs() == 0
    assert not models.Resolution.objects.exists()


@pytest.mark.parametrize(
    "decision", ["delete", "set_null", "restore_parent", "suggested", "keep", "reassign", "relink"]
)
def test_an_address_that_is_only_opened_makes_nothing(
    decision: str, audited: Shop, everything: Client
) -> None:
    url = reverse("admin:integrity_orphanfinding_decide", args=[decision])
    asked = everything.get(url, {"_selected_action": audited.finding().pk, "answered": "yes"}, follow=True)
    assert f'action="{url}"' in text_of(asked), "one button goes on from here"
    assert asked.redirect_chain == []
    assert not models.StoredPlan.objects.exists()
    assert not models.Job.objects.exists()


def test_the_page_of_a_finding_posts_what_makes_a_plan(audited: Shop, everything: Client) -> None:
    finding = audited.finding()
    page = text_of(everything.get(reverse("admin:integrity_orphanfinding_change", args=[finding.pk])))
    decide_url = reverse("admin:integrity_orphanfinding_decide", args=["delete"])
    assert f'<form method="post" action="{decide_url}">' in page
    assert f'href="{decide_url}' not in page
    answer = everything.post(decide_url, {"_selected_action": finding.pk})
    assert (answer.status_code, answer["Location"]) == (302, page_of(last_plan())), "a reload posts nothing"


def test_a_form_from_elsewhere_is_refused(audited: Shop, everything: Client) -> None:
    decide(everything, "delete", audited.finding())
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="boss"))
    assert strict.post(page_of(last_plan()), {"run": "yes"}).status_code == 403
    keep = reverse("admin:integrity_orphanfinding_decide", args=["keep"])
    data = {"_selected_action": audited.finding().pk, "answered": "yes", "reason": "mine"}
    assert strict.post(keep, data).status_code == 403
    assert (repairs(), audited.finding().state) == (0, "open")


def test_a_plan_belongs_to_its_target(audited: Shop, everything: Client) -> None:
    decide(everything, "delete", audited.finding())
    other = OrphanFindingFactory.create().target
    url = reverse("admin:integrity_orphanfinding_plan", args=[other.alias, last_plan().hash])
    assert "No plan begins with" in text_of(everything.post(url, {"run": "yes"}, follow=True))
    assert repairs() == 0


def test_another_decision_is_not_there(audited: Shop, everything: Client) -> None:
    for forged in ("deduplicate", "drop", "KEEP", "decided"):
        assert decide(everything, forged, audited.finding()).status_code == 404
    assert "nothing to decide" in text_of(decide(everything, "delete"))
    nothing = {"_selected_action": ["x", "-1", "9" * 40]}
    url = reverse("admin:integrity_orphanfinding_decide", args=["delete"])
    assert "nothing to decide" in text_of(everything.post(url, nothing, follow=True))


def test_the_number_of_rows_has_to_be_typed_above_a_threshold(
    audited: Shop, everything: Client, settings: Any
) -> None:
    settings.INTEGRITY |= {"TYPED_ROWS": 4}
    decide(everything, "delete", audited.finding())
    assert "Type that number to run it" in text_of(everything.get(page_of(last_plan())))
    for wrong in ("", "4", "05x", "5.5", "３"):
        text = text_of(run(everything, rows=wrong))
        assert "That is not the number" in text or "required" in text
        assert "autofocus" in text
    assert repairs() == 0
    assert not models.Resolution.objects.exists()
    run(everything, rows=" 5 ")
    assert repairs() == 1


def test_a_number_may_be_typed_as_it_is_shown() -> None:
    for typed in ("1234567", "1,234,567", "1.234.567", "1 234 567", "1\u202f234\u202f567", "1'234'567"):
        assert TypedRowsForm(1_234_567, {"rows": typed}).is_valid(), typed
    for typed in ("1234566", "-1234567", "1234567e0", "１２３４５６７x"):
        assert not TypedRowsForm(1_234_567, {"rows": typed}).is_valid(), typed


# -- a second person -----------------------------------------------------------------------


@pytest.fixture
def strict(audited: Shop, settings: Any) -> Shop:
    """The shop where each plan needs a second person."""
    settings.INTEGRITY |= {"APPROVALS": True}
    return audited


def person(name: str, *may: str) -> Client:
    client = Client()
    client.force_login(UserFactory.create(username=name, may=list(may)))
    return client


MAY = ("cleanup_finding", "run_repair", "decide_finding", "approve_plan")


def test_what_waits_for_somebody_else_has_a_place_of_its_own(audited: Shop, settings: Any) -> None:
    grace, overview = person("grace", *MAY), reverse("admin:app_list", args=["integrity"])
    place = f'<a href="{reverse("admin:integrity_approval_changelist")}">Approvals</a></li>'
    assert place not in grace.get(overview).content.decode()
    settings.INTEGRITY |= {"APPROVALS": True}
    assert place in grace.get(overview).content.decode()


def test_a_plan_waits_for_somebody_else(strict: Shop) -> None:
    ada, grace = person("ada", *MAY), person("grace", *MAY)
    shown = text_of(decide(ada, "delete", strict.finding()))
    assert "Somebody else has to approve this plan" in shown
    assert "Run exactly this plan" not in shown
    assert "approval" in text_of(run(ada)), "a forged POST is refused"
    ada.post(page_of(last_plan()), {"ask": "yes"})
    assert "Approve exactly this plan" not in text_of(ada.get(page_of(last_plan())))
    ada.post(page_of(last_plan()), {"approve": "yes"})
    run(ada)
    assert repairs() == 0

    waiting = text_of(grace.get(reverse("admin:integrity_approval_changelist")))
    assert page_of(last_plan()) in waiting
    seen = text_of(grace.get(page_of(last_plan())))
    assert "ada asks for your approval" in seen
    assert "3 rows of orders are taken out" in seen, "the same preview"
    grace.post(page_of(last_plan()), {"approve": "yes"})
    assert "Approved by grace" in text_of(ada.get(page_of(last_plan())))
    run(ada)
    assert (repairs(), len(strict.rows("SELECT * FROM orders"))) == (1, 3)
    said = [entry.change_message for entry in LogEntry.objects.order_by("pk")]
    assert len(said) == 3
    assert all(last_plan().hash[:12] in each for each in said)


def test_another_name_makes_nobody_a_second_person(strict: Shop) -> None:
    ada = person("ada", *MAY)
    decide(ada, "delete", strict.finding())
    ada.post(page_of(last_plan()), {"ask": "yes"})
    User.objects.filter(username="ada").update(username="grace")
    assert "Approve exactly this plan" not in text_of(ada.get(page_of(last_plan())))
    ada.post(page_of(last_plan()), {"approve": "yes"})
    assert models.Approval.objects.get().state == "asked"


def test_refusing_needs_a_reason_and_ends_it(strict: Shop) -> None:
    ada, grace = person("ada", *MAY), person("grace", *MAY)
    decide(ada, "delete", strict.finding())
    ada.post(page_of(last_plan()), {"ask": "yes"})
    assert "This field is required" in text_of(grace.post(page_of(last_plan()), {"refuse": "yes"}))
    grace.post(page_of(last_plan()), {"refuse": "yes", "reason": "<b>Not</b> on a Friday"})
    text = text_of(ada.get(page_of(last_plan())))
    assert "&lt;b&gt;Not&lt;/b&gt; on a Friday" in text
    assert "Ask for approval again" in text
    run(ada)
    assert repairs() == 0


def test_approving_has_its_own_permission(strict: Shop) -> None:
    ada, anybody = person("ada", *MAY), person("anybody", "cleanup_finding", "run_repair")
    decide(ada, "delete", strict.finding())
    ada.post(page_of(last_plan()), {"ask": "yes"})
    assert "your approval" not in text_of(anybody.get(page_of(last_plan())))
    assert anybody.post(page_of(last_plan()), {"approve": "yes"}).status_code == 403
    assert anybody.post(page_of(last_plan()), {"refuse": "yes", "reason": "no"}).status_code == 403
    assert person("nobody").post(page_of(last_plan()), {"ask": "yes"}).status_code == 403


# -- who may -------------------------------------------------------------------------------


def test_running_and_remembering_need_permissions_of_their_own(audited: Shop, everything: Client) -> None:
    decide(everything, "delete", audited.finding())
    cleaner = person("cleaner", "cleanup_finding")
    text = text_of(cleaner.get(page_of(last_plan())))
    assert "Run exactly this plan" not in text
    assert "Only remember the decision" not in text
    assert "Take one now" not in text
    for button in ("run", "decide", "backup"):
        assert cleaner.post(page_of(last_plan()), {button: "yes"}).status_code == 403
    assert person("runner", "run_repair").post(page_of(last_plan()), {"run": "yes"}).status_code == 403
    assert not models.Job.objects.exists()


def test_values_are_shown_to_whoever_may_see_rows_and_masked_ones_to_nobody(
    fuller: Shop, everything: Client
) -> None:
    decide(everything, "relink", fuller.finding("contacts.code"))
    relinker = person("relinker", "relink_finding")
    assert "ab-1" not in text_of(relinker.get(page_of(last_plan())))
    catalog = fuller.root / "shop" / "catalog.toml"
    catalog.write_text(catalog.read_text() + '\n[mask]\ncolumns = ["codes.code"]\n')
    text = text_of(everything.get(page_of(last_plan())))
    assert "ab-1" not in text
    assert "(masked)" in text


def test_the_row_that_others_will_refer_to_is_named_to_whoever_may_see_rows(
    fuller: Shop, everything: Client
) -> None:
    finding = fuller.finding("contacts.code")
    assert "refer to row AB-2 of codes" in text_of(
        decide(everything, "reassign", finding, where="row", to="AB-2")
    )
    shown = text_of(person("reassigner", "reassign_finding").get(page_of(last_plan())))
    assert "refer to row … of codes" in shown
    assert "AB-2" not in shown, "nor in its SQL"


def test_a_plan_is_no_page_for_strangers(audited: Shop, everything: Client, client: Client) -> None:
    decide(everything, "delete", audited.finding())
    stranger = User.objects.create_user("stranger", is_staff=True)
    client.force_login(stranger)
    assert client.get(page_of(last_plan())).status_code == 403
    url = reverse("admin:integrity_orphanfinding_decide", args=["delete"])
    assert client.get(url, {"_selected_action": audited.finding().pk}).status_code == 403
    assert client.get(reverse("admin:integrity_approval_changelist")).status_code == 403


def test_a_backup_can_be_taken_first(audited: Shop, everything: Client) -> None:
    decide(everything, "delete", audited.finding())
    response = everything.post(page_of(last_plan()), {"backup": "yes"}, follow=True)
    assert response.redirect_chain[-1][0] == page_of(last_plan())
    assert "A backup is being taken" in text_of(response)
    assert tasks.wait_for_jobs(30)
    assert models.Backup.objects.count() == 1
    assert "None is recorded" not in text_of(everything.get(page_of(last_plan())))


def test_a_page_needs_few_queries_however_much_is_decided(
    audited: Shop, everything: Client, django_assert_max_num_queries: Any
) -> None:
    plan = tasks.plan_and_store("shop", [Request(resolution=Resolution.DELETE)])
    finding = audited.finding()
    store.store_decision([finding] * 30, "delete", actor="boss")
    everything.get(reverse("admin:index"))
    with django_assert_max_num_queries(20):
        everything.get(reverse("admin:integrity_orphanfinding_plan", args=["shop", plan.hash]))
    with django_assert_max_num_queries(20):
        url = reverse("admin:integrity_orphanfinding_decide", args=["reassign"])
        everything.get(url, {"_selected_action": finding.pk})
    with django_assert_max_num_queries(20):
        everything.get(reverse("admin:integrity_approval_changelist"))
