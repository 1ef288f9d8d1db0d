"""What was or would be migrated, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from integrity.management.blocks import Block, Code, Grid, Line, Title, count
from integrity.operations.check import Check, Moment, Verdict, shortened
from integrity.operations.executor import StepEvent, StepState
from integrity.operations.fixes import SchemaFix
from integrity.operations.migration_states import MigrationState, MigrationStatus
from integrity.operations.runner import MigrateResult
from integrity.operations.writer import WrittenFile
from integrity.references.ledgers import Ledger, LedgerSummary
from integrity.references.reference import written
from integrity.tasks import Adoption

_SIGNS = {
    Verdict.PASSED: ("✓", "faint"),
    Verdict.FAILED: ("✗", "error"),
    Verdict.NOTED: ("!", "warning"),
    Verdict.SKIPPED: ("?", "warning"),
}
_SHOWN = {Verdict.PASSED: 2, Verdict.FAILED: 5, Verdict.NOTED: 3, Verdict.SKIPPED: 3}
"""Of one kind; with ``-v 2`` and in JSON there are all."""

HINTS_SHOWN = 3
_PHASES = {1: "harmless", 2: "binds new rows", 3: "binds all rows"}


def steps_blocks(result: MigrateResult, *, planned: bool = False) -> Iterator[Block]:
    """Yields the migrations of a run."""
    yield Title(f"Migrations of {result.target}")
    if not result.steps:
        yield Line("Nothing to do: everything is applied as asked.", "good")
        return
    columns = ("migration", "phase", "direction") if planned else ("migration", "phase", "state", "seconds")
    yield Grid((*columns, "checks"), [(*_step_row(each, planned), _tally(each)) for each in result.steps])
    if planned:
        yield from _what_is_in_the_way(result.steps)
        yield from (Line(note, "warning") for note in result.notes)
    if not planned:
        yield Line(f"{count(len(result.steps), 'migration')} in {result.seconds:,.1f} s.", "good")
        yield from (Line(note, "warning") for note in result.notes)


def _tally(step: StepEvent) -> str:
    """``5 passed, 1 noted``."""
    verdicts = [each.verdict for each in step.checks]
    return ", ".join(f"{verdicts.count(each)} {each}" for each in Verdict if each in verdicts) or "none"


def _what_is_in_the_way(steps: Sequence[StepEvent]) -> Iterator[Block]:
    """A plan's checks that did not pass; those of a run were said while it went on."""
    for step in steps:
        found = [each for each in step.checks if each.verdict is not Verdict.PASSED]
        if found:
            yield Line(step.name)
        for text, style in check_lines(found):
            yield Line(text, style, 1)
    failed = [each for step in steps for each in step.checks if each.verdict is Verdict.FAILED]
    hints = list(dict.fromkeys(each.hint for each in failed if each.hint))
    for hint in hints[:HINTS_SHOWN]:
        yield Line(hint, "faint")


def check_lines(checks: Sequence[Check], *, every: bool = False) -> Iterator[tuple[str, str]]:
    """Yields checks for people, each with its style: of one kind and verdict only some, unless ``every``."""
    kinds: dict[tuple[str, Verdict], list[Check]] = {}
    for check in checks:
        kinds.setdefault((check.what, check.verdict), []).append(check)
    for (what, verdict), alike in kinds.items():
        sign, style = _SIGNS[verdict]
        most = len(alike) if every else _SHOWN[verdict]
        if len(alike) > most == _SHOWN[Verdict.PASSED]:
            yield f"{sign} {what}: {count(len(alike), 'check')} passed", style
            continue
        for check in alike[:most]:
            yield f"{sign} {_said(check)}", style
        if len(alike) > most:
            yield f"{sign} {what}: {len(alike) - most:,} more {verdict}", style


def _said(check: Check) -> str:
    subject = "" if check.subject in check.message else f"{check.subject}: "
    return f"{check.what}: {subject}{shortened(check.message)}"


def _step_row(step: StepEvent, planned: bool) -> tuple[Any, ...]:
    phase = f"{step.phase}: {_PHASES.get(step.phase, '')}"
    if planned:
        return step.name, phase, "backwards" if step.backwards else "forwards"
    return step.name, phase, str(step.state), step.seconds


