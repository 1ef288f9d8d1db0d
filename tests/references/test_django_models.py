"""The site's own models are references too, whether or not a constraint enforces them."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection, models
from django.test.utils import isolate_apps

from integrity.audit import audit
from integrity.database.identifiers import TableName
from integrity.database.schema import Action, Column, Schema, Table, TableKind
from integrity.database.session import Target
from integrity.references import Catalog, Reference, Source, django_models
from integrity.references.django_models import has_models, model_references
from tests.servers import RegisterTarget


def schema_of(*tables: str) -> Schema:
    """A schema of tables that have every column in question."""
    columns = tuple(
        Column(name, "integer") for name in ("id", "customer_id", "parent_id", "book_id", "shelf_id")
    )
    names = [TableName("main", table) for table in tables]
    return Schema("sqlite", "3.45", "main", {each: Table(each, TableKind.TABLE, columns) for each in names})


@pytest.fixture
def references(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Reference]]:
    """What three made-up models declare, by label."""
    with isolate_apps("integrity"):

        class Customer(models.Model):  # noqa: DJ008 - nobody prints it
            class Meta:
                app_label = "integrity"
                db_table = "customers"

        class Order(models.Model):  # noqa: DJ008 - nobody prints it
            customer = models.ForeignKey(Customer, models.SET_NULL, null=True, db_constraint=False)
            parent = models.OneToOneField("self", models.CASCADE, null=True)
            missing = models.ForeignKey(Customer, models.CASCADE, related_name="+")

            class Meta:
                app_label = "integrity"
                db_table = "orders"

        class Unmigrated(models.Model):  # noqa: DJ008 - nobody prints it
            customer = models.ForeignKey(Customer, models.CASCADE)

            class Meta:
                app_label = "integrity"
                db_table = "nowhere"

        monkeypatch.setattr(django_models, "_models", lambda alias: iter([Customer, Order, Unmigrated]))
        found = model_references("default", schema_of("customers", "orders"))
        yield {each.label: each for each in found}


def test_a_relation_without_a_constraint_is_a_reference(references: dict[str, Reference]) -> None:
    order = references["orders.customer_id"]
    assert (order.source, order.on_delete) == (Source.DJANGO, Action.SET_NULL)
    assert str(order) == "orders.customer_id → customers.id"
    assert order.rationale == "integrity.Order.customer"


def test_a_one_to_one_relation_to_itself_is_a_reference(references: dict[str, Reference]) -> None:
    assert references["orders.parent_id"].on_delete is Action.CASCADE


def test_what_the_database_does_not_have_is_left_out(references: dict[str, Reference]) -> None:
    assert set(references) == {"orders.customer_id", "orders.parent_id"}


def test_no_model_lives_in_a_target(register_target: RegisterTarget) -> None:
    assert has_models("default")
    assert not has_models(register_target("shop", "postgresql://nobody@127.0.0.1:1/nothing"))


def test_models_that_describe_a_target_catalog_speak_of_another_database() -> None:
    described = {
        config.label for config in apps.get_app_configs() if config.name.startswith("migrations_catalog.")
    }
    living = {model._meta.app_label for model in django_models._models("default")}
    assert not described & living


@pytest.mark.django_db(transaction=True)
def test_the_sites_own_database_is_audited_by_its_models() -> None:
    target = Target("default")
    with target.reading() as session:
        found = model_references("default", session.schema())
    assert "auth_user_groups.user_id" in {each.label for each in found}
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO auth_user_groups (user_id, group_id) VALUES (77, 88)")
    result = audit(target, Catalog(), others=found)
    connection.cursor().execute("DELETE FROM auth_user_groups")
    orphaned = {finding.columns for finding in result.with_code("orphaned_rows")}
    assert orphaned == {("user_id",), ("group_id",)}
