"""Rows of targets in admin: read-only, by one permission, masked, and in a bounded number of looks."""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import clear_url_caches, reverse

from fixtures import commerce
from integrity.admin import row_lists
from integrity.admin.target_rows import TargetRowAdmin, register_target_models
from integrity.checks import check_admin_models
from integrity.references.masking import MASKED
from integrity_project import urls
from integrity_project.postgres import PostgresServer
from migrations_catalog.commerce import models as shop
from tests.admin.conftest import SignIn
from tests.servers import EmptyTarget, MakePostgresDatabase, RegisterTarget

pytestmark = pytest.mark.django_db(transaction=True)

MAY = "view_sample_rows"


@pytest.fixture
def rows(
    newest_postgres: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
    settings: Any,
) -> Iterator[EmptyTarget]:
    """The shop, its models in admin, no router."""
    settings.INTEGRITY = {"ADMIN_MODELS": ["commerce"]}
    url = make_postgres_database(newest_postgres)
    connections.databases[register_target("target", url)]["CATALOG"] = "commerce"
    commerce.build(url, rows=400)
    register_target_models()
    _read_urls_again()
    yield EmptyTarget("target", "postgresql", url, newest_postgres)
    for model in [model for model, page in admin.site._registry.items() if isinstance(page, TargetRowAdmin)]:
        admin.site.unregister(model)
    _read_urls_again()


def _read_urls_again() -> None:
    importlib.reload(urls)
    clear_url_caches()


def listed(model: str) -> str:
    return reverse(f"admin:catalog_commerce_{model}_changelist")


def test_nothing_is_registered_unless_it_is_asked_for(settings: Any) -> None:
    settings.INTEGRITY = {}
    register_target_models()
    assert not admin.site.is_registered(shop.Store)


def test_lists_and_pages_open_for_who_may_see_rows(rows: EmptyTarget, sign_in: SignIn) -> None:
    client = sign_in(MAY)
    opened = 0
    for model in admin.site._registry:
        if model._meta.app_label == "catalog_commerce":
            name = str(model._meta.model_name)
            assert client.get(listed(name)).status_code == 200
            row = model._default_manager.using("target").order_by("pk")[0]
            page = client.get(reverse(f"admin:catalog_commerce_{name}_change", args=[row.pk]))
            assert page.status_code == 200
            assert str(row.pk) in page.text
            opened += 1
    assert opened == 9  # the tenth has a composite key


def test_who_may_not_see_rows_sees_no_such_thing(rows: EmptyTarget, sign_in: SignIn) -> None:
    client = sign_in("audit_target")
    assert client.get(listed("store")).status_code == 403
    assert "catalog_commerce" not in client.get(reverse("admin:index")).text
    assert "catalog_commerce" in sign_in(MAY).get(reverse("admin:index")).text


def test_nothing_can_be_added_changed_or_deleted(rows: EmptyTarget, everything: Client) -> None:
    store = shop.Store.objects.using("target").order_by("pk")[0]
    name = "admin:catalog_commerce_store"
    page = reverse(f"{name}_change", args=[store.pk])
    assert everything.get(reverse(f"{name}_add")).status_code == 403
    assert everything.post(page, {"name": "Ours now"}).status_code == 403
    assert everything.post(reverse(f"{name}_delete", args=[store.pk]), {"post": "yes"}).status_code == 403
    everything.post(
        listed("store"), {"action": "delete_selected", "_selected_action": str(store.pk), "post": "yes"}
    )
    assert 'name="_save"' not in everything.get(page).text
    assert shop.Store.objects.using("target").get(pk=store.pk).name == store.name


def test_masked_columns_are_neither_shown_nor_told_by_a_filter(rows: EmptyTarget, sign_in: SignIn) -> None:
    client = sign_in(MAY)
    customer = shop.StoreCustomer.objects.using("target").exclude(email="").order_by("pk")[0]
    page = client.get(reverse("admin:catalog_commerce_storecustomer_change", args=[customer.pk])).text
    for text in (client.get(listed("storecustomer")).text, page):
        assert MASKED in text
        assert customer.email not in text
    for query in ("email__startswith=a", "email__exact=a", "email=a", "store__owner_email__startswith=a"):
        assert client.get(f"{listed('storecustomer')}?{query}").status_code == 400
    found = client.get(listed("storecustomer"), {"q": customer.email})
    assert found.context["cl"].result_count == 0


def test_rows_are_found_by_exact_values(rows: EmptyTarget, sign_in: SignIn) -> None:
    client = sign_in(MAY)
    order = shop.Order.objects.using("target").filter(customer__isnull=False).order_by("pk")[0]
    assert client.get(listed("order"), {"q": str(order.pk)}).context["cl"].result_count == 1
    mine = client.get(listed("order"), {"q": str(order.customer_id)}).context["cl"]
    assert mine.result_count == shop.Order.objects.using("target").filter(customer=order.customer_id).count()
    assert client.get(listed("order"), {"q": "no such value"}).context["cl"].result_count == 0
    assert client.get(listed("order"), {"q": "9" * 40 + "\0'"}).status_code == 200


def test_a_row_leads_to_what_it_refers_to_and_to_what_refers_to_it(
    rows: EmptyTarget, sign_in: SignIn
) -> None:
    client = sign_in(MAY)
    order = (
        shop.Order.objects.using("target")
        .filter(items__isnull=False, store__slug__isnull=False)
        .order_by("pk")[0]
    )
    page = client.get(reverse("admin:catalog_commerce_order_change", args=[order.pk])).text
    assert reverse("admin:catalog_commerce_store_change", args=[order.store_id]) in page
    items = f"{listed('orderitem')}?order__exact={order.pk}"
    assert items in page
    assert client.get(items).context["cl"].result_count == order.items.count() > 0


def test_a_list_asks_as_much_whatever_it_holds(
    rows: EmptyTarget, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sign_in(MAY)
    monkeypatch.setattr(row_lists, "LISTED_AT_MOST", 120)
    with CaptureQueriesContext(connections["target"]) as asked:
        first = client.get(listed("orderitem"))
    assert first.context["cl"].result_count == 120
    statements = [each["sql"] for each in asked.captured_queries if each["sql"].startswith("SELECT")]
    assert len(statements) == 2
    assert all("LIMIT" in each for each in statements)
    last = client.get(listed("orderitem"), {"p": "3"}).context["cl"]
    assert len(last.result_list) == 20
    ordered = client.get(listed("orderitem"), {"o": "-5"}).context["cl"]
    assert ordered.queryset.query.order_by == ("-pk",)


def test_a_target_that_cannot_be_read_is_said_in_a_line(rows: EmptyTarget, sign_in: SignIn) -> None:
    client = sign_in(MAY)
    rows.execute_script("DROP TABLE payments")
    answer = client.get(listed("payment"), follow=True)
    assert answer.status_code == 200
    assert "payments cannot be read" in answer.text


def test_rows_that_were_asked_for_and_have_no_models_are_said(settings: Any) -> None:
    settings.INTEGRITY = {"ADMIN_MODELS": ["commerce", "gaztime", "shop"]}
    found = check_admin_models()
    assert [each.id for each in found] == ["integrity.W005"] * 2
    assert "gaztime" in found[0].msg
    assert found[1].hint == "Write them with: manage.py integrity_models shop."
