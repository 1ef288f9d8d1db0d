"""Duplicates that stand in the way of a unique: renamed or merged, and taken back exactly."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.exceptions import PlanMismatch, PlanRefused, RollbackRefused, TooManyRows
from integrity.plans import DuplicateRequest, Plan, make_deduplication_plan
from integrity.references.uniques import Duplicates
from integrity.repairs import Selection
from tests.repairs.world import World, there_and_back

pytestmark = pytest.mark.newest_postgres_only

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


def test_rows_do_not_come_back_as_duplicates_under_a_unique(shop: World) -> None:
    before = shop.rows()
    result = shop.repair(planned(shop, "rename"))
    shop.target.execute_script("CREATE UNIQUE INDEX uq_categories_store_slug ON categories (store_id, slug);")

    with pytest.raises(RollbackRefused, match=r"enforced by uq_categories_store_slug; 2 rows would be") as no:
        shop.roll_back(result.run)
    assert "--with-migrations" in no.value.hint
    with pytest.raises(RollbackRefused, match="--unvalidate does not help"):
        shop.roll_back(result.run, unvalidate=True)

    shop.target.execute_script("DROP INDEX uq_categories_store_slug;")
    shop.roll_back(result.run)
    assert shop.rows() == before


def test_part_of_a_merging_comes_back_where_it_then_refers_to_something(shop: World) -> None:
    before = shop.rows()
    result = shop.repair(planned(shop, "merge"))
    products = parse_path("products.category_id")
    table = replace(Selection(), references=("products.category_id",))
    assert products.columns

    alone = shop.roll_back(result.run, selection=table)
    assert alone.refused == 2
    assert "not back" in alone.refusals[0].reason

    losers = replace(Selection(), references=("categories.store_id,slug",))
    assert shop.roll_back(result.run, selection=losers).refusals == []
    assert shop.roll_back(result.run, selection=table).refusals == []
    shop.roll_back(result.run)
    assert shop.rows() == before


@pytest.mark.parametrize(
    ("survivor", "stays"),
    [("oldest", 1), ("newest", 3), ("note", 2), ("note desc", 3), ("most_referenced", 2)],
)
def test_who_stays_is_as_asked_and_null_comes_last(shop: World, survivor: str, stays: int) -> None:
    shop.repair(planned(shop, "merge", survivor=survivor))
    assert shop.value("SELECT id FROM categories WHERE slug = 'shoes' AND store_id = 1") == stays


def test_what_the_survivor_lacks_is_filled_on_request_alone(shop: World) -> None:
    there_and_back(shop, planned(shop, "merge"))
    assert shop.value("SELECT note FROM categories WHERE id = 1") is None
    shop.repair(planned(shop, "merge", fill=True))
    assert shop.value("SELECT note FROM categories WHERE id = 1") == "b"


def test_a_filling_is_taken_back_too(shop: World) -> None:
    there_and_back(shop, planned(shop, "merge", fill=True))


def test_one_shared_value_alone(shop: World) -> None:
    shop.target.execute_script("INSERT INTO categories VALUES (20, 2, 'shoes', NULL);")
    shop.repair(planned(shop, "merge", values=(("2", "shoes"),)))
    assert shop.value("SELECT count(*) FROM categories WHERE slug = 'shoes'") == 4
    with pytest.raises(PlanRefused, match="No two rows of categories share 2, boots"):
        planned(shop, "merge", values=(("2", "boots"),))


def test_shared_values_of_one_unique_go_different_ways_plan_by_plan(shop: World) -> None:
    shop.target.execute_script(
        "INSERT INTO categories VALUES (20, 2, 'shoes', NULL), (21, 3, 'caps', NULL), (22, 3, 'caps', NULL);"
    )
    unique = parse_path("categories.store_id,slug")
    asked = [
        DuplicateRequest(unique, Duplicates.RENAME, values=(("1", "shoes"), ("2", "shoes"))),
        DuplicateRequest(unique, Duplicates.MERGE),
        DuplicateRequest(unique, Duplicates.KEEP, values=(("2", "shoes"),)),
    ]
    target = Target(shop.target.alias)
    plan = make_deduplication_plan(target, shop.catalog, asked)
    assert [(str(each.action), each.values) for each in plan.duplicate_steps] == [
        ("merge", (("3", "caps"),)),
        ("keep", (("2", "shoes"),)),
    ]
    assert any("1 shared values of categories.store_id,slug go another way (rename)" in n for n in plan.notes)
    there_and_back(shop, plan)
    shop.repair(plan)
    standing = [replace(each, standing=True) for each in asked]
    (rename, keep) = make_deduplication_plan(target, shop.catalog, standing).duplicate_steps
    assert (str(rename.action), rename.values, rename.rows) == ("rename", (("1", "shoes"),), 2)
    assert str(keep.action) == "keep"


def test_kept_duplicates_are_said_and_left(shop: World) -> None:
    plan = planned(shop, "keep")
    assert (plan.touched, plan.duplicate_steps[0].groups) == (0, 1)


def test_what_was_approved_is_what_runs(shop: World) -> None:
    plan = planned(shop, "merge")
    assert Plan.from_json(plan.as_json()).hash == plan.hash
    before = shop.rows()
    shop.target.execute_script("UPDATE products SET category_id = 2 WHERE id = 1;")
    changed = shop.rows()
    assert changed != before
    with pytest.raises(PlanMismatch):
        shop.repair(plan)
    shop.target.execute_script("INSERT INTO categories VALUES (20, 1, 'shoes', NULL);")
    with pytest.raises(TooManyRows, match="now has 3 duplicates"):
        shop.repair(plan)


def test_no_more_rows_than_allowed(shop: World) -> None:
    with pytest.raises(TooManyRows, match="touches 7 rows"):
        planned(shop, "merge", max_rows=6)


def test_numbers_are_not_renamed(shop: World) -> None:
    with pytest.raises(PlanRefused, match="(?i)cannot be renamed: it holds integer"):
        planned(shop, "rename", rename="store_id")


def test_new_values_fit_the_column_and_cut_no_character(world: World) -> None:
    world.given(
        "CREATE TABLE tags (id integer PRIMARY KEY, name varchar(6));"
        "INSERT INTO tags VALUES (1, 'ééééé€'), (2, 'ééééé€'), (3, 'éééé-2'), (4, 'ÉÉÉÉ-3'), (5, 'ééééé€');"
    )
    world.repair(planned(world, "rename", "tags.name"))
    found = {row[0] for row in names(world, "SELECT name FROM tags")}
    assert len(found) == 5
    assert all(len(each) <= 6 for each in found)


def test_another_case_is_the_same_value_where_the_unique_says_so(world: World) -> None:
    world.given(
        "CREATE TABLE tags (id integer PRIMARY KEY, name text);"
        "INSERT INTO tags VALUES (1, 'Sale'), (2, 'sale'), (3, 'SALE-2'), (4, 'SALE');",
        text='[[unique]]\ntable = "tags"\ncolumns = ["name"]\ncase = "insensitive"\nname = "uq"\n',
    )
    there_and_back(world, planned(world, "rename", "tags.name"))
    world.repair(planned(world, "rename", "tags.name"))
    found = names(world, "SELECT name FROM tags ORDER BY id")
    assert found == [("Sale",), ("sale-3",), ("SALE-2",), ("SALE-4",)]


def test_only_the_part_that_a_partial_unique_speaks_of(world: World) -> None:
    world.given(
        "CREATE TABLE tags (id integer PRIMARY KEY, name text, n integer, live integer);"
        "INSERT INTO tags VALUES (1, 'a', 1, 1), (2, 'a', 1, 0), (3, 'a', 1, 1), (4, 'a', 1, 0);",
        text='[[unique]]\ntable = "tags"\ncolumns = ["name"]\nwhere = "live = 1"\nname = "uq"\n',
    )
    there_and_back(world, planned(world, "merge", "tags.name"))
    world.repair(planned(world, "merge", "tags.name"))
    assert names(world, "SELECT id FROM tags ORDER BY id") == [(1,), (2,), (4,)]


def test_a_tree_is_merged_down_to_its_leaves(world: World) -> None:
    """Merging two folders makes their sub-folders duplicates, and so on."""
    world.given(
        "CREATE TABLE folders (id integer PRIMARY KEY, parent integer REFERENCES folders, name text);"
        "INSERT INTO folders VALUES (1, NULL, 'root'), (2, 1, 'a'), (3, 1, 'a'), (4, 2, 'b'), (5, 3, 'b'),"
        " (6, 5, 'c'), (7, 4, 'c'), (8, 7, 'd'), (9, 3, 'e');",
        text='[[unique]]\ntable = "folders"\ncolumns = ["parent", "name"]\nname = "uq"\n',
    )
    there_and_back(world, planned(world, "merge", "folders.parent,name"))
    world.repair(planned(world, "merge", "folders.parent,name"))
    found = names(world, "SELECT id, parent, name FROM folders ORDER BY id")
    assert found == [(1, None, "root"), (2, 1, "a"), (4, 2, "b"), (6, 4, "c"), (8, 6, "d"), (9, 2, "e")]


def test_rows_without_a_key_are_told_apart(world: World) -> None:
    world.given(
        "CREATE TABLE tags (name text, n integer); INSERT INTO tags VALUES ('a', 1), ('a', 1), ('a', 2);"
    )
    there_and_back(world, planned(world, "merge", "tags.name"))
    there_and_back(world, planned(world, "rename", "tags.name"))


def test_two_that_refer_to_each_other_are_merged(world: World) -> None:
    world.given(
        "CREATE TABLE people (id integer PRIMARY KEY, email text, buddy integer REFERENCES people);"
        "INSERT INTO people VALUES (1, 'x', NULL), (2, 'x', 3), (3, 'x', 2), (4, 'y', 3), (5, 'z', 5);"
    )
    there_and_back(world, planned(world, "merge", "people.email"))


def test_odd_names_and_composite_keys(world: World) -> None:
    world.given(
        'CREATE TABLE "Odd % ""Table" ("a %s" integer, "b.c" varchar(8), "select" text, PRIMARY KEY ("a %s", "b.c"));'
        'CREATE TABLE "its children" (id integer PRIMARY KEY, x integer, y varchar(8));'
        """INSERT INTO "Odd % ""Table" VALUES (1, 'p', '50%'), (1, 'q', '50%'), (2, 'p', '100%');"""
        """INSERT INTO "its children" VALUES (1, 1, 'p'), (2, 1, 'q'), (3, 2, 'p'), (4, 1, NULL);""",
        '"its children".x,y -> "Odd % ""Table"."a %s","b.c"',
    )
    there_and_back(world, planned(world, "merge", '"Odd % ""Table"."select"'))
    there_and_back(world, planned(world, "rename", '"Odd % ""Table"."select"'))


def test_who_refers_by_value_stays_with_the_survivor(world: World) -> None:
    world.given(
        "CREATE TABLE tags (id integer PRIMARY KEY, name text);"
        "CREATE TABLE posts (id integer PRIMARY KEY, tag text);"
        "INSERT INTO tags VALUES (1, 'a'), (2, 'a'); INSERT INTO posts VALUES (1, 'a');",
        "posts.tag -> tags.name",
    )
    plan = planned(world, "rename", "tags.name")
    assert "posts.tag refers to name" in plan.notes[0]
    there_and_back(world, plan)


def test_a_row_that_a_trigger_keeps_is_refused_and_the_others_go_on(postgres_world: World) -> None:
    world = postgres_world
    world.given(
        SHOP + "INSERT INTO categories VALUES (30, 2, 'shoes', 'x');"
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN IF OLD.id = 2 THEN RETURN NULL; END IF; RETURN OLD; END';"
        "CREATE TRIGGER keep BEFORE DELETE ON categories FOR EACH ROW EXECUTE FUNCTION keep();",
        *REFERENCES, text=UNIQUE,
    )  # fmt: skip
    before = world.rows()
    result = world.repair(planned(world, "merge"))
    assert result.refused == 2
    assert world.value("SELECT count(*) FROM categories WHERE store_id = 2") == 1
    world.roll_back(result.run)
    assert world.rows() == before
