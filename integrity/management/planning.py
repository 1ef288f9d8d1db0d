"""From options to a plan: the one that was approved, or a new one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Any

from integrity import store
from integrity.audit import Progress
from integrity.exceptions import PlanMismatch, PlanRefused, TooManyRows
from integrity.management.deduplicating import duplicate_requests
from integrity.management.options import actor, requests
from integrity.management.terminal import Terminal
from integrity.plans import Plan, Request
from integrity.plans.script import Scripts, scripts
from integrity.references.resolve import choose
from integrity.repairs import DEDUPLICATION, command_for
from integrity.tasks import decided_requests, known_of, plan_and_store, plan_deduplication_and_store


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
    """What was asked for now, and what people decided before it: with an action the exceptions from it,
    without one everything, with ``--decided`` nothing else."""
    asked = requests(options)
    if options.get("missing") or options.get("row"):
        return asked
    if options.get("action") or options.get("to"):
        exceptions = [each for each in store.decisions_for(options["target"]) if not each.general]
        return [*asked, *_about(options, exceptions)]
    decided = options.get("decided")
    standing = decided_requests(options["target"]) if decided else store.decisions_for(options["target"])
    if standing:
        standing = _about(options, standing)
        if decided and not standing:
            raise PlanRefused(
                "Nothing stands decided about these references",
                where=options["target"],
                hint="Leave --reference out, or say with --action what is to become of their orphans.",
            )
    return standing if decided else [*asked, *standing]


def _about(options: dict[str, Any], decided: Sequence[Request]) -> list[Request]:
    """The decisions about the references that were named, all where none was."""
    if not decided or not options["reference"]:
        return list(decided)
    schema, _, references = known_of(options["target"], options["catalog"])
    wanted = {
        (each.table.name, frozenset(each.columns))
        for each in choose(references, schema, options["reference"])
    }
    return [
        each
        for each in decided
        if each.reference and (each.reference.table, frozenset(each.reference.columns)) in wanted
    ]


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
