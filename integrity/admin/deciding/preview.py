"""What the page of a plan shows: what happens to how many rows of which tables, and what is in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity.admin.cells import grouped
from integrity.admin.deciding.running import what_of
from integrity.admin.deciding.sentences import said
from integrity.admin.deciding.words import DOUBTS, WORDS
from integrity.database.identifiers import TableName, quote_table, shown
from integrity.plans import Change, DuplicateStep, Effect, Plan, Step, Tally
from integrity.plans.duplicate_steps import Sample
from integrity.plans.plan import AnyStep
from integrity.plans.script import statements
from integrity.references import Catalog, Resolution
from integrity.references.masking import MASKED, any_masked
from integrity.references.reference import written

MOST_PAIRS = 50
MOST_STEPS = 100
DEEPEST = 5
WIDE = 100.0
LEAST = 1.5
"""A bar is this wide at most, and each part of it at least."""


@dataclass(frozen=True)
class Part:
    """A part of a bar: what happens, where it begins and how wide it is."""

    kind: str
    x: str
    width: str


@dataclass(frozen=True)
class Touched:
    """A table with what happens to its rows, in numbers and as a bar: ``stays`` are orphans that stay."""

    table: str
    tally: Tally
    stays: int
    bar: tuple[Part, ...]


@dataclass(frozen=True)
class Line:
    """Rows to which the same happens for the same reason, so many references away from the orphans."""

    table: str
    change: Change
    rows: int
    through: str = ""
    depth: int = 0
    stays: bool = False

    @property
    def word(self) -> Any:
        """What happens to them."""
        return _("stays as it is") if self.stays else WORDS[self.change]

    @property
    def kind(self) -> str:
        """The colour of what happens to them."""
        if self.stays:
            return "refused"
        kinds = {Change.DELETE: "deleted", Change.INSERT: "inserted", Change.RESTRICT: "refused"}
        return kinds.get(self.change, "updated")

    @property
    def level(self) -> int:
        """How far it is set in."""
        return min(self.depth, DEEPEST)


@dataclass(frozen=True)
class Made:
    """Rows that are made: of a table, with which values."""

    table: str
    rows: int
    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Shown:
    """One step as people see it."""

    number: int
    what: str
    about: str
    sentences: Sequence[str]
    lines: Sequence[Line]
    made: Sequence[Made]
    pairs: Sequence[tuple[str, str]]
    more_pairs: int
    samples: Sequence[Sample]
    refused: Sequence[tuple[int, str]]
    sql: str


@dataclass(frozen=True)
class Viewer:
    """Who looks: ``values`` is whether they may see rows of a target; without a catalog all is masked."""

    values: bool
    catalog: Catalog | None

    def may_see(self, *sides: tuple[TableName, tuple[str, ...]]) -> bool:
        """Whether these columns' values may be shown."""
        if not self.values or self.catalog is None:
            return False
        return not any(any_masked(self.catalog, table, columns) for table, columns in sides)

    def may_see_step(self, step: AnyStep) -> bool:
        """Whether the values that a step is about may be shown."""
        return self.may_see(*_sides(step))


def touched(plan: Plan) -> list[Touched]:
    """What happens to how many rows, table by table: those where most happens first."""
    radius, staying = plan.blast_radius(), _staying(plan)
    tables = {table: radius.get(table, Tally()) for table in {*radius, *staying}}
    rows = {table: tally.touched + staying.get(table, 0) for table, tally in tables.items()}
    most = max(rows.values(), default=0)
    found = [
        Touched(written(table), tally, staying.get(table, 0), _bar(tally, staying.get(table, 0), most))
        for table, tally in tables.items()
        if rows[table]
    ]
    return sorted(found, key=lambda each: (-each.tally.touched - each.stays, each.table))


def steps_of(plan: Plan, viewer: Viewer) -> list[Shown]:
    """The steps of a plan, the first hundred of them."""
    return [_step(step, plan, viewer) for step in plan.steps[:MOST_STEPS]]


def triggers_of(plan: Plan) -> list[str]:
    """The triggers of the target that will act."""
    found = {name for step in plan.steps for name in step.triggers}
    found |= {name for step in plan.steps for effect in step.effects for name in effect.triggers}
    found |= {name for step in plan.orphan_steps for each in step.restorations for name in each.triggers}
    return sorted(found)


def doubts_of(plan: Plan) -> list[str]:
    """Why numbers of a plan are at most what will happen; none where they are exact."""
    return [str(DOUBTS[each]) for each in plan.doubts]


def in_the_way(plan: Plan) -> int:
    """How many rows are in the way of what is asked for."""
    return sum(step.blocked for step in plan.steps)


def _staying(plan: Plan) -> dict[TableName, int]:
    """How many orphans or duplicates stay because something is in the way, by table."""
    found: dict[TableName, int] = {}
    for step in plan.orphan_changes:
        found[step.table] = found.get(step.table, 0) + step.stays
    for each in plan.duplicate_steps:
        found[each.table] = found.get(each.table, 0) + each.blocked
    return {table: rows for table, rows in found.items() if rows}