def step_line(step: StepEvent) -> tuple[str, str]:
    """Returns what to say while a run goes on, and its style."""
    if step.state is StepState.STARTED:
        doing = "reversing" if step.backwards else "applying"
        return f"[{step.number}/{step.total}] {doing} {step.name} …", "faint"
    style = "error" if step.state is StepState.FAILED else "good"
    return f"[{step.number}/{step.total}] {step.name}: {step.state}, {step.seconds:,.2f} s", style


def step_lines(step: StepEvent, *, every: bool = False) -> Iterator[tuple[str, str]]:
    """Yields the same with the checks: those before a migration when it begins, those after at its end."""
    begins = step.state is StepState.STARTED
    wanted = Moment.BEFORE if begins or not _began(step) else Moment.AFTER
    checks = [each for each in step.checks if each.moment is wanted]
    lines = [(f"    {text}", style) for text, style in check_lines(checks, every=every)]
    yield from [*lines, step_line(step)] if begins else [step_line(step), *lines]


def _began(step: StepEvent) -> bool:
    """Whether a step got further than the checks before it."""
    return not any(each.verdict is Verdict.FAILED for each in step.checks if each.moment is Moment.BEFORE)


def migrate_json(result: MigrateResult, *, kind: str = "migrate", dry_run: bool = False) -> dict[str, Any]:
    """Returns a run of migrations in the shape of every changing command, with its steps."""
    return {
        "target": result.target,
        "run": None,
        "kind": kind,
        "state": "planned" if dry_run else "finished",
        "plan": "",
        "dry_run": dry_run,
        "rows": {},
        "refusals": [],
        "duration_s": round(result.seconds, 3),
        "migrations": [_step_json(step) for step in result.steps],
        "notes": list(result.notes),
    }


def _step_json(step: StepEvent) -> dict[str, Any]:
    checks = [each.as_json() for each in step.checks]
    facts = asdict(step) | {"state": str(step.state), "checks": checks}
    del facts["statements"]  # --sql prints them
    return facts


def status_blocks(alias: str, states: Sequence[MigrationStatus]) -> Iterator[Block]:
    """Yields every migration and whether the target has it."""
    yield Title(f"Migrations of {alias}")
    divided = any(each.environments for each in states)
    rows = [
        (
            each.name,
            f"{each.phase}: {_PHASES.get(each.phase, '')}" if each.phase else "",
            f"{each.state}".replace("_", " "),
            f"{each.applied_at:%Y-%m-%d %H:%M}" if each.applied_at else "",
            f"{each.seconds:,.2f}" if each.seconds is not None else "",
            *([", ".join(each.environments)] if divided else []),
        )
        for each in states
    ]
    styles = {
        MigrationState.PENDING: "warning",
        MigrationState.UNKNOWN: "error",
        MigrationState.LEFT_OUT: "faint",
    }
    columns = ("migration", "phase", "state", "applied at", "seconds", *(["only in"] if divided else []))
    if not states:
        yield Line(f"The catalog has none yet: manage.py integrity_makemigrations {alias}.")
        return
    yield Grid(columns, rows, [styles.get(each.state, "") for each in states])
    failed = [each for each in states if each.error]
    for each in failed:
        yield Line(f"{each.name} failed when it was last {_tried(each)}: {shortened(each.error)}", "error")
    if failed:
        yield Line(f"The whole error: manage.py integrity_log {alias} --migration {failed[0].name}", "faint")


def _tried(status: MigrationStatus) -> str:
    """What failed last: one that is applied still could not be reversed."""
    return "reversed" if status.state is MigrationState.APPLIED else "run"


def changed_blocks(changed: Sequence[str]) -> Iterator[Block]:
    """Yields what something else changed since the last migration, of what migrations made."""
    for each in changed:
        yield Line(f"Changed since the last migration, by something else: {each}", "warning")


def ledger_blocks(ledgers: Sequence[LedgerSummary]) -> Iterator[Block]:
    """Yields what other tools say that they ran."""
    if not ledgers:
        return
    yield Title("Ledgers of other tools")
    rows = [(each.ledger.tool, str(each.ledger.table), each.entries, _use(each.ledger)) for each in ledgers]
    yield Grid(("tool", "table", "entries", ""), rows)


def _use(ledger: Ledger) -> str:
    if ledger.ours:
        return "followed by adopted scripts"
    return "can be adopted: name it in the catalog's [ledger]" if ledger.readable else "left alone"


