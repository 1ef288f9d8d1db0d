"""A plan refuses what would only move the damage, before anything is done."""

import pytest

from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.exceptions import PlanRefused
from integrity.plans import Plan, Request, make_plan
from integrity.references.reference import Resolution
from tests.catalogs import LendCatalog
from tests.servers import EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE region (id integer PRIMARY KEY);
CREATE TABLE shop (id integer PRIMARY KEY, region integer);
CREATE TABLE sale (id integer PRIMARY KEY, shop integer);
INSERT INTO region VALUES (1);
INSERT INTO shop VALUES (1, 1), (2, 99);
INSERT INTO sale VALUES (1, 1), (2, 50), (3, 2);
"""
CATALOG = """
[[reference]]
from = "shop.region"
to = "region.id"
on_delete = "CASCADE"
[[reference]]
from = "sale.shop"
to = "shop.id"
on_delete = "SET NULL"
"""


def plan(target: EmptyTarget, lend: LendCatalog, to: str) -> Plan:
    target.execute_script(TABLES)
    requests = [
        Request(parse_path("shop.region"), Resolution.DELETE),
        Request(parse_path("sale.shop"), Resolution.REASSIGN, to=(to,)),
    ]
    return make_plan(Target("target"), lend(CATALOG), requests)


def test_a_row_that_the_plan_deletes_is_nothing_to_point_at(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    with pytest.raises(
        PlanRefused, match=r"sale\.shop would be reassigned to shop 2, which this plan deletes"
    ):
        plan(empty_target, lend_catalog, "2")


def test_a_row_that_stays_is(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    found = plan(empty_target, lend_catalog, "1")

    assert [(step.reference.label, step.rows) for step in found.steps] == [
        ("shop.region", 1),
        ("sale.shop", 1),
    ]
    assert {name.name: (each.deleted, each.updated) for name, each in found.blast_radius().items()} == {
        "shop": (1, 0),
        "sale": (0, 2),
    }
