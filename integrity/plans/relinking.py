"""Relinking: referencing values are replaced by the referenced keys that they mean.

What a value means is said by a mapping, or by its normal form where exactly one parent has the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from integrity.database.engine import Engine
from integrity.database.identifiers import column
from integrity.database.schema import Column, Key
from integrity.database.spelling import Form
from integrity.exceptions import MappingRefused, PlanRefused
from integrity.plans.columns import refuse_computed
from integrity.plans.known import Known
from integrity.plans.mapping import Mapping, Pair
from integrity.plans.request import Request
from integrity.plans.scope import in_scope, key_text, key_values
from integrity.plans.steps import KeyTexts, Step
from integrity.plans.survey import count_orphans
from integrity.references.reference import Reference, Resolution, written

MOST_PAIRS = 100_000
"""A plan holds its mapping, so that what was approved is what runs."""

_UUID_DIGITS = 32
_NUMBERS = ("int", "numeric", "decimal", "real", "double", "serial")

Values = tuple[Any, ...]


@dataclass(frozen=True)
class Relinking:
    """Finds what missing keys mean."""

    known: Known

    def relinked(self, step: Step, request: Request, notes: list[str]) -> Step:
        """Returns the step with its mapping; one that keeps all rows where nothing fits.

        Raises:
            MappingRefused: with every mistake of a mapping.
            PlanRefused: a unique would be broken, or a key that was asked for fits two parents.
        """
        reference = step.reference
        refuse_computed(self.known.schema.table(reference.table), reference)
        if request.mapping is not None:
            pairs = self._by_mapping(step, request, request.mapping)
        else:
            pairs = self._by_form(step, notes)
        step = replace(step, mapping=tuple(sorted(pairs.items())))
        covered = self._covered(step) if pairs else (0, 0)
        self._note(step, covered, notes)
        if not covered[0]:
            return replace(step, resolution=Resolution.KEEP, mapping=())
        self._refuse_collisions(step)
        return replace(step, rows=covered[0], missing_keys=covered[1])

    def _covered(self, step: Step) -> tuple[int, int]:
        where = in_scope(self.known.engine, self.known.schema, step)
        return count_orphans(self.known.session, self.known.schema, step.reference, where)

    def _note(self, step: Step, covered: tuple[int, int], notes: list[str]) -> None:
        left, keys = step.orphans - covered[0], step.missing_keys - covered[1]
        if left:
            notes.append(
                f"{left:,} orphans of {step.reference.label} stay as they are: nothing says what their "
                f"{keys:,} missing keys mean"
            )

    # -- by mapping ------------------------------------------------------------------------

    def _by_mapping(self, step: Step, request: Request, mapping: Mapping) -> dict[KeyTexts, Values]:
        pairs, mistakes = mapping.pairs(step.reference)
        if len(pairs) > MOST_PAIRS:
            raise _too_many(step.reference)
        missing = self._missing(step, [pair.old for pair in pairs])
        parents = self._parents(step.reference, [pair.new for pair in pairs])
        found = {pair: list(self._mistakes(step, pair, missing, parents)) for pair in pairs}
        mistakes += [mistake for each in found.values() for mistake in each]
        if mistakes and not request.standing:
            raise _refused(mapping, mistakes)
        return {pair.old: parents[pair.new][0] for pair, wrong in found.items() if not wrong}

    def _mistakes(
        self, step: Step, pair: Pair, missing: set[KeyTexts], parents: dict[KeyTexts, list[Values]]
    ) -> Iterable[str]:
        table = written(step.reference.referenced_table)
        if pair.old not in missing:
            yield f"line {pair.line}: {', '.join(pair.old)} is not a missing key of {step.reference.label}"
        found = parents.get(pair.new, [])
        if len(found) != 1:
            what = "has no row" if not found else "has more than one row"
            yield f"line {pair.line}: {table} {what} {', '.join(pair.new)}"

    def _missing(self, step: Step, keys: Sequence[KeyTexts]) -> set[KeyTexts]:
        """Those of these keys that are missing, and that the step is about."""
        engine, reference = self.known.engine, step.reference
        text = engine.key_text(reference.columns)
        where = in_scope(engine, self.known.schema, step) & engine.among(text, list(map(key_text, keys)))
        source = engine.source(self.known.schema.table(reference.table))
        sql = f"SELECT DISTINCT {text} FROM {source} c WHERE {where.sql}"
        return {key_values(row[0]) for row in self.known.session.rows(sql, where.params)}

    def _parents(self, reference: Reference, keys: Sequence[KeyTexts]) -> dict[KeyTexts, list[Values]]:
        """The rows with these keys, as the referenced table itself has them."""
        engine = self.known.engine
        text = engine.key_text(reference.referenced_columns, "p")
        wanted = engine.among(text, list(map(key_text, keys)))
        source = engine.parent_source(self.known.schema.table(reference.referenced_table))
        sql = f"SELECT DISTINCT {text}, {self._values(reference)} FROM {source} p WHERE {wanted.sql}"
        found: dict[KeyTexts, list[Values]] = {}
        for row in self.known.session.rows(sql, wanted.params):
            found.setdefault(key_values(row[0]), []).append(_plain(reference, row[1:]))
        return found

    def _values(self, reference: Reference) -> str:
        return ", ".join(
            self.known.engine.key_value(column(name, "p")) for name in reference.referenced_columns
        )

    # -- by form ---------------------------------------------------------------------------

    def _by_form(self, step: Step, notes: list[str]) -> dict[KeyTexts, Values]:
        found: dict[KeyTexts, list[Values]] = {}
        for row in self._matches(step):
            found.setdefault(key_values(row[0]), []).append(_plain(step.reference, row[1:]))
        double = {old: fits for old, fits in found.items() if len(fits) > 1}
        for old, fits in double.items():
            self._refuse_double(step, old, fits, notes)
        return {old: fits[0] for old, fits in found.items() if old not in double}

    def _refuse_double(self, step: Step, old: KeyTexts, fits: Sequence[Values], notes: list[str]) -> None:
        """A form that fits two parents says nothing: the key stays missing, and both are named."""
        both = " and ".join(", ".join(map(str, key)) for key in fits[:2])
        what = f"{', '.join(old)} of {step.reference.label} fits two rows of "
        what += f"{written(step.reference.referenced_table)}: {both}"
        if step.keys or step.chosen_rows:
            hint = "Say which with --map, or choose another resolution for it."
            raise PlanRefused(what, where=self.known.session.target.alias, hint=hint)
        notes.append(f"{what}. It stays as it is; say which with --map")

    def _matches(self, step: Step) -> list[tuple[Any, ...]]:
        """(missing key, values of a parent whose form is the same)."""
        engine, schema, reference = self.known.engine, self.known.schema, step.reference
        where = in_scope(engine, schema, step)
        child = schema.table(reference.table)
        parent = schema.table(reference.referenced_table)
        here = f"{engine.key_text(reference.columns)} AS old, {self._forms(reference.columns, 'c')}"
        there = f"{self._values_named(reference)}, {self._forms(reference.referenced_columns, 'p')}"
        forms = [
            f"SELECT DISTINCT {here} FROM {engine.source(child)} c WHERE {where.sql}",
            f"SELECT DISTINCT {there} FROM {engine.parent_source(parent)} p",
        ]
        alike = " AND ".join(
            _alike(n, child.column(name), parent.column(key)) for n, (name, key) in enumerate(reference.pairs)
        )
        values = ", ".join(f"p.v{n}" for n in range(len(reference.columns)))
        sql = f"SELECT m.old, {values} FROM ({forms[0]}) m JOIN ({forms[1]}) p ON {alike} LIMIT %s"
        rows = self.known.session.rows(sql, [*where.params, MOST_PAIRS + 1])
        if len(rows) > MOST_PAIRS:
            raise _too_many(reference)
        return rows

    def _forms(self, names: Sequence[str], alias: str) -> str:
        spelled = self.known.engine.spelled
        return ", ".join(
            f"{spelled(column(name, alias), form)} AS {letter}{n}"
            for n, name in enumerate(names)
            for letter, form in (("n", Form.NORMAL), ("f", Form.FOLDED))
        )

    def _values_named(self, reference: Reference) -> str:
        values = (self.known.engine.key_value(column(name, "p")) for name in reference.referenced_columns)
        return ", ".join(f"{value} AS v{n}" for n, value in enumerate(values))

    # -- uniques ---------------------------------------------------------------------------

    def _refuse_collisions(self, step: Step) -> None:
        """Two rows that were told apart by a spelling may be alike without it."""
        table = self.known.schema.table(step.reference.table)
        for key in table.keys:
            if key.expressions or not set(key.columns) & set(step.reference.columns):
                continue
            alike = self._collisions(step, key)
            if alike:
                raise PlanRefused(
                    f"Relinking {step.reference.label} would break {key.name or 'the primary key'} "
                    f"({', '.join(key.columns)}): {alike:,} rows would be alike",
                    where=self.known.session.target.alias,
                    hint="Choose delete for the missing keys of those that repeat others, with --missing.",
                )

    def _collisions(self, step: Step, key: Key) -> int:
        table = self.known.schema.table(step.reference.table)
        where = in_scope(self.known.engine, self.known.schema, step)
        params: list[Any] = []
        parts = []
        for place, name in enumerate(key.columns):
            value = column(name, "c")
            if name in step.reference.columns:
                found, given = new_value(self.known.engine, step, table.column(name))
                value = f"CASE WHEN {where.sql} THEN {found} ELSE {value} END"
                params += [*where.params, *given]
            parts.append(f"{value} AS k{place}")
        source, names = self.known.engine.source(table), [f"k{place}" for place in range(len(parts))]
        partial = f" WHERE {key.where.replace('%', '%%')}" if key.where else ""
        told = " AND ".join(f"{name} IS NOT NULL" for name in names) if key.nulls_distinct else "1 = 1"
        rows = f"SELECT {', '.join(parts)} FROM {source} c{partial}"
        groups = f"SELECT count(*) AS n FROM ({rows}) k WHERE {told} GROUP BY {', '.join(names)}"
        return int(
            self.known.session.value(
                f"SELECT coalesce(sum(n), 0) FROM ({groups} HAVING count(*) > 1) g", params
            )
        )


def new_value(engine: Engine, step: Step, into: Column) -> tuple[str, list[Any]]:
    """SQL for what a referencing column of a row ``c`` becomes by a step's mapping, and its parameters."""
    place = step.reference.columns.index(into.name)
    values = {key_text(old): new[place] for old, new in step.mapping}
    sql, params = engine.looked_up(into, engine.key_text(step.reference.columns), values)
    return sql, params