def status_json(
    alias: str, states: Sequence[MigrationStatus], ledgers: Sequence[LedgerSummary] = ()
) -> dict[str, Any]:
    """Returns the same as plain values."""
    listed = [
        asdict(each)
        | {"state": str(each.state), "applied_at": each.applied_at.isoformat() if each.applied_at else None}
        for each in states
    ]
    return {"target": alias, "migrations": listed, "ledgers": [each.as_json() for each in ledgers]}


def sql_blocks(result: MigrateResult) -> Iterator[Block]:
    """Yields the SQL of a run, and nothing else: it can be given to a database as it is."""
    yield Code("\n".join(result.sql) if result.sql else "-- Nothing to do")


# -- writing ---------------------------------------------------------------------------------


def fixes_blocks(
    alias: str, fixes: Sequence[SchemaFix], files: Sequence[WrittenFile], vendor: str, *, dry_run: bool
) -> Iterator[Block]:
    """Yields schema fixes by phase, and the files that hold them."""
    yield Title(f"Schema fixes of {alias}")
    if not fixes:
        yield Line("Nothing is missing that no migration adds.", "good")
        return
    rows = [
        (each.phase, str(each.kind).replace("_", " "), written(each.table, each.columns), each.name)
        for each in fixes
    ]
    yield Grid(("phase", "kind", "on", "name"), rows)
    consequences = list(dict.fromkeys(each.consequence for each in fixes if each.consequence))
    if consequences:
        yield Title("From phase 2 on")
        for text in consequences:
            yield Line(text, depth=1)
    notes = list(dict.fromkeys(each.note for each in fixes if each.note))
    if notes:
        yield Title("To know")
        yield from (Line(text, depth=1) for text in notes)
    yield Title("Locks")
    for lock in dict.fromkeys(f"phase {each.phase}: {each.locks(vendor)}" for each in fixes):
        yield Line(lock, "faint", 1)
    yield from files_blocks(files, dry_run=dry_run)
    if not dry_run:
        yield Line(f"Read them, then apply them: manage.py integrity_migrate {alias}")


def adoption_blocks(alias: str, adoption: Adoption, *, dry_run: bool) -> Iterator[Block]:
    """Yields what became of each script of another tool, and the files that hold those that were adopted."""
    yield Title(f"Scripts of {adoption.ledger} in {alias}")
    styles = {"refused": "error", "written": "good", "recorded": "warning"}
    rows = [(each.script, each.standing, each.outcome) for each in adoption.scripts]
    outcomes = [styles.get(each.outcome, "faint") for each in adoption.scripts]
    yield Grid(("script", "in the target", "becomes"), rows, outcomes)
    for each in adoption.scripts:
        if each.reason:
            only = "its statements are left out: " if each.outcome == "recorded" else ""
            yield Line(f"{each.script}: {only}{each.reason}", "error" if not only else "warning", 1)
    if not adoption.files:
        yield Line("Nothing is left to adopt." if not adoption.refused else "Nothing was written.")
        return
    yield from files_blocks(adoption.files, dry_run=dry_run)
    if not dry_run:
        yield Line(f"Read them, then apply them: manage.py integrity_migrate {alias}")


def files_blocks(files: Sequence[WrittenFile], *, dry_run: bool) -> Iterator[Block]:
    """Yields the files that were written, or with their text those that would be."""
    yield Title("Would be written" if dry_run else "Written")
    for file in files:
        yield Line(str(file.path), depth=1)
        if dry_run and file.text:
            yield Code(file.text, "toml" if file.path.suffix == ".toml" else "python")


def files_json(files: Sequence[WrittenFile]) -> list[dict[str, str]]:
    """Returns files as plain values."""
    return [{"path": str(file.path), "text": file.text} for file in files]


def fix_json(fix: SchemaFix, vendor: str) -> dict[str, Any]:
    """Returns a schema fix as plain values."""
    return {
        "phase": fix.phase,
        "kind": str(fix.kind),
        "table": written(fix.table),
        "columns": list(fix.columns),
        "name": fix.name,
        "description": fix.describe(),
        "rationale": fix.rationale,
        "consequence": fix.consequence,
        "note": fix.note,
        "locks": fix.locks(vendor),
        "sql": fix.statements(vendor),
    }