def _bar(tally: Tally, stays: int, most: int) -> tuple[Part, ...]:
    counts = {
        "deleted": tally.deleted,
        "updated": tally.updated,
        "inserted": tally.inserted,
        "refused": stays,
    }
    widths = {kind: max(LEAST, WIDE * rows / most) for kind, rows in counts.items() if rows}
    wide = max(1.0, sum(widths.values()) / WIDE)
    parts, x = [], 0.0
    for kind, width in widths.items():
        parts.append(Part(kind, f"{x:.2f}", f"{width / wide:.2f}"))
        x += width / wide
    return tuple(parts)


def _step(step: AnyStep, plan: Plan, viewer: Viewer) -> Shown:
    pairs = _pairs(step, viewer) if isinstance(step, Step) else []
    values = isinstance(step, DuplicateStep) and viewer.may_see_step(step)
    return Shown(
        number=step.number,
        what=str(what_of(step)),
        about=str(step.reference) if isinstance(step, Step) else step.label,
        sentences=said(step, values=viewer.may_see_step(step)),
        lines=_lines(step),
        made=_made(step) if isinstance(step, Step) else [],
        pairs=pairs[:MOST_PAIRS],
        more_pairs=len(step.mapping) - MOST_PAIRS if pairs and isinstance(step, Step) else 0,
        samples=step.samples if isinstance(step, DuplicateStep) and values else (),
        refused=_refusals(step),
        sql=_sql(step, plan, viewer),
    )


def _lines(step: AnyStep) -> list[Line]:
    """What happens, the orphans themselves first, then what follows from it."""
    found = []
    if isinstance(step, Step):
        if step.change and step.changed:
            found.append(Line(written(step.table), step.change, step.changed))
        if step.stays:
            found.append(Line(written(step.table), Change.RESTRICT, step.stays, stays=True))
        found += [Line(written(each.table), Change.INSERT, each.rows) for each in step.restorations]
        return found + _branches(step.effects, step.table, 1, set(range(len(step.effects))))
    if step.change and step.rows:
        found.append(Line(written(step.table), step.change, step.rows))
    return found + [
        Line(written(each.table), each.change, each.rows, each.through, 1) for each in step.effects
    ]


def _branches(effects: Sequence[Effect], above: TableName, depth: int, left: set[int]) -> list[Line]:
    """What follows, each once and below what it follows from; whatever is not reached stands last."""
    found: list[Line] = []
    for place, each in enumerate(effects):
        if place in left and each.reference.referenced_table == above:
            left.remove(place)
            found.append(_line(each, depth))
            found += _branches(effects, each.table, depth + 1, left)
    return found + [_line(effects[place], effects[place].depth) for place in sorted(left) if depth == 1]


def _line(effect: Effect, depth: int) -> Line:
    return Line(written(effect.table), effect.change, effect.rows, effect.reference.label, depth)


def _made(step: Step) -> list[Made]:
    rows = [Made(written(each.table), 1, each.values) for each in step.system_rows if not each.exists]
    rows += [Made(written(each.table), each.rows, each.values) for each in step.restorations if each.rows]
    return rows


def _pairs(step: Step, viewer: Viewer) -> list[tuple[str, str]]:
    """What becomes what; the key that a value becomes is one of the referenced table."""
    if not viewer.values:
        return []
    if not viewer.may_see_step(step):
        return [(MASKED, MASKED)] if step.mapping else []
    return [(", ".join(old), ", ".join(map(str, new))) for old, new in step.mapping[:MOST_PAIRS]]


def _sides(step: AnyStep) -> tuple[tuple[TableName, tuple[str, ...]], ...]:
    """The columns whose values a step may show."""
    if isinstance(step, DuplicateStep):
        return ((step.table, step.rule.columns),)
    reference = step.reference
    return (reference.table, reference.columns), (reference.referenced_table, reference.referenced_columns)


def _refusals(step: AnyStep) -> list[tuple[int, str]]:
    """How many rows stay as they are, and why."""
    if isinstance(step, DuplicateStep):
        return [(each.rows, each.reason) for each in step.blocked_by]
    return [(each.holds, _reason(each)) for each in step.held_by]


def _reason(effect: Effect) -> str:
    """What holds orphans, and through which reference."""
    facts = {
        "rows": grouped(effect.rows),
        "table": written(effect.table),
        "reference": effect.reference.label,
        "action": effect.reference.on_delete,
    }
    return (
        ngettext(
            "%(rows)s row of %(table)s stays and refers to them or to what goes with them "
            "(%(reference)s, %(action)s)",
            "%(rows)s rows of %(table)s stay and refer to them or to what goes with them "
            "(%(reference)s, %(action)s)",
            effect.rows,
        )
        % facts
    )


def _sql(step: AnyStep, plan: Plan, viewer: Viewer) -> str:
    """What finds the rows, and what becomes of them; values of rows only for whoever may see them."""
    if isinstance(step, DuplicateStep):
        return shown(step.predicate)
    names_a_row = step.resolution is Resolution.REASSIGN and step.system_row is None
    if (step.scoped or step.mapping or names_a_row) and not viewer.may_see_step(step):
        return ""
    found = shown(f"SELECT c.*\nFROM {quote_table(step.table)} AS c\nWHERE {step.predicate};")
    return "\n".join([found, "", *statements(replace(plan, steps=(step,)))]).strip()


def kept_by(plan: Plan) -> list[Step]:
    """The steps that leave orphans as they are."""
    return [step for step in plan.orphan_steps if step.resolution is Resolution.KEEP and step.rows]