def _alike(place: int, child: Column, parent: Column) -> str:
    """Only a UUID or a number is written in ways that differ by more than case and padding."""
    number = any(each.type.lower().startswith(_NUMBERS) for each in (child, parent))
    same = f"m.n{place} = p.n{place} AND m.n{place} <> ''"
    if number:
        return same
    return f"{same} AND (m.f{place} = p.f{place} OR length(m.n{place}) = {_UUID_DIGITS})"


def _plain(reference: Reference, values: Sequence[Any]) -> Values:
    """A key as a plan can hold it."""
    if any(isinstance(value, (bytes, bytearray, memoryview)) for value in values):
        raise PlanRefused(
            f"The keys of {written(reference.referenced_table)} are binary: a plan cannot hold them",
            where=reference.label,
            hint="Relink it in SQL of your own, or choose another resolution.",
        )
    return tuple(values)


def _too_many(reference: Reference) -> PlanRefused:
    return PlanRefused(
        f"More than {MOST_PAIRS:,} missing keys of {reference.label} would be relinked at once",
        hint="Relink it in parts: by mappings, or with --missing.",
    )


def _refused(mapping: Mapping, mistakes: Sequence[str]) -> MappingRefused:
    ordered = sorted(mistakes, key=lambda each: int(each.split(":")[0].removeprefix("line ")))
    noun = "mistake" if len(ordered) == 1 else "mistakes"
    refused = MappingRefused(
        f"The mapping has {len(ordered):,} {noun}: {'; '.join(ordered)}",
        where=mapping.file,
        hint="Nothing was changed. Correct them and plan again.",
    )
    refused.mistakes = tuple(ordered)
    return refused
