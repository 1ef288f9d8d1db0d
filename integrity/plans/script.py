"""A plan as scripts that somebody else runs: in psql, in sqlite3, or in a dashboard.

Pure: a plan, a structure and references become text. The forward script copies every row that it will
touch into tables of its own beside the journal, changes leaf first, and stops whole where more rows are
met than were planned. The rollback script puts them back, and stops whole where somebody changed one
since. Each is one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from integrity.database.schema import Schema
from integrity.database.session import engine_for
from integrity.exceptions import PlanRefused
from integrity.plans.plan import Plan
from integrity.plans.script_dialects import Dialect, PostgreSQLDialect, SQLiteDialect
from integrity.plans.script_forward import Forward
from integrity.plans.script_rollback import Rollback
from integrity.references.reference import Reference


@dataclass(frozen=True)
class Scripts:
    """``forward`` and ``rollback`` as text; ``shown`` are the changing statements alone, for people."""

    forward: str = ""
    rollback: str = ""
    shown: tuple[str, ...] = field(default=())


def scripts(plan: Plan, schema: Schema, references: Sequence[Reference]) -> Scripts:
    """Returns the scripts of a plan.

    Args:
        plan: what shall be done.
        schema: the target's structure, the one that the plan was made for.
        references: every reference known of it.

    Raises:
        PlanRefused: rows would be refused one by one, which a script cannot do.
    """
    blocked = [step for step in plan.changing_steps if step.blocked]
    if blocked:
        labels = ", ".join(step.reference.label for step in blocked)
        raise PlanRefused(
            f"Rows forbid some of the deletions ({labels}); a script is one transaction and cannot leave "
            "those out one by one",
            where=plan.target,
            hint="Use integrity_cleanup, or plan the references apart with --reference.",
        )
    dialect = _dialect(plan, schema)
    forward = Forward(plan, schema, references, dialect)
    back = Rollback(forward)
    return Scripts(
        _text(_about(plan, dialect, "Changes what the plan says."), forward.statements(), dialect),
        _text(_about(plan, dialect, "Takes the forward script back."), back.statements(), dialect),
        tuple(f"{statement};" for statement in forward.changes()),
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
