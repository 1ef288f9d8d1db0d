"""From options to a plan: the one that was approved, or a new one."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any

from integrity import store
from integrity.audit import Progress
from integrity.exceptions import PlanMismatch, TooManyRows
from integrity.management.deduplicating import duplicate_requests
from integrity.management.options import actor, requests
from integrity.management.terminal import Terminal
from integrity.plans import Plan, Request
from integrity.plans.script import Scripts, scripts
from integrity.references.resolve import choose
from integrity.repairs import DEDUPLICATION, command_for
from integrity.tasks import known_of, plan_and_store, plan_deduplication_and_store


def planned(terminal: Terminal, options: dict[str, Any], kind: str = "") -> Plan:
    """Returns the plan that ``--plan`` names, or makes and stores one of what was asked for.

    Args:
        terminal: where progress is shown.
        options: of the command.
        kind: of the run; ``deduplicate`` plans duplicates, everything else orphans.

    Raises:
        PlanMismatch, TooManyRows, PlanRefused, …: see :func:`integrity.plans.make_plan`.
    """
    alias = options["target"]
    if options["plan"]:
        plan = store.load_plan(alias, options["plan"])
        _refuse_other_kind(plan, kind)
        _refuse_more(plan, options["max_rows"])
        return plan
    with terminal.progress(f"planning for {alias}") as told:
        counted: list[str] = []

        def on_step(label: str) -> None:
            counted.append(label)
            told(Progress(len(counted), None, label))

        if kind == DEDUPLICATION:
            return plan_deduplication_and_store(
                alias,
                duplicate_requests(options),
                catalog_file=options["catalog"],
                max_rows=options["max_rows"],
                on_step=on_step,
                actor=actor(),
            )
        return plan_and_store(
            alias,
            _requests(options),
            catalog_file=options["catalog"],
            max_rows=options["max_rows"],
            on_step=on_step,
            actor=actor(),
        )


def scripts_of(plan: Plan, catalog_file: FilePath | None) -> Scripts:
    """Returns the scripts that do by hand what a plan does."""
    schema, _, references = known_of(plan.target, catalog_file)
    return scripts(plan, schema, references)


def _requests(options: dict[str, Any]) -> list[Request]:
    """What was asked for now; without an action, what people decided before it."""
    asked = requests(options)
    if options.get("action") or options.get("to"):
        return asked
    decided = store.decisions_for(options["target"])
    if not decided:
        return asked
    schema, _, references = known_of(options["target"], options["catalog"])
    wanted = {each.sides for each in choose(references, schema, options["reference"])}
    standing = []
    for request in decided:
        named = [
            each
            for each in references
            if request.reference
            and (each.table.name, set(each.columns))
            == (request.reference.table, set(request.reference.columns))
        ]
        if any(each.sides in wanted for each in named):
            standing.append(request)
    return [*asked, *standing]


def _refuse_other_kind(plan: Plan, kind: str) -> None:
    """A plan about duplicates is no cleanup, whatever hash was given; integrity_plan shows both."""
    mine, about = kind == DEDUPLICATION, bool(plan.duplicate_steps)
    if kind and plan.steps and mine != about:
        resolves = "duplicates" if about else "orphans"
        raise PlanMismatch(
            f"Plan {plan.hash[:12]} resolves {resolves}",
            where=plan.target,
            hint="Carry it out with: manage.py "
            f"{command_for(DEDUPLICATION if about else 'cleanup')} {plan.target} --plan {plan.hash[:16]}",
        )


def _refuse_more(plan: Plan, limit: int | None) -> None:
    if limit is not None and plan.touched > limit:
        raise TooManyRows(
            f"The plan touches {plan.touched:,} rows, more than --max-rows {limit:,}",
            where=plan.target,
            hint="Nothing was changed.",
        )
