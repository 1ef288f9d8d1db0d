"""Foreign keys whose type is not that of the column that they refer to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from integrity.references.entry_reading import for_vendor
from integrity.scripts.authority import live_table, required_table
from integrity.scripts.checks.base import Check, ScriptInspection
from integrity.scripts.column_types import comparable, plain_type
from integrity.scripts.cursor import ObjectName, object_name
from integrity.scripts.definitions import Alteration, ColumnDefinition, Definition, ForeignKeyDefinition, Kind
from integrity.scripts.finding import Related, ScriptFinding
from integrity.scripts.statement import Dialect, Place
from integrity.scripts.survey import Step


@dataclass(frozen=True)
class _Type:
    """The type of a column as somebody says it; ``place`` is None outside the scripts."""

    written: str
    said_by: str
    place: Place | None = None


@dataclass(frozen=True)
class _Written:
    """A foreign key where it is written."""

    inspection: ScriptInspection
    step: Step
    event: Definition | Alteration
    key: ForeignKeyDefinition

    def base(self, written: str) -> str:
        """The type behind a domain."""
        wanted = object_name(written.replace('"', "").split("."))
        named = (each.event for each in self.inspection.survey.by_name.get((Kind.TYPE, wanted), ()))
        types = (each.base_type for each in named if isinstance(each, Definition))
        return next((each for each in types if each), written)

    def own_type(self, column: str) -> str:
        """The type of the referencing column: in its own statement, else as its table has it by then."""
        if isinstance(self.event, Definition):
            here = self.event.column(column)
            return here.type if here else ""
        if self.event.column is not None:
            return self.event.column.type
        found = [each.type for _, each in self.defined(self.event.name, column)]
        return found[-1] if found else ""

    def referenced(self, at: int) -> tuple[str, list[_Type]]:
        """The referenced column, and its type in every definition of its table."""
        columns = self.key.referenced_columns
        name = columns[at] if at < len(columns) else ""
        found = []
        for definition, column in self.defined(self.key.referenced, name, at):
            name = name or column.name
            found.append(_Type(column.type, f"at {definition.place}", definition.place))
        return name, found + list(self.known_elsewhere(name))

    def defined(
        self, table: ObjectName, column: str, at: int = 0
    ) -> Iterator[tuple[Definition, ColumnDefinition]]:
        """A column in each definition of its table, as it is when the key is made; without a name, that
        at a place of the primary key."""
        survey = self.inspection.survey
        for placed in survey.by_name.get((Kind.TABLE, table), ()):
            made, definition = placed.step, placed.event
            if not isinstance(definition, Definition) or not definition.engines & self.event.engines:
                continue
            grown = survey.grown(made, definition, self.step if made.before(self.step) else None)
            keys = grown.primary_key.columns if grown.primary_key else ()
            found = grown.column(column or "".join(keys[at : at + 1]))
            if found is not None:
                yield grown, found

    def known_elsewhere(self, name: str) -> Iterator[_Type]:
        """The referenced column in the catalog and in the live database."""
        live = self.inspection.live
        vendor = live.vendor if live else self.inspection.catalog.vendor
        if not vendor or Dialect(vendor) not in self.event.engines:
            return
        required = required_table(self.inspection.catalog, self.key.referenced)
        for column in required.columns if required else ():
            if column.name.lower() == name.lower() and for_vendor(column.type, vendor):
                yield _Type(for_vendor(column.type, vendor), "in the catalog")
        there = live_table(live.schema, self.key.referenced) if live else None
        for each in there.columns if there else ():
            if live and each.name.lower() == name.lower():
                yield _Type(each.type, f"in the live database {live.alias}")


class KeyTypeMismatch(Check):
    """PostgreSQL refuses such a key; SQLite takes it and then finds no parent (foreignkeys.html, 3)."""

    code: ClassVar[str] = "key_type_mismatch"
    title: ClassVar[str] = "A foreign key has another type than the column it refers to."

    def check(self, inspection: ScriptInspection) -> Iterable[ScriptFinding]:
        """Yields each column of a foreign key that does not fit every definition of its target."""
        for placed in inspection.survey.placed:
            event = placed.event
            if isinstance(event, Definition | Alteration) and event.kind is Kind.TABLE:
                for key in event.foreign_keys:
                    yield from _mismatches(_Written(inspection, placed.step, event, key))


def _mismatches(written: _Written) -> Iterator[ScriptFinding]:
    sqlite_only = written.event.engines == {Dialect.SQLITE}
    for at, column in enumerate(written.key.columns):
        own = written.base(written.own_type(column))
        if not own:
            continue
        there, types = written.referenced(at)
        wrong = [
            each for each in types if not comparable(own, written.base(each.written), sqlite_only=sqlite_only)
        ]
        if wrong:
            yield _finding(written, _Sides(column, own, there), types, wrong)


@dataclass(frozen=True)
class _Sides:
    """A column of a key, its type, and the column that it refers to."""

    column: str
    type: str
    referenced: str


def _finding(written: _Written, sides: _Sides, types: list[_Type], wrong: list[_Type]) -> ScriptFinding:
    here = f"{written.event.name}.{sides.column}"
    there = f"{written.key.referenced}.{sides.referenced}"
    said = "; ".join(f"{each.written} {each.said_by}" for each in wrong)
    fits = [each for each in types if each not in wrong]
    fitting = f" It would fit {fits[0].written} {fits[0].said_by}." if fits else ""
    once = f"Define {written.key.referenced} once, and give" if fits else "Give"
    return ScriptFinding(
        code=KeyTypeMismatch.code,
        severity=KeyTypeMismatch.severity,
        place=written.key.place,
        object=here,
        message=f"{here} is {sides.type}, but {there} is {said}.{fitting}",
        suggestion=f"{once} both columns one type: {here} as {plain_type(wrong[0].written).upper()}, "
        "or the other way round.",
        related=tuple(Related(each.place, f"{there} is {each.written}") for each in types if each.place),
        key=there,
    )
