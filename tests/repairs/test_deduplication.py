"""Duplicates that stand in the way of a unique: renamed or merged, and taken back exactly."""

from collections.abc import Sequence
from typing import Any

import pytest

from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.plans import DuplicateRequest, Plan, make_deduplication_plan
from integrity.references.uniques import Duplicates
from tests.repairs.world import World, there_and_back

SHOP = """
CREATE TABLE stores (id integer PRIMARY KEY, name varchar(40));
CREATE TABLE categories (id integer PRIMARY KEY, store_id integer, slug varchar(12), note text);
CREATE TABLE products (id integer PRIMARY KEY, store_id integer, category_id integer, name text);
CREATE TABLE pins (category_id integer NOT NULL, place integer NOT NULL, PRIMARY KEY (category_id, place));
INSERT INTO stores VALUES (1, 'one'), (2, 'two');
INSERT INTO categories VALUES
  (1, 1, 'shoes', NULL), (2, 1, 'shoes', 'b'), (3, 1, 'shoes', 'c'), (4, 2, 'shoes', NULL),
  (5, 1, 'shoes-2', NULL), (6, NULL, 'hats', NULL), (7, NULL, 'hats', NULL), (8, 1, NULL, NULL), (9, 1, NULL, NULL);
INSERT INTO products VALUES (1, 1, 1, 'a'), (2, 1, 2, 'b'), (3, 1, 3, 'c'), (4, 2, 4, 'd'), (5, 1, NULL, 'e'),
  (6, 1, 77, 'orphan');
INSERT INTO pins VALUES (1, 1), (2, 1), (2, 2), (3, 2), (4, 1);
"""
REFERENCES = ("categories.store_id -> stores.id", "products.category_id -> categories.id",
              "pins.category_id -> categories.id CASCADE")  # fmt: skip
UNIQUE = """
[[unique]]
table = "categories"
columns = ["store_id", "slug"]
name = "uq_categories_store_slug"
"""


def planned(world: World, action: str, unique: str = "categories.store_id,slug", **wishes: Any) -> Plan:
    """A plan for the duplicates of one unique."""
    limit = wishes.pop("max_rows", None)
    request = DuplicateRequest(parse_path(unique), Duplicates(action), **wishes)
    return make_deduplication_plan(Target(world.target.alias), world.catalog, [request], max_rows=limit)


def names(world: World, sql: str) -> Sequence[Any]:
    """Rows as lists."""
    return [tuple(row) for row in world.target.rows(sql)]


@pytest.fixture
def shop(world: World) -> World:
    """Categories of two stores, three of which share a slug."""
    return world.given(SHOP, *REFERENCES, text=UNIQUE)


def test_others_are_renamed_past_every_value_that_is_taken(shop: World) -> None:
    plan = planned(shop, "rename")
    shop.repair(plan)
    found = names(shop, "SELECT id, slug FROM categories WHERE id <= 5 ORDER BY id")
    assert found == [(1, "shoes"), (2, "shoes-3"), (3, "shoes-4"), (4, "shoes"), (5, "shoes-2")]


def test_a_renaming_is_taken_back_exactly(shop: World) -> None:
    there_and_back(shop, planned(shop, "rename"))


def test_children_of_merged_rows_refer_to_the_survivor(shop: World) -> None:
    result = shop.repair(planned(shop, "merge"))
    assert result.refusals == []
    assert names(shop, "SELECT id FROM categories ORDER BY id") == [(1,), (4,), (5,), (6,), (7,), (8,), (9,)]
    found = names(shop, "SELECT id, category_id FROM products ORDER BY id")
    assert found == [(1, 1), (2, 1), (3, 1), (4, 4), (5, None), (6, 77)]


def test_children_that_become_duplicates_are_merged_as_well(shop: World) -> None:
    shop.repair(planned(shop, "merge"))
    assert names(shop, "SELECT category_id, place FROM pins ORDER BY 1, 2") == [(1, 1), (1, 2), (4, 1)]


def test_a_merging_is_taken_back_exactly(shop: World) -> None:
    there_and_back(shop, planned(shop, "merge"))
