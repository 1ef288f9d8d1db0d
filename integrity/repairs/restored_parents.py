"""Makes missing parents again, batch by batch; the orphans themselves are not changed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError

from integrity.database.engine import Predicate
from integrity.database.identifiers import TableName, quote_columns, quote_table
from integrity.database.schema import TableKind
from integrity.plans.plan import Change, Restoration, Step
from integrity.plans.restoring import KeyRow, absent, keys_where
from integrity.plans.scope import in_scope, key_text
from integrity.repairs.batch import Counts
from integrity.repairs.closure import Disagreement
from integrity.repairs.making import capture_made, capture_witnesses
from integrity.repairs.refusing import MOST_REFUSALS, reason
from integrity.repairs.result import Refusal
from integrity.repairs.walk import Walk

_MOST_VALUES = 10_000
"""How many parameters one INSERT has: SQLite allows 32,766."""


def restore_parents(walk: Walk, step: Step) -> None:
    """Carries out a step that makes rows again.

    Raises:
        Interrupted: somebody asked for it; all finished batches stay.
        TooManyRows: more rows than approved; all finished batches stay.
    """
    work = _Restoring(walk, step)
    walk.position = {"step": step.number, "taken": 0}
    while keys := work.next():
        walk.heed()
        begun = time.monotonic()
        work.attempt(keys)
        walk.pace.learn(time.monotonic() - begun)
        walk.progressed()
    walk.refusals.end_step()


@dataclass
class _Restoring:
    walk: Walk
    step: Step
    refused: list[str] = field(default_factory=list)

    @property
    def keys_text(self) -> str:
        """SQL for the missing key of a row ``c``."""
        return self.walk.session.engine.key_text(self.step.reference.columns)

    def next(self) -> list[KeyRow]:
        """Some of the keys that are still missing, without those that were refused."""
        walk, spared = self.walk, Predicate("")
        if self.refused:
            held = walk.session.engine.among(self.keys_text, self.refused)
            spared = Predicate(f" AND NOT {held.sql}", held.params)
        return list(
            keys_where(walk.session, walk.schema, self.step, spared.sql, spared.params, walk.pace.rows)
        )

    def attempt(self, keys: Sequence[KeyRow]) -> None:
        """One batch, or halves of it down to single keys where something forbids it."""
        try:
            counts, number = self.walk.session.retrying(lambda: self._batch(keys))
        except (Disagreement, DatabaseError) as error:
            if not self.walk.session.connection.is_usable():
                raise
            if len(keys) == 1:
                self._refuse(keys[0], error)
                return
            middle = len(keys) // 2
            self.attempt(keys[:middle])
            self.attempt(keys[middle:])
            return
        self.walk.committed(counts, number)

    def _batch(self, keys: Sequence[KeyRow]) -> tuple[Counts, int]:
        walk, number = self.walk, self.walk.batch + 1
        with walk.changing():
            self._lock()
            missing = {each.table: self._absent(each, keys) for each in self.step.restorations}
            for restoration in self.step.restorations:
                self._insert(restoration, list(self._absent(restoration, keys).values()))
            self._refuse_left(keys)
            counts: Counts = {table: {Change.INSERT: len(rows)} for table, rows in missing.items() if rows}
            self._journal(missing, number)
            walk.write(counts, number)
        return counts, number

    def _lock(self) -> None:
        tables = [self.walk.schema.table(each.table) for each in self.step.restorations]
        self.walk.session.engine.lock_referenced(self.walk.session, tables, tables)

    def _absent(self, restoration: Restoration, keys: Sequence[KeyRow]) -> dict[str, dict[str, Any]]:
        return absent(self.walk.session, self.walk.schema, restoration, keys)

    def _insert(self, restoration: Restoration, rows: Sequence[dict[str, Any]]) -> None:
        engine, table = self.walk.session.engine, self.walk.schema.table(restoration.table)
        names = [name for name, _ in restoration.values]
        marks = f"({', '.join(engine.given(table.column(name)) for name in names)})"
        size = max(1, _MOST_VALUES // len(names))
        into = f"INSERT INTO {quote_table(table.name)} ({quote_columns(names)}) {engine.insert_prefix(table)}"
        for start in range(0, len(rows), size):
            some = rows[start : start + size]
            sql = f"{into} VALUES {', '.join([marks] * len(some))}"
            self.walk.session.execute(sql, [row[name] for row in some for name in names])

    def _refuse_left(self, keys: Sequence[KeyRow]) -> None:
        """After it, nothing misses these keys any more: else a trigger, a rule or a type forbids it."""
        walk, engine = self.walk, self.walk.session.engine
        texts = [key_text(key.values()) for key in keys]
        where = in_scope(engine, walk.schema, self.step) & engine.among(self.keys_text, texts)
        source = engine.source(walk.schema.table(self.step.reference.table))
        sql = f"SELECT count(*) FROM {source} c WHERE {where.sql}"
        left = walk.session.value(sql, where.params)
        if left:
            raise Disagreement(
                f"{left:,} rows of {self.step.reference.label} would be orphans after it, too: the row that "
                "was made has another key, or a trigger or rule kept it out"
            )

    def _journal(self, missing: dict[TableName, dict[str, dict[str, Any]]], number: int) -> None:
        made: dict[TableName, Predicate] = {}
        for order, restoration in enumerate(self.step.restorations):
            rows = missing[restoration.table]
            if not rows:
                continue
            engine = self.walk.session.engine
            made[restoration.table] = engine.among(engine.key_text(restoration.key), list(rows))
            found = capture_made(
                self.walk, self.step, restoration.table, made[restoration.table], number, order
            )
            if found != len(rows):
                raise Disagreement(
                    f"{len(rows):,} rows of {restoration.table} were made, {found:,} found again"
                )
        for reference in self.walk.references:
            if reference.referenced_table in made and self._holds_rows(reference.table):
                capture_witnesses(
                    self.walk,
                    self.step,
                    reference,
                    made[reference.referenced_table],
                    made.get(reference.table),
                    number,
                )

    def _holds_rows(self, table: TableName) -> bool:
        kinds = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.PARTITION)
        return self.walk.schema.table(table).kind in kinds

    def _refuse(self, key: KeyRow, error: Exception) -> None:
        """The rows that miss it stay orphans."""
        table = self.step.reference.referenced_table
        self.refused.append(key_text(key.values()))
        self.walk.result.tally(table).refused += 1
        if len(self.walk.result.refusals) < MOST_REFUSALS:
            self.walk.result.refusals.append(Refusal(table, dict(key), reason(error)))
