"""What was shown is what runs: plans are found by their hashes and are what these say."""

from collections.abc import Callable
from datetime import date

import pytest

from integrity import models, store
from integrity.exceptions import PlanMismatch
from integrity.plans import Plan
from integrity.references import Resolution
from tests.factories import StoredPlanFactory, TargetFactory

pytestmark = pytest.mark.django_db

MakePlan = Callable[..., Plan]


def test_a_plan_comes_back_as_it_was(plan: MakePlan) -> None:
    made = plan(Resolution.REASSIGN, values=(("customer_id", 0),))
    store.store_plan(made, actor="ada")
    loaded = store.load_plan("shop", made.hash)
    assert (loaded.hash, loaded.steps, loaded.notes) == (made.hash, made.steps, made.notes)


def test_eight_characters_of_the_hash_are_enough(plan: MakePlan) -> None:
    made = plan()
    store.store_plan(made)
    assert store.load_plan("shop", made.hash[:8].upper()).hash == made.hash


def test_fewer_characters_are_refused(plan: MakePlan) -> None:
    made = plan()
    store.store_plan(made)
    with pytest.raises(PlanMismatch, match="at least 8"):
        store.load_plan("shop", made.hash[:7])


def test_the_same_plan_is_stored_once(plan: MakePlan) -> None:
    assert store.store_plan(plan()) == store.store_plan(plan())


def test_values_that_are_not_json_keep_the_hash(plan: MakePlan) -> None:
    made = plan(Resolution.REASSIGN, values=(("since", date(2020, 1, 2)),))
    store.store_plan(made)
    assert store.load_plan("shop", made.hash).hash == made.hash


def test_an_unknown_plan_says_how_to_make_one() -> None:
    with pytest.raises(PlanMismatch, match=r"manage\.py integrity_plan shop"):
        store.load_plan("shop", "0123456789")


def test_a_plan_of_another_target_is_unknown(plan: MakePlan) -> None:
    made = plan(target="barn")
    store.store_plan(made)
    with pytest.raises(PlanMismatch, match="No plan begins"):
        store.load_plan("shop", made.hash)


def test_an_ambiguous_beginning_is_refused() -> None:
    target = TargetFactory.create(alias="shop")
    for ending in "ab":
        StoredPlanFactory.create(target=target, hash="12345678" + ending * 56)
    with pytest.raises(PlanMismatch, match="More than one"):
        store.load_plan("shop", "12345678")


def test_a_plan_that_somebody_changed_does_not_run(plan: MakePlan) -> None:
    row = store.store_plan(plan())
    row.plan["steps"][0]["rows"] = 1
    models.StoredPlan.objects.filter(pk=row.pk).update(plan=row.plan)
    with pytest.raises(PlanMismatch, match="not what its hash says"):
        store.load_plan("shop", row.hash)
