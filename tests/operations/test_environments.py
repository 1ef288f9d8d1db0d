"""Migrations of one environment are applied there alone; seed data for test never comes to production."""

from typing import Any

import pytest

from integrity.audit import audit
from integrity.database.session import Target
from integrity.exceptions import CatalogError, SchemaFixRefused
from integrity.operations import AddIndex
from integrity.operations.environments import in_environment
from integrity.operations.migration_states import migration_status
from integrity.references import load_catalog
from integrity.tasks import plan_of_migrations
from tests.commands import run, run_json
from tests.operations.conftest import Shop

pytestmark = pytest.mark.newest_postgres_only

CATALOG = """
[environment.test]
migrations = ["0002_seed"]

[environment.demonstration]
migrations = ["0002_seed", "0004_pictures"]

[environment.production]
"""


def index(column: str) -> AddIndex:
    return AddIndex(table="orders", columns=(column,), name=f"orders_{column}_idx")


@pytest.fixture
def divided(shop: Shop) -> Shop:
    """A shop whose second and last migrations belong to some environments only."""
    for name, column in (
        ("0001_a", "status"),
        ("0002_seed", "total"),
        ("0003_b", "customer_id"),
        ("0004_pictures", "id"),
    ):
        shop.migration(name, index(column))
    (shop.root / shop.alias / "catalog.toml").write_text(CATALOG)
    return shop


def applied(shop: Shop) -> set[str]:
    return {each.name for each in migration_status(Target(shop.alias)) if each.state == "applied"}


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        ("production", {"0001_a", "0003_b"}),
        ("test", {"0001_a", "0002_seed", "0003_b"}),
        ("demonstration", {"0001_a", "0002_seed", "0003_b", "0004_pictures"}),
        ("", {"0001_a", "0003_b"}),
    ],
)
def test_each_environment_gets_its_own(divided: Shop, here: str, expected: set[str]) -> None:
    with in_environment(here):
        planned = plan_of_migrations(divided.alias)
        divided.run()

        assert {step.name for step in planned.steps} == expected
        assert applied(divided) == expected
        assert divided.run().steps == ()

        divided.run(to="zero")
        assert applied(divided) == set()


def test_the_setting_says_where_this_is_and_the_option_overrules_it(divided: Shop, settings: Any) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "ENVIRONMENT": "production"}

    listed = run("migrate", divided.alias, "--list").out
    there = run_json("migrate", divided.alias, "--list", "--environment", "test")

    assert "left out" in listed
    assert "only in" in listed
    assert {each["name"]: each["state"] for each in there["migrations"]}["0002_seed"] == "pending"
    assert there["migrations"][1]["environments"] == ["test", "demonstration"]


@pytest.mark.django_db
def test_what_is_left_out_is_not_waiting(divided: Shop) -> None:
    assert run("migrate", divided.alias, "--environment", "production").code == 0

    assert run("migrate", divided.alias, "--check", "--environment", "production").code == 0
    assert run("migrate", divided.alias, "--check", "--environment", "test").code == 1


def test_an_environment_that_nobody_knows_is_an_error(divided: Shop) -> None:
    ran = run("migrate", divided.alias, "--environment", "prodution")

    assert ran.code == 2
    assert "There is no environment 'prodution'" in ran.err
    assert "production" in ran.err
    assert applied(divided) == set()


def test_a_migration_that_nobody_knows_is_an_error(divided: Shop) -> None:
    catalog = divided.root / divided.alias / "catalog.toml"
    catalog.write_text(CATALOG.replace('["0002_seed"]', '["0002_sed"]'))

    with pytest.raises(CatalogError, match=r"no migration '0002_sed' .*\[environment.test\].*0002_seed"):
        divided.run()


def test_one_that_is_left_out_cannot_be_gone_to(divided: Shop) -> None:
    with (
        in_environment("production"),
        pytest.raises(SchemaFixRefused, match="belongs to the environment test"),
    ):
        divided.run(to="0002")


def test_one_that_came_where_it_does_not_belong_is_found_and_can_be_reversed(
    divided: Shop, settings: Any
) -> None:
    with in_environment("test"):
        divided.run()
    settings.INTEGRITY = {**settings.INTEGRITY, "ENVIRONMENT": "production"}

    (finding,) = audit(Target(divided.alias), load_catalog(divided.alias)).with_code("wrong_environment")
    assert "0002_seed belongs to the environment test and demonstration" in finding.message

    divided.run(to="0001")
    assert applied(divided) == {"0001_a"}
    divided.run()
    assert applied(divided) == {"0001_a", "0003_b"}
    assert not audit(Target(divided.alias), load_catalog(divided.alias)).with_code("wrong_environment")


def test_where_nobody_said_which_environment_this_is_nothing_is_wrong(divided: Shop) -> None:
    with in_environment("test"):
        divided.run()

    assert not audit(Target(divided.alias), load_catalog(divided.alias)).with_code("wrong_environment")


def test_a_broken_catalog_does_not_let_them_through(divided: Shop) -> None:
    (divided.root / divided.alias / "catalog.toml").write_text("[environment.test\nmigrations = [")

    with pytest.raises(CatalogError, match="not TOML"):
        divided.run()
    assert divided.value("SELECT count(*) FROM orders") == 3


def test_a_catalog_without_environments_has_none_to_know(shop: Shop) -> None:
    shop.migration("0001_a", index("status"))

    with in_environment("anywhere"):
        shop.run()

    assert applied(shop) == {"0001_a"}
