"""Lists of findings: what is open, narrowed and found among any number, by the index that has the order."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from integrity import models, store
from tests import factories
from tests.admin.conftest import SignIn
from tests.admin.crowd import make_crowd
from tests.admin.test_findings import listed, make

pytestmark = pytest.mark.django_db


def test_a_list_shows_what_is_open_unless_another_state_is_asked_for(sign_in: SignIn) -> None:
    for state in models.FindingState.values:
        make(table_name=f"t_{state}", state=state)
    client = sign_in()
    assert "t_open." in (text := listed(client))
    assert "t_kept." not in text
    assert "t_resolved." not in text
    assert "t_resolved." in listed(client, "?state__exact=resolved")
    assert "t_open." in listed(client, "?state__exact=nonsense")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("cause=import", {"a"}),
        ("decision=none", {"a", "b"}),
        ("decision=delete", {"c"}),
        ("trend=growing", {"b"}),
        ("trend=new", {"a", "c"}),
        ("size=some", {"b", "c"}),
        ("severity__exact=warning", {"c"}),
        ("table_name=a", {"a"}),
        ("q=a", {"a", "b", "c"}),
        ("q=b.customer_id", {"b"}),
        ("q=customers", {"a", "b", "c"}),
        ("q=another+message", {"c"}),
        ("q=%25", set()),
        ("cause=nonsense", set()),
        ("target__id__exact=999999", set()),
        ("target__id__exact=9999999999999999999999", set()),
        ("table_name=%00", set()),
    ],
)
def test_a_list_is_narrowed(query: str, found: set[str], sign_in: SignIn) -> None:
    make(table_name="a", rows=3, cause="import")
    make(table_name="b", rows=30, previous_rows=20)
    make(table_name="c", rows=999, decided="delete", severity="warning", message="another message")
    text = listed(sign_in(), f"?{query}")
    assert {name for name in "abc" if f"<code>{name}.customer_id</code>" in text} == found


def test_the_numbers_above_a_list_are_those_of_the_chosen_target(sign_in: SignIn) -> None:
    first, second = make(rows=1_234), make(rows=10, state="kept")
    make(rows=6, target=second.target, decided="delete")
    store.count_open([first.target_id, second.target_id])
    client = sign_in()
    text = listed(client)
    assert "<dt>Broken references</dt><dd>2</dd>" in text
    assert "<dt>Orphans in all</dt><dd>1,240</dd>" in text
    text = listed(client, f"?target__id__exact={second.target_id}")
    assert "<dt>Decided, not run yet</dt><dd>1</dd>" in text
    assert "<dt>Orphan in all</dt>" not in text
    assert "<dt>Orphans kept by decision</dt><dd>10</dd>" in text


def test_an_empty_list_says_what_that_means(sign_in: SignIn) -> None:
    client = sign_in()
    assert "Nobody has looked yet." in (text := listed(client))
    assert "<dt>Orphans in all</dt>" not in text, "nobody counted them"
    factories.AuditRunFactory.create()
    assert "Nothing is open." in listed(client)
    assert "There is nothing in this state." in listed(client, "?state__exact=kept")
    assert "No finding in this state fits" in listed(client, "?q=nothing")


def test_all_findings_lead_to_where_people_decide(sign_in: SignIn) -> None:
    orphans, other = make(), factories.FindingFactory.create(code="missing_index", message="No index")
    text = listed(sign_in(), name="finding")
    assert reverse("admin:integrity_orphanfinding_change", args=[orphans.pk]) in text
    assert reverse("admin:integrity_finding_change", args=[other.pk]) in text


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it reads SQLite's plans")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "integrity_finding_rows"),
        ("?o=1", "integrity_finding_label"),
        ("?o=3", "integrity_finding_rows"),
        ("?cause=import", "integrity_finding_cause"),
        ("?trend=growing", "integrity_finding_trend"),
        ("?decision=none", "integrity_finding_decided"),
        ("?severity__exact=warning", "integrity_finding_badness"),
        ("?table_name=table7", "integrity_finding_table"),
        ("?target__id__exact={target}", "integrity_finding_of_target"),
    ],
)
def test_a_list_reads_the_index_that_has_its_order(
    query: str, index: str, sign_in: SignIn, rf: Any, everything: Client
) -> None:
    finding = make_crowd(2, 1)
    request = rf.get(f"/{query.format(target=finding.target_id)}")
    request.user = User.objects.get(username="boss")
    found = admin.site.get_model_admin(models.OrphanFinding).get_changelist_instance(request)
    plan = found.get_queryset(request)[:50].explain()
    assert index in plan
    assert "o=3" not in query or "TEMP B-TREE" not in plan


def test_a_table_is_found_by_its_name_however_many_findings_there_are(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrity.admin.triage.lists.SEARCHED", 0)
    make(table_name="Order Details", schema_name="sales")
    make(table_name="orders")
    client = sign_in()
    for term, found in (
        ("Order Details", "Order Details"), ("orders", "orders"), ("main.orders", "orders"), ("sales.orders", ""),
        ("orders.customer_id", "orders"), ("orders nothing", ""), ("orders Customer", "orders"),
    ):  # fmt: skip
        text = listed(client, f"?{urlencode({'q': term})}")
        assert {name for name in ("Order Details", "orders") if f"<code>{name}." in text} == {found} - {""}
