"""Plans of duplicates, stored under their hash; they are run like any other plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path as FilePath

from integrity import store
from integrity.database.session import Target
from integrity.plans import DuplicateRequest, Plan, make_deduplication_plan
from integrity.references import load_catalog
from integrity.tasks.reading import others_of


def plan_deduplication_and_store(
    alias: str,
    requests: Sequence[DuplicateRequest] = (),
    *,
    catalog_file: FilePath | None = None,
    max_rows: int | None = None,
    on_step: Callable[[str], None] | None = None,
    actor: store.Actor = "",
) -> Plan:
    """Makes a plan for duplicates and stores it under its hash, by which it can be approved.

    Args:
        alias: the target.
        requests: what somebody decided; without any, every unique of the catalog by its policy.
        catalog_file: a catalog lent for this plan.
        max_rows: refuse a plan that touches more rows than this.
        on_step: told the unique that is being looked at.
        actor: who asks.

    Raises:
        PlanRefused, TooManyRows, NotCheckable, CatalogError: see
            :func:`integrity.plans.make_deduplication_plan`.
    """
    target = Target(alias)
    catalog, others = load_catalog(alias, catalog_file), others_of(target)
    plan = make_deduplication_plan(
        target, catalog, requests, max_rows=max_rows, others=others, on_step=on_step
    )
    store.store_plan(plan, actor=actor)
    return plan
