"""Each phase can be deployed alone and taken back alone; what a phase needs is looked at before it begins."""

from typing import Any

import pytest

from tests.commands import run, run_json
from tests.test_commerce import NAME, Shop, shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

__all__ = ["shop"]

ROLLED_BACK = ("fk_products_store", "uq_categories_store_slug", "idx_order_items_order_product")
"""The three rollback scripts of the text: a foreign key, a unique, an index."""


def verdicts(document: Any, what: str) -> list[str]:
    return [
        each["verdict"]
        for step in document["migrations"]
        for each in step["checks"]
        if each["what"] == what and each["moment"] == "after"
    ]


def names(shop: Shop) -> set[str]:
    """Every index, unique and foreign key that stands."""
    return {
        each.name
        for table in shop.schema()
        if table.name.name != "django_migrations"
        for each in (*table.indexes, *table.keys, *table.foreign_keys)
        if each.name
    }


@pytest.mark.parametrize("phase", [1, 2])
def test_a_phase_alone_leaves_a_shop_that_works_and_comes_back_alone(shop: Shop, phase: int) -> None:
    done = run_json("migrate", NAME, "--phase", phase)
    flows = verdicts(done, "flow")
    assert set(flows) == {"passed"}
    assert len(flows) == 5 * phase
    assert set(verdicts(done, "index")) == {"passed"}
    assert ("fk_products_store" in names(shop)) is (phase == 2)
    assert "idx_order_items_order_product" in names(shop)
    assert run("migrate", NAME, "--phase", phase, "--format", "json").json["migrations"] == []
    back = run_json("migrate", NAME, "zero", "--no-input")
    assert set(verdicts(back, "flow")) <= {"passed", "noted"}
    assert shop.state() == shop.before


def test_the_last_phase_names_what_is_in_its_way_and_begins_nothing(shop: Shop) -> None:
    run_json("migrate", NAME, "--phase", 2)
    before = shop.state()
    stopped = run("migrate", NAME, "--format", "json")
    assert stopped.code == 2
    failed = [each["subject"] for each in stopped.json["checks"] if each["verdict"] == "failed"]
    assert len(failed) == len(shop.manifest.references) + 2
    assert "integrity_cleanup" in stopped.err
    assert "integrity_deduplicate" in stopped.err
    assert "23505" not in stopped.err
    assert len(stopped.err.splitlines()) < 20
    assert shop.state() == before


def test_taking_everything_back_does_what_the_rollback_scripts_do(shop: Shop) -> None:
    had = names(shop)
    run_json("migrate", NAME, "--phase", 2)
    assert {ROLLED_BACK[0], ROLLED_BACK[2]} <= names(shop)
    run_json("migrate", NAME, "zero", "--no-input")
    assert names(shop) == had
    assert not names(shop) & set(ROLLED_BACK)


def test_a_rollback_script_that_somebody_ran_by_hand_is_no_obstacle(shop: Shop) -> None:
    """The text's own statements, and then the reverse."""
    run_json("migrate", NAME, "--phase", 2)
    shop.target.execute_script("DROP INDEX IF EXISTS idx_order_items_order_product")
    if not shop.sqlite:
        shop.target.execute_script("ALTER TABLE products DROP CONSTRAINT IF EXISTS fk_products_store")
    run_json("migrate", NAME, "zero", "--no-input")
    assert shop.state() == shop.before
