"""A plan for orphans names the duplicates that are left for another."""

import pytest

from tests.repairs.test_deduplication import REFERENCES, SHOP, UNIQUE
from tests.repairs.world import World

pytestmark = pytest.mark.newest_postgres_only


@pytest.fixture
def shop(world: World) -> World:
    return world.given(SHOP, *REFERENCES, text=UNIQUE)


def test_a_plan_of_everything_names_the_duplicates(shop: World) -> None:
    (note,) = shop.plan().notes

    assert note == (
        "3 rows share 1 value of categories.store_id,slug: a plan of its own, "
        "manage.py integrity_deduplicate target --unique categories.store_id,slug"
    )
    assert shop.plan().complete


def test_a_plan_of_one_reference_speaks_of_it_alone(shop: World) -> None:
    assert shop.ask("delete", "products.category_id").notes == ()


def test_a_unique_that_stands_has_nothing_to_name(shop: World) -> None:
    shop.target.execute_script(
        "UPDATE categories SET slug = slug || id WHERE slug = 'shoes';"
        "CREATE UNIQUE INDEX uq ON categories (store_id, slug)"
    )

    assert shop.plan().notes == ()
