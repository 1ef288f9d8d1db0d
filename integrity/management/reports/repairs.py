"""What a repair or a rollback did, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from integrity.management.blocks import Block, Grid, Line, Title, count
from integrity.management.reports.plans import rows_json
from integrity.plans import Plan
from integrity.references.reference import written
from integrity.repairs import RepairResult, RollbackResult, State, command_for

REFUSALS_SHOWN = 20
_WORDS = ("deleted", "updated", "inserted", "restored", "refused")


def repair_blocks(result: RepairResult, catalog: Path | None = None) -> Iterator[Block]:
    """Yields what was done by table, what was refused, and how to take it back."""
    lent = f" --catalog {catalog}" if catalog else ""
    if result.run is None:
        yield Line(f"There was nothing to change on {result.target}.", "good")
        return
    yield Title(f"Run {result.run} of {result.target}: {str(result.state).replace('_', ' ')}")
    yield from _rows(result)
    yield from _refusals(result)
    yield from _differences(result)
    if result.state is not State.FINISHED:
        yield Line("Every finished batch is kept and journaled.")
        yield Line(
            f"Go on with: manage.py {command_for(result.kind)} {result.target} --resume {result.run}{lent}"
        )
    if not isinstance(result, RollbackResult):
        yield Line(f"Take it back with: manage.py integrity_rollback {result.target} {result.run}{lent}")


def rollback_blocks(result: RollbackResult) -> Iterator[Block]:
    """Yields what came back, what was refused, and the comparison with before."""
    yield Title(f"Run {result.of} of {result.target} taken back by run {result.run}: {result.state}")
    yield from _rows(result)
    yield from _refusals(result)
    yield from _proof(result)


def _rows(result: RepairResult) -> Iterator[Block]:
    if not result.rows:
        return
    shown = [word for word in _WORDS if any(getattr(each, word) for each in result.rows.values())]
    rows = [
        (written(table), *(getattr(tally, word) for word in shown))
        for table, tally in sorted(result.rows.items())
    ]
    yield Grid(("table", *shown), rows)
    yield Line(f"In {result.duration_s:,.1f} s.", "faint")


def _refusals(result: RepairResult) -> Iterator[Block]:
    if not result.refused:
        return
    yield Line(f"{count(result.refused, 'row')} refused, left as they were:", "warning")
    for each in result.refusals[:REFUSALS_SHOWN]:
        key = ", ".join(f"{name} {value}" for name, value in each.key.items())
        yield Line(f"{written(each.table)} ({key}): {each.reason}", "warning", 1)
    if len(result.refusals) > REFUSALS_SHOWN:
        yield Line(f"… and {len(result.refusals) - REFUSALS_SHOWN:,} more, see integrity_log", "faint", 1)


def _differences(result: RepairResult) -> Iterator[Block]:
    """Whether the run did what the plan promised, and where it did not, why."""
    if result.state is not State.FINISHED or not result.promised:
        return
    if not result.differences:
        yield Line("No more than the plan said." if result.at_most else "Exactly what the plan said.", "good")
    for each in result.differences:
        what = f"{written(each.table)}: {each.done:,} {each.kind}, {each.promised:,} planned"
        yield Line(f"{what}: {each.why}.", "warning")


def _proof(result: RollbackResult) -> Iterator[Block]:
    proof = result.proof
    yield Title("Compared with before the repair")
    tables = [
        (name, each) for name, each in sorted(proof.tables.items()) if each.restored or not proof.partial
    ]
    if tables and proof.partial:
        yield Grid(
            ("table", "restored", "equal"),
            [(written(name), each.restored, each.rows_equal) for name, each in tables],
        )
        yield Line(f"The rest of run {result.of} stands, so whole tables are not compared.", "faint")
    elif tables:
        yield Grid(
            ("table", "restored", "digest before", "digest now", "equal"),
            [
                (
                    written(name),
                    each.restored,
                    each.digest_before[-12:],
                    each.digest_after[-12:],
                    _equal(each),
                )
                for name, each in tables
            ],
            ["" if each.table_equal or proof.partial else "warning" for _, each in tables],
        )
    if not proof.partial and not all(each.table_equal for _, each in tables if each.digest_before):
        yield Line(
            "A whole table that differs was changed by others since: their rows stay as they are.", "faint"
        )
    yield _judged("Every restored row", proof.rows_equal)
    yield from _structure(result)


def _structure(result: RollbackResult) -> Iterator[Block]:
    proof, older = result.proof, len(result.proof.older_migrations)
    before, now = proof.schema_before[:12], proof.schema_after[:12]
    if not older:
        yield _judged(f"The structure ({before} before, {now} now)", proof.schema_equal)
        yield from _named("It differs in:", proof.schema_differences)
        return
    made = f"what {count(older, 'migration')} older than the run made"
    if proof.schema_equal:
        yield Line(f"The structure is as it was, but for {made}.", "warning")
    else:
        yield Line(f"The structure is NOT as it was, and not only by {made}.", "error")
        yield from _named("It differs besides in:", proof.schema_differences)
    stood = "It stood" if older == 1 else "They stood"
    yield Line(
        f"{stood} in the way of the rows and went back, too: {', '.join(proof.older_migrations)}.", depth=1
    )
    yield from _named("By that it differs in:", proof.older_differences)
    yield Line(f"Apply again with: manage.py integrity_migrate {result.target}", depth=1)


def _named(what: str, differences: Sequence[str]) -> Iterator[Block]:
    if differences:
        yield Line(what, depth=1)
    for each in differences[:REFUSALS_SHOWN]:
        yield Line(each, depth=2)
    if len(differences) > REFUSALS_SHOWN:
        yield Line(f"… and {len(differences) - REFUSALS_SHOWN:,} more", "faint", 2)


def _equal(table: Any) -> bool | str:
    return table.table_equal if table.digest_before else "not digested"


def _judged(what: str, equal: bool) -> Line:
    return Line(f"{what} {'is as it was' if equal else 'is NOT as it was'}.", "good" if equal else "error")


def planned_json(plan: Plan, kind: str) -> dict[str, Any]:
    """Returns what a run of a plan would say: the shape of a result, with nothing done."""
    return {
        "target": plan.target,
        "run": None,
        "kind": kind,
        "state": str(State.PLANNED),
        "plan": plan.hash,
        "dry_run": True,
        "rows": rows_json(plan.blast_radius()),
        "refusals": [],
        "duration_s": 0.0,
        "differences": [],
    }


def planned_blocks(rows: dict[str, dict[str, int]], migrations: Sequence[str]) -> Iterator[Block]:
    """Yields what a rollback would take back."""
    if rows:
        yield Grid(
            ("table", *_WORDS[:3]),
            [(name, *(each.get(word, 0) for word in _WORDS[:3])) for name, each in sorted(rows.items())],
        )
    if migrations:
        yield Line(f"Migrations that would be reversed: {', '.join(migrations)}.", "warning")
