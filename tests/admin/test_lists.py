"""Every list and page opens, whoever may only look sees no action, and no page asks more as rows grow."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrity import models
from tests import factories
from tests.admin.conftest import SignIn

pytestmark = pytest.mark.django_db

MADE: dict[str, Callable[..., Any]] = {
    "target": factories.TargetFactory.create,
    "auditrun": factories.AuditRunFactory.create,
    "finding": factories.FindingFactory.create,
    "orphanfinding": factories.OrphanFindingFactory.create,
    "resolution": factories.ResolutionFactory.create,
    "repairrun": factories.RepairRunFactory.create,
    "queryrun": factories.QueryRunFactory.create,
    "storedplan": factories.StoredPlanFactory.create,
    "migrationrun": factories.MigrationRunFactory.create,
    "backup": factories.BackupFactory.create,
    "job": factories.JobFactory.create,
}


@pytest.mark.parametrize("name", MADE)
def test_a_list_and_its_pages_open(name: str, sign_in: SignIn) -> None:
    made = MADE[name]()
    client = sign_in()
    assert client.get(reverse(f"admin:integrity_{name}_changelist")).status_code == 200
    page = client.get(reverse(f"admin:integrity_{name}_change", args=[made.pk]))
    assert page.status_code == (302 if name == "storedplan" else 200)


@pytest.mark.parametrize("name", MADE)
def test_a_list_asks_no_more_when_it_is_longer(name: str, sign_in: SignIn) -> None:
    client, url = sign_in(), reverse(f"admin:integrity_{name}_changelist")
    MADE[name]()
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for _ in range(10):
        MADE[name]()
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) <= min(20, len(few) + 1)


@pytest.mark.parametrize("name", MADE)
def test_nothing_is_added_or_deleted_by_hand(name: str, everything: Any) -> None:
    made = MADE[name]()
    assert everything.get(reverse(f"admin:integrity_{name}_add")).status_code == 403
    assert everything.post(reverse(f"admin:integrity_{name}_delete", args=[made.pk])).status_code == 403
    assert everything.post(reverse(f"admin:integrity_{name}_change", args=[made.pk])).status_code == 403


@pytest.mark.parametrize(
    ("name", "filters"),
    [
        ("orphanfinding", "decision=none"),
        ("orphanfinding", "decision=delete"),
        ("orphanfinding", "size=some&trend=new"),
        ("orphanfinding", "trend=growing"),
        ("orphanfinding", "q=orders&o=3"),
        ("finding", "severity__exact=error&o=2"),
        ("target", "o=-5.2"),
    ],
)
def test_filters_and_orders_work(name: str, filters: str, sign_in: SignIn) -> None:
    MADE[name]()
    url = reverse(f"admin:integrity_{name}_changelist")
    assert sign_in().get(f"{url}?{filters}").status_code == 200


def test_every_list_is_narrowed_in_a_bar_above_it(sign_in: SignIn) -> None:
    factories.JobFactory.create()
    page = (
        sign_in().get(reverse("admin:integrity_job_changelist"), {"state__exact": "paused"}).content.decode()
    )
    assert "changelist-filter" not in page
    assert "State: <span>paused</span>" in page
    assert ">Clear all</a>" in page
    assert "Nothing fits what was asked for." in page


def test_a_place_is_called_in_the_menu_as_on_its_page(sign_in: SignIn, settings: Any) -> None:
    settings.INTEGRITY = {"APPROVALS": True}
    client, here = sign_in("approve_plan"), reverse("admin:app_list", args=["integrity"])
    menu = client.get(here).content.decode().partition("integrity-nav")[2].partition("</nav>")[0]
    places = re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', menu)
    assert len(places) == 8
    for url, name in places:
        page = client.get(url).content.decode()
        assert f"<h1>{name}</h1>" in page, name
        assert re.search(rf"<title>\s*{name} \|", page), name


def test_an_empty_list_says_so_and_offers_no_action(sign_in: SignIn) -> None:
    client = sign_in("roll_back_repair")
    page = client.get(reverse("admin:integrity_repairrun_changelist")).content.decode()
    assert "There is nothing here." in page
    assert 'name="action"' not in page


def test_a_filter_by_size_leaves_what_is_within_its_bounds(sign_in: SignIn) -> None:
    factories.OrphanFindingFactory.create(rows=9, table_name="small")
    factories.OrphanFindingFactory.create(rows=10, table_name="large")
    text = sign_in().get(reverse("admin:integrity_orphanfinding_changelist") + "?size=some").content.decode()
    assert "large.customer_id" in text
    assert "small.customer_id" not in text


def test_a_database_is_a_target_as_soon_as_it_is_in_the_settings(sign_in: SignIn, shop: Any) -> None:
    text = sign_in().get(reverse("admin:integrity_target_changelist")).content.decode()
    assert shop.alias in text
    assert "unknown" in text
    assert '<span class="integrity-number">0</span>' not in text, "nobody counted yet"


def test_the_tables_to_choose_from_are_those_of_the_chosen_target(sign_in: SignIn) -> None:
    one = factories.OrphanFindingFactory.create(table_name="invoices")
    factories.OrphanFindingFactory.create(table_name="parcels")
    url = reverse("admin:integrity_orphanfinding_changelist")
    assert "table_name=parcels" in sign_in().get(url).content.decode()
    text = sign_in().get(f"{url}?target__id__exact={one.target_id}").content.decode()
    assert "table_name=invoices" in text
    assert "table_name=parcels" not in text


def test_the_commonest_missing_keys_are_shown_and_escaped(sign_in: SignIn) -> None:
    evidence = {"top_missing_keys": [{"key": ["<b>90</b>"], "rows": 2_000}]}
    finding = factories.OrphanFindingFactory.create(evidence=evidence, rows=4_000)
    url = reverse("admin:integrity_orphanfinding_change", args=[finding.pk])
    text = sign_in("view_sample_rows").get(url).content.decode()
    assert "&lt;b&gt;90&lt;/b&gt;" in text
    assert "2,000" in text
    assert "50 %" in text
    assert "90&lt;" not in sign_in().get(url).content.decode(), "a key is a value of a row"


def test_a_page_has_no_script_or_style_of_its_own(sign_in: SignIn) -> None:
    finding = factories.OrphanFindingFactory.create()
    text = sign_in().get(reverse("admin:integrity_orphanfinding_change", args=[finding.pk])).content.decode()
    assert "style=" not in text
    assert "<style" not in text


def test_somebody_without_permission_sees_no_action(sign_in: SignIn) -> None:
    factories.OrphanFindingFactory.create()
    factories.RepairRunFactory.create()
    client = sign_in()
    for name in ("orphanfinding", "repairrun", "target", "finding"):
        text = client.get(reverse(f"admin:integrity_{name}_changelist")).content.decode()
        assert 'name="action"' not in text, name


def test_somebody_sees_the_action_that_they_may_do(sign_in: SignIn) -> None:
    factories.OrphanFindingFactory.create()
    url = reverse("admin:integrity_orphanfinding_changelist")
    text = sign_in("keep_finding").get(url).content.decode()
    assert 'value="keep"' in text
    assert 'value="delete"' not in text


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("orphanfinding", "delete"),
        ("orphanfinding", "set_null"),
        ("orphanfinding", "reassign"),
        ("orphanfinding", "keep"),
        ("repairrun", "roll_back"),
        ("target", "audit"),
        ("finding", "schema_fixes"),
    ],
)
def test_a_forged_action_is_refused(name: str, action: str, sign_in: SignIn) -> None:
    made = MADE[name]()
    data = {"action": action, "_selected_action": [made.pk]}
    response = sign_in("decide_finding").post(reverse(f"admin:integrity_{name}_changelist"), data)
    assert response.status_code == 403
    assert not models.Job.objects.exists()


def test_a_measured_query_is_shown_with_its_work_and_verdict(sign_in: SignIn) -> None:
    run = factories.QueryRunFactory.create()
    page = sign_in().get(reverse("admin:integrity_queryrun_change", args=[run.pk])).content.decode()
    assert "12 pages" in page
    assert "× 1.50" in page
    assert "it takes 1.50 times as long" in page
