"""What people decided becomes a plan: run what was decided, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as FilePath
from typing import NoReturn

from integrity import store
from integrity.exceptions import PlanRefused
from integrity.plans import DuplicateRequest, Plan, Request
from integrity.tasks.deduplicating import plan_deduplication_and_store
from integrity.tasks.reading import plan_and_store


def plan_decided(
    alias: str,
    *,
    catalog_file: FilePath | None = None,
    max_rows: int | None = None,
    on_step: Callable[[str], None] | None = None,
    actor: str = "",
) -> Plan:
    """Plans all that stands decided about a target's orphans, and no policy, and stores the plan.

    What a decision names and is gone by now is left out; a decision that cannot be carried out any more
    is a note of the plan, and its orphans stay.

    Args:
        alias: the target.
        catalog_file: a catalog lent for this plan.
        max_rows: refuse a plan that touches more rows than this.
        on_step: told the reference that is being counted.
        actor: who asks.

    Raises:
        PlanRefused: nothing is decided.
        ReferentialIntegrityError: see :func:`integrity.plans.make_plan`.
    """
    requests = decided_requests(alias)
    return plan_and_store(
        alias, requests, catalog_file=catalog_file, max_rows=max_rows, on_step=on_step, actor=actor
    )


def plan_decided_duplicates(
    alias: str,
    *,
    catalog_file: FilePath | None = None,
    max_rows: int | None = None,
    on_step: Callable[[str], None] | None = None,
    actor: str = "",
) -> Plan:
    """The same for duplicates, which are a plan of their own."""
    requests = decided_duplicates(alias)
    return plan_deduplication_and_store(
        alias, requests, catalog_file=catalog_file, max_rows=max_rows, on_step=on_step, actor=actor
    )


def decided_requests(alias: str) -> list[Request]:
    """Returns what stands decided about a target's orphans, as requests for a plan.

    Raises:
        PlanRefused: nothing does; a plan without requests would be one of the policies.
    """
    found = store.decisions_for(alias)
    return found or _nothing(alias, "orphans", "integrity_cleanup")


def decided_duplicates(alias: str) -> list[DuplicateRequest]:
    """Returns what stands decided about a target's duplicates, as requests for a plan.

    Raises:
        PlanRefused: nothing does.
    """
    found = store.duplicate_decisions_for(alias)
    return found or _nothing(alias, "duplicates", "integrity_deduplicate")


def _nothing(alias: str, what: str, command: str) -> NoReturn:
    raise PlanRefused(
        f"Nothing stands decided about the {what} of {alias}",
        where=alias,
        hint=f"Decide in admin; manage.py {command} {alias} takes what is to become of them.",
    )
