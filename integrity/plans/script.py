"""A plan as scripts that somebody else runs: in psql, in sqlite3, or in a dashboard.

Pure: a plan, a structure and references become text. The forward script copies every row that it will
touch into tables of its own beside the journal, changes leaf first, and stops whole where more rows are
met than were planned. The rollback script puts them back, and stops whole where somebody changed one
since. Each is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from integrity.database.identifiers import TableName, quote, quote_columns, quote_table, shown
from integrity.database.schema import Schema
from integrity.database.session import engine_for
from integrity.exceptions import PlanRefused
from integrity.plans.plan import Change, Plan, Step
from integrity.plans.scope import literal
from integrity.plans.script_dialects import Dialect, PostgreSQLDialect, SQLiteDialect
from integrity.plans.script_forward import Forward
from integrity.plans.script_rollback import Rollback
from integrity.references.reference import Reference, Resolution

_SHOWN = 20
"""How many pairs of a mapping are shown as statements."""


@dataclass(frozen=True)
class Scripts:
    """``forward`` and ``rollback`` as text."""

    forward: str
    rollback: str


def scripts(plan: Plan, schema: Schema, references: Sequence[Reference]) -> Scripts:
    """Returns the scripts of a plan.

    Args:
        plan: what shall be done.
        schema: the target's structure, the one that the plan was made for.
        references: every reference known of it.

    Raises:
        PlanRefused: rows would be refused one by one, which a script cannot do.
    """
    blocked = [step for step in plan.orphan_changes if step.blocked]
    if blocked:
        labels = ", ".join(step.reference.label for step in blocked)
        raise PlanRefused(
            f"Rows forbid some of the deletions ({labels}); a script is one transaction and cannot leave "
            "those out one by one",
            where=plan.target,
            hint="Use integrity_cleanup, or plan the references apart with --reference.",
        )
    _refuse_keeping_data(plan)
    dialect = _dialect(plan, schema)
    forward = Forward(plan, schema, references, dialect)
    back = Rollback(forward)
    return Scripts(
        _text(_about(plan, dialect, "Changes what the plan says."), forward.statements(), dialect),
        _text(_about(plan, dialect, "Takes the forward script back."), back.statements(), dialect),
    )


def statements(plan: Plan) -> list[str]:
    """Returns what a plan does as statements for people: without locks, batches and journal.

    What follows from a deletion is done first, row by row; it stands as a comment.
    """
    return [line for step in plan.orphan_changes for line in _step(step)]


def _step(step: Step) -> Iterator[str]:
    table, where = quote_table(step.reference.table), step.predicate
    yield shown(f"-- Step {step.number}: {step.resolved:,} rows of {_one_line(str(step.reference.table))}")
    for effect in (each for each in step.effects if each.change is not Change.RESTRICT):
        label = _one_line(effect.reference.label)
        yield shown(f"--   first {effect.change}, through {label}: {effect.rows:,} rows")
    for row in step.system_rows:
        if not row.exists:
            yield _insert(row.table, dict(row.values))
    if step.restorations:
        yield shown(f"--   for each missing key of {_one_line(step.reference.label)}:")
        yield from (_insert(each.table, dict(each.values)) for each in step.restorations)
        return
    if step.mapping:
        yield from _relinked(step)
        return
    if step.resolution is Resolution.DELETE:
        yield shown(f"DELETE FROM {table} AS c WHERE {where};")
    else:
        assigned = ", ".join(f"{quote(name)} = {literal(value)}" for name, value in step.values)
        yield shown(f"UPDATE {table} AS c SET {assigned} WHERE {where};")


def _insert(table: TableName, row: dict[str, Any]) -> str:
    values = ", ".join(map(literal, row.values()))
    return shown(f"INSERT INTO {quote_table(table)} ({quote_columns(row)}) VALUES ({values});")


def _relinked(step: Step) -> Iterator[str]:
    """The first of a mapping, one statement each."""
    names = step.reference.columns
    for old, new in step.mapping[:_SHOWN]:
        assigned = ", ".join(f"{quote(n)} = {literal(value)}" for n, value in zip(names, new, strict=True))
        where = " AND ".join(f"{quote(n)} = {literal(value)}" for n, value in zip(names, old, strict=True))
        if step.scoped:
            where = f"{where} AND {step.predicate}"
        yield shown(f"UPDATE {quote_table(step.reference.table)} AS c SET {assigned} WHERE {where};")
    if len(step.mapping) > _SHOWN:
        yield f"--   and so on: {len(step.mapping):,} missing keys"


def _refuse_keeping_data(plan: Plan) -> None:
    """What is another value for each key needs the batches of a run."""
    for step in plan.orphan_changes:
        if step.mapping or step.restorations:
            raise PlanRefused(
                f"A script cannot carry out {step.resolution} ({step.reference.label})",
                where=plan.target,
                hint="Use integrity_cleanup, or plan the other references alone with --reference.",
            )


def _dialect(plan: Plan, schema: Schema) -> Dialect:
    kind: type[Dialect] = PostgreSQLDialect if plan.vendor == "postgresql" else SQLiteDialect
    return kind(engine_for(plan.vendor, plan.target), schema, plan.hash[:8])


def _about(plan: Plan, dialect: Dialect, what: str) -> list[str]:
    tables = ", ".join(str(name) for name in sorted(plan.blast_radius()))
    return [
        f"-- Plan {plan.hash} for {_one_line(plan.target)}. {what}",
        f"-- One transaction: all of it, or nothing. Tables: {_one_line(tables)}.",
        f"-- Run it with: {dialect.how}",
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _text(about: Sequence[str], statements: Sequence[str], dialect: Dialect) -> str:
    body = [*dialect.begin(), *statements, *dialect.end()]
    return "\n".join([*about, "", *(f"{each.replace('%%', '%')};" for each in body), ""])
