"""The page of a run says what was done, proves what came back, and shows values to those who may see them."""

import pytest
from django.test import Client
from django.urls import reverse

from integrity import models, tasks
from integrity.plans import Request
from integrity.references import Resolution
from integrity.repairs import Options
from tests.admin.conftest import Shop, SignIn

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = "admin:integrity_repairrun_rows"


@pytest.fixture
def repaired(audited: Shop) -> Shop:
    """The shop after its orphans, and the lines of their orders, were taken out."""
    plan = tasks.plan_and_store("shop", [Request(resolution=Resolution.DELETE)])
    tasks.repair_and_store("shop", plan, options=Options(approved=True, actor="ann"))
    return audited


def page(client: Client, number: int = 1, name: str = "admin:integrity_repairrun_change") -> str:
    run = models.RepairRun.objects.get(number=number)
    response = client.get(reverse(name, args=[run.pk]))
    assert response.status_code == 200
    return response.content.decode()


def test_a_repair_says_in_a_sentence_what_it_did_and_where_it_leads(
    repaired: Shop, everything: Client, sign_in: SignIn
) -> None:
    text = page(everything)
    assert "6 rows were taken out, to the quarantine. That is exactly what its plan said." in text
    assert "See its quarantine" in text
    assert "Roll back…" in text
    assert reverse(ROWS, args=[models.RepairRun.objects.get().pk]) in text
    looking = page(sign_in("view_repairrun"))
    assert "Roll back…" not in looking
    assert reverse(ROWS, args=[models.RepairRun.objects.get().pk]) not in looking


def test_a_repair_that_found_other_rows_than_planned_says_which_and_why(
    audited: Shop, everything: Client
) -> None:
    plan = tasks.plan_and_store("shop", [Request(resolution=Resolution.DELETE)])
    audited.execute("DELETE FROM lines WHERE id = 2")
    tasks.repair_and_store("shop", plan, options=Options(actor="ann"))
    text = page(everything)
    assert "exactly what its plan said" not in text
    assert "The plan said something else:" in text
    assert "lines: 2 deleted, 3 planned: somebody else put them right, changed or deleted them since." in text


def test_a_rollback_states_its_proof(repaired: Shop, everything: Client) -> None:
    tasks.roll_back_and_store("shop", 1)
    text = page(everything, 2)
    assert "6 rows of run 1 came back." in text
    assert "All 6 restored rows are exactly what they were, column by column." in text
    assert "2 tables are equal by digest to what they were before the repair" in text
    assert "The structure is the same as before the repair." in text
    assert "Run 2: 6 rows came back" in page(everything, 1)


def test_a_proof_that_is_not_whole_says_why(repaired: Shop, everything: Client) -> None:
    repaired.execute("INSERT INTO orders VALUES (4, 1, 'mine now')")
    tasks.roll_back_and_store("shop", 1)
    text = page(everything, 2)
    assert "others were refused: somebody changed them since" in text
    assert "A part of the run still stands" in text
    assert "a row with the same key (id) was made since" in text


def test_keys_of_refused_rows_are_for_those_who_may_see_them(
    repaired: Shop, everything: Client, sign_in: SignIn
) -> None:
    key = {"id": "secret-key"}
    models.RepairRun.objects.update(
        refusals=[{"table": "main.orders", "key": key, "reason": "somebody changed it"}]
    )
    assert "secret-key" in page(everything)
    looking = page(sign_in("view_repairrun"))
    assert "somebody changed it" in looking
    assert "secret-key" not in looking
    file = repaired.root / "shop" / "catalog.toml"
    file.write_text(file.read_text() + '\n[mask]\ncolumns = ["orders.id"]\n')
    assert "secret-key" not in page(everything)


def test_what_stopped_it_names_values_to_those_alone_who_may_see_them(
    repaired: Shop, everything: Client, sign_in: SignIn
) -> None:
    error = "duplicate key\nDETAIL:  Key (note)=(first\nsecond secret) already exists."
    models.RepairRun.objects.update(error=error)
    models.AuditRun.objects.update(error=error)
    audit = reverse("admin:integrity_auditrun_change", args=[models.AuditRun.objects.latest("pk").pk])
    search = reverse("admin:integrity_repairrun_changelist") + "?q=secret"
    run = str(models.RepairRun.objects.get())
    assert "second secret" in page(everything)
    assert run in everything.get(search).content.decode()
    client = sign_in("view_repairrun", "view_auditrun")
    shown = page(client) + client.get(audit).content.decode()
    assert shown.count("duplicate key") == 2
    assert "secret" not in shown
    assert run not in client.get(search).content.decode(), "nor is it guessed by searching"


def test_changed_rows_are_a_part_and_a_page(repaired: Shop, everything: Client, sign_in: SignIn) -> None:
    url = reverse(ROWS, args=[models.RepairRun.objects.get().pk])
    whole, part = (
        everything.get(url).content.decode(),
        everything.get(url, {"fragment": "1"}).content.decode(),
    )
    assert "<html" in whole
    assert "<html" not in part
    assert part.count("taken out") == 6
    assert everything.get(url, {"after": "x", "fragment": "1"}).status_code == 400
    assert sign_in("view_repairrun").get(url).status_code == 403


def test_going_on_twice_begins_once(repaired: Shop, everything: Client) -> None:
    models.RepairRun.objects.update(state="paused")
    run = models.RepairRun.objects.get()
    waiting = models.Job.objects.create(target=run.target, kind="repair", arguments={"resume": run.number})
    response = everything.post(reverse("admin:integrity_repairrun_resume", args=[run.pk]))
    assert response["Location"] == reverse("admin:integrity_job_change", args=[waiting.pk])
    assert models.Job.objects.count() == 1
    models.Job.objects.update(state="cancelled")


@pytest.mark.parametrize("pk", ["0", "9" * 30, "x"])
def test_a_run_that_is_not_there_is_not_found(everything: Client, pk: str) -> None:
    url = reverse("admin:integrity_repairrun_changelist")
    assert everything.get(f"{url}{pk}/change/").status_code == 404
