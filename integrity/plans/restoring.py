"""Restoring parents: a row made again for each missing key, from the catalog's template.

A template gives columns their values; a text may hold the missing key, in braces. A parent whose
own references would not hold is refused, or what it refers to is restored likewise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from integrity.database.identifiers import TableName, column
from integrity.database.schema import Schema, TableKind
from integrity.database.session import Session
from integrity.exceptions import CatalogError, PlanRefused
from integrity.plans.known import Known
from integrity.plans.scope import in_scope, key_text
from integrity.plans.steps import Change, Restoration, Step
from integrity.plans.survey import triggers_met
from integrity.references.reference import Reference, written

_PLACE = re.compile(r"\{(\w+)\}")
_CHUNK = 5_000

KeyRow = dict[str, Any]
"""A missing key: the referenced columns with their values."""
Values = dict[str, Any]
Made = dict[TableName, set[str]]
"""Keys, as text, of rows that a plan makes already."""


@dataclass(frozen=True)
class Restoring:
    """Finds the rows to make. ``made`` are those that other steps of the plan make."""

    known: Known
    made: Made = field(default_factory=dict)

    def restored(self, step: Step) -> Step:
        """Returns the step with the rows that it makes, the first first.

        Raises:
            CatalogError: a template that does not fit its table.
            PlanRefused: no template, a reference or NOT NULL column that it does not satisfy, or a
                unique that would be broken.
        """
        reference = step.reference
        self._refuse_sharing(step)
        keys = list(missing_keys(self.known.session, self.known.schema, step))
        own = {name: f"{{{name}}}" for name in reference.referenced_columns}
        chain = self._chain(reference.referenced_table, own, keys, ())
        return replace(step, restorations=tuple(self._measured(each, keys) for each in chain))

    def _chain(
        self, table: TableName, key: dict[str, Any], keys: Sequence[KeyRow], above: tuple[TableName, ...]
    ) -> list[Restoration]:
        """What must be made so that ``table`` has rows with ``key``, those referred to first."""
        values = self._template(table, key)
        where = f"{self.known.catalog.file}, [restore.{written(table)}]"
        self.known.refuse_incomplete(table, tuple(values), where)
        own = Restoration(
            table,
            tuple(key),
            tuple(values.items()),
            triggers=triggers_met(self.known.schema, table, Change.INSERT),
        )
        before: list[Restoration] = []
        for reference in self.known.references:
            given = [values.get(name) for name in reference.columns]
            if reference.table != table or any(value is None for value in given):
                continue
            there = dict(zip(reference.referenced_columns, given, strict=True))
            if reference.referenced_table == table and all(values.get(n) == v for n, v in there.items()):
                continue
            lacking = self._lacking(reference, there, keys)
            if lacking and (reference.referenced_table in (*above, table) or not self._allowed(reference)):
                raise self._dangling(table, reference, lacking)
            if lacking:
                before += self._chain(reference.referenced_table, there, keys, (*above, table))
        return [*before, own]

    def _template(self, table: TableName, key: dict[str, Any]) -> Values:
        """The values of a table's template, in terms of the step's missing key."""
        described = self.known.described(self.known.catalog.restores, "restore")
        where = f"{self.known.catalog.file}, [restore.{written(table)}]"
        if table not in described:
            raise PlanRefused(
                f"There is no template for {written(table)}, from which missing rows could be made again",
                where=self.known.origin,
                hint=f"Describe it as [restore.{written(table)}] in the catalog.",
            )
        if self.known.schema.table(table).kind not in (TableKind.TABLE, TableKind.PARTITIONED):
            raise PlanRefused(f"No rows can be made in {written(table)}", where=where)
        words = key | ({"key": next(iter(key.values()))} if len(key) == 1 else {})
        values = {name: _filled(value, words, where) for name, value in described[table].items()}
        for name, value in key.items():
            if values.setdefault(name, value) != value:
                raise CatalogError(
                    f"{name} must be the missing key, not {described[table][name]!r}",
                    where=where,
                    hint=f'Write {name} = "{{{"key" if len(key) == 1 else name}}}", or leave it out.',
                )
        return values

    def _allowed(self, reference: Reference) -> bool:
        return reference.referenced_table in self.known.described(self.known.catalog.restores, "restore")

    def _lacking(self, reference: Reference, there: Values, keys: Sequence[KeyRow]) -> list[Values]:
        """The keys of the referenced table that would be needed and are not there."""
        needed = Restoration(reference.referenced_table, tuple(there), tuple(there.items()))
        return list(absent(self.known.session, self.known.schema, needed, keys).values())

    def _dangling(self, table: TableName, reference: Reference, lacking: Sequence[Values]) -> PlanRefused:
        there = written(reference.referenced_table)
        sample = ", ".join(map(str, lacking[0].values()))
        return PlanRefused(
            f"{len(lacking):,} restored rows of {written(table)} would be orphans of {reference}: "
            f"{there} has no row {sample}",
            where=f"{self.known.catalog.file}, [restore.{written(table)}]",
            hint=f"Describe the rows of {there} as [restore.{there}], too, or choose another resolution.",
        )

    def _refuse_sharing(self, step: Step) -> None:
        """A row made again serves all that miss it, whoever was chosen."""
        if not step.chosen_rows:
            return
        engine, schema, reference = self.known.engine, self.known.schema, step.reference
        mine, source = in_scope(engine, schema, step), engine.source(schema.table(reference.table))
        all_alike = in_scope(engine, schema, replace(step, chosen_rows=()))
        text = engine.key_text(reference.columns)
        sql = (
            f"SELECT count(*) FROM {source} c WHERE {all_alike.sql} "
            f"AND {text} IN (SELECT {text} FROM {source} c WHERE {mine.sql})"
        )
        others = int(self.known.session.value(sql, [*all_alike.params, *mine.params])) - step.rows
        if others:
            raise PlanRefused(
                f"{others:,} other orphans of {reference.label} miss the same keys as the chosen rows: what "
                "is made again would serve them, too",
                where=self.known.session.target.alias,
                hint="Decide about these missing keys, or choose all of their rows.",
            )

    # -- counting --------------------------------------------------------------------------

    def _measured(self, restoration: Restoration, keys: Sequence[KeyRow]) -> Restoration:
        found = absent(self.known.session, self.known.schema, restoration, keys)
        taken = self.made.setdefault(restoration.table, set())
        rows = [values for text, values in found.items() if text not in taken]
        taken.update(found)
        self._refuse_alike(restoration, rows)
        return replace(restoration, rows=len(rows))

    def _refuse_alike(self, restoration: Restoration, rows: Sequence[Values]) -> None:
        """Restored rows must not repeat one another, nor rows that are there."""
        for key in self.known.schema.table(restoration.table).keys:
            names = key.columns
            if key.expressions or key.where or any(dict(restoration.values).get(n) is None for n in names):
                continue
            texts = [key_text(row[name] for name in names) for row in rows]
            there = _present(self.known.session, self.known.schema, restoration.table, names, texts)
            alike = len(texts) - len(set(texts)) + len(there)
            if alike:
                raise PlanRefused(
                    f"Rows made again in {written(restoration.table)} would break "
                    f"{key.name or 'the primary key'} ({', '.join(names)}): {alike:,} would be alike",
                    where=f"{self.known.catalog.file}, [restore.{written(restoration.table)}]",
                    hint="Give each a value of its own in the template, with {key} in it.",
                )


def missing_keys(session: Session, schema: Schema, step: Step, limit: int | None = None) -> Iterator[KeyRow]:
    """Yields the missing keys of a step, by the referenced columns."""
    yield from keys_where(session, schema, step, "", (), limit)


def keys_where(
    session: Session, schema: Schema, step: Step, more: str, params: Sequence[Any], limit: int | None
) -> Iterator[KeyRow]:
    """The same with one more condition on a row ``c``."""
    engine, reference = session.engine, step.reference
    where = in_scope(engine, schema, step)
    values = ", ".join(engine.key_value(column(name, "c")) for name in reference.columns)
    most = f" LIMIT {int(limit)}" if limit is not None else ""
    source = engine.source(schema.table(reference.table))
    sql = f"SELECT DISTINCT {values} FROM {source} c WHERE {where.sql}{more}{most}"
    for row in session.rows(sql, [*where.params, *params]):
        yield dict(zip(reference.referenced_columns, row, strict=True))


def absent(
    session: Session, schema: Schema, restoration: Restoration, keys: Sequence[KeyRow]
) -> dict[str, Values]:
    """Returns the rows of a restoration that are not there, by their keys as text."""
    found: dict[str, Values] = {}
    for start in range(0, len(keys), _CHUNK):
        wanted = {}
        for key in keys[start : start + _CHUNK]:
            values = {name: _filled(value, key, "") for name, value in restoration.values}
            wanted[key_text(values[name] for name in restoration.key)] = values
        there = _present(session, schema, restoration.table, restoration.key, list(wanted))
        found |= {text: values for text, values in wanted.items() if text not in there}
    return found


def _present(
    session: Session, schema: Schema, table: TableName, names: Sequence[str], texts: Iterable[str]
) -> set[str]:
    """Those of these keys that a table has."""
    engine = session.engine
    where = engine.among(engine.key_text(names), list(texts))
    source = engine.parent_source(schema.table(table))
    sql = f"SELECT DISTINCT {engine.key_text(names)} FROM {source} c WHERE {where.sql}"
    return {row[0] for row in session.rows(sql, where.params)}


def _filled(value: Any, words: dict[str, Any], where: str) -> Any:
    """A template's value with the words in braces replaced; one that is nothing else keeps its type."""
    if not isinstance(value, str):
        return value
    whole = _PLACE.fullmatch(value)
    if whole and whole[1] in words:
        return words[whole[1]]

    def word(met: re.Match[str]) -> str:
        if met[1] not in words:
            raise CatalogError(
                f"{met[0]} is nothing that a template knows",
                where=where,
                hint=f"Known are: {', '.join(words)}.",
            )
        return str(words[met[1]])

    return _PLACE.sub(word, value)
