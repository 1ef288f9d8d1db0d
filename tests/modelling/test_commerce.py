"""The shop's relation graph, walked both ways on its real rows: the record's "Relations to Add"."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from fixtures import commerce
from fixtures.manifest import Manifest
from migrations_catalog.commerce import models as shipped
from tests.commands import CHECKOUT, run_json
from tests.modelling.conftest import Loaded, mistakes
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

CATALOG = CHECKOUT / "migrations_catalog" / "commerce" / "catalog.toml"
ROWS = 600


@pytest.fixture
def target(empty_target: EmptyTarget) -> EmptyTarget:
    """The shop without the column that repeats its orders, and before anything is repaired: nothing but
    the catalog knows its relations."""
    assert isinstance(commerce.build(empty_target.url, rows=ROWS), Manifest)
    empty_target.execute_script("ALTER TABLE store_customers DROP COLUMN orders")
    return empty_target


@pytest.fixture
def shop(target: EmptyTarget, settings: Any, request: pytest.FixtureRequest) -> Any:
    """The models that are shipped; for the copy in a file, whose keys are text, those written for it."""
    if target.vendor != SQLITE:
        settings.DATABASE_ROUTERS = ["integrity.routers.CatalogRouter"]
        connections.databases["target"]["CATALOG"] = "commerce"
        return shipped
    load: Loaded = request.getfixturevalue("load")
    run_json("models", "target", "--catalog", CATALOG)
    module = load()
    assert mistakes(module) == []
    settings.DATABASE_ROUTERS = [_Everything()]
    return module


class _Everything:
    """Sends the models of the test to its target."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "target" if model._meta.app_label == "catalog_target" else None

    db_for_write = db_for_read


def number(target: EmptyTarget, statement: str) -> int:
    return int(target.rows(statement)[0][0])


def test_stores_lead_to_products_and_these_to_variants(target: EmptyTarget, shop: Any) -> None:
    variant = (
        shop.ProductVariant.objects.filter(product__store__slug__isnull=False)
        .select_related("product")
        .first()
    )
    assert variant is not None
    store = variant.product.store
    assert variant in variant.product.variants.all()
    assert variant.product in store.products.all()
    counted = number(target, f"SELECT count(*) FROM products WHERE store_id = '{store.pk}'")
    assert store.products.count() == counted > 0
    assert shop.Product.objects.filter(variants=variant).get() == variant.product
    assert shop.Store.objects.filter(products__variants=variant).get() == store


def test_stores_lead_to_categories_orders_and_customers(target: EmptyTarget, shop: Any) -> None:
    order = shop.Order.objects.filter(store__slug__isnull=False, customer__store__slug__isnull=False).first()
    assert order is not None
    for rows in (order.store.categories, order.store.orders, order.store.customers, order.store.tags):
        assert all(each.store == order.store for each in rows.all())
    assert order in order.store.orders.all()
    assert order.customer in order.customer.store.customers.all()


def test_customers_lead_to_orders_and_these_to_items_and_payments(target: EmptyTarget, shop: Any) -> None:
    paid = shop.Payment.objects.filter(order__items__isnull=False, order__customer__email__isnull=False)
    customer = paid[0].order.customer
    counted = number(target, f"SELECT count(*) FROM orders WHERE customer_id = '{customer.pk}'")
    assert customer.orders.count() == counted > 0
    order = customer.orders.filter(items__isnull=False, payments__isnull=False)[0]
    assert {each.order for each in order.items.all()} == {order}
    assert {each.order for each in order.payments.all()} == {order}
    fetched = shop.Order.objects.prefetch_related("items__variant", "payments").get(pk=order.pk)
    assert len(fetched.items.all()) == order.items.count()


def test_products_lead_to_their_category_and_tags(target: EmptyTarget, shop: Any) -> None:
    product = shop.Product.objects.filter(
        category__name__isnull=False, product_tags__tag__name__isnull=False
    )[0]
    assert product in product.category.products.all()
    linked = product.product_tags.all()[0]
    assert linked.pk == (linked.product_id, linked.tag_id)
    assert linked in linked.tag.product_tags.all()


def test_a_row_of_a_lost_store_says_that_there_is_none(target: EmptyTarget, shop: Any) -> None:
    stores = shop.Store.objects.values_list("pk", flat=True)
    orphan = shop.Product.objects.exclude(store_id__in=list(stores)).first()
    assert orphan is not None
    with pytest.raises(shop.Store.DoesNotExist):
        _ = orphan.store


def test_every_table_of_the_shop_has_a_model_and_every_row_is_read(target: EmptyTarget, shop: Any) -> None:
    models = [each for each in vars(shop).values() if isinstance(each, type) and hasattr(each, "_meta")]
    assert {model._meta.db_table for model in models} == set(commerce.schema.TABLES)
    for model in models:
        assert len(list(model.objects.all())) == number(
            target, f"SELECT count(*) FROM {model._meta.db_table}"
        )


def test_graph_models_draws_it(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("graph_models", "catalog_commerce", dot=True)
    drawn = capsys.readouterr().out
    for relation in ("(customers)", "(variants)", "(items)", "(payments)", "(orders)", "(products)"):
        assert relation in drawn
