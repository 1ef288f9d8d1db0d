"""Looks whether the missing keys and rows that somebody chose are there, before anything is planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integrity.database.engine import Predicate
from integrity.exceptions import PlanRefused
from integrity.plans.known import Known
from integrity.plans.request import Request
from integrity.plans.scope import key_text, named, row_columns
from integrity.plans.steps import KeyTexts
from integrity.plans.wishes import Wish
from integrity.references.orphans import orphaned

MOST_CHOSEN = 10_000
"""A plan names every row and missing key that was chosen, so that what was approved is what runs."""

_LISTED = 10


@dataclass(frozen=True)
class Choosing:
    """Finds what was chosen. What a standing decision names and is gone by now is left out: it was done."""

    known: Known

    def look(self, wish: Wish) -> None:
        """Leaves in a wish what is there.

        Raises:
            PlanRefused: a key or row that was asked for now is not missing, or no orphan.
            NotCheckable: the reference cannot be looked at.
        """
        if wish.keys:
            self._narrow(wish, wish.keys, self._missing_keys(wish), "missing key", _KEY_HINT)
        if wish.rows:
            columns = row_columns(self.known.schema, wish.reference)
            hint = f"Give the primary key ({', '.join(columns)}) of rows that are orphans now."
            self._narrow(wish, wish.rows, self._orphans(wish, columns), "orphan", hint)

    def _narrow(
        self, wish: Wish, asked: dict[KeyTexts, Request], found: set[str], what: str, hint: str
    ) -> None:
        gone = [key for key in asked if key_text(key) not in found]
        unknown = [key for key in gone if not asked[key].standing]
        if unknown:
            raise PlanRefused(
                f"No {what} of {wish.reference.label}: {listed(unknown)}",
                where=self.known.session.target.alias,
                hint=hint,
            )
        for key in gone:
            del asked[key]

    def _missing_keys(self, wish: Wish) -> set[str]:
        """Those of the chosen keys that are missing, with a value for each column."""
        engine, columns = self.known.engine, wish.reference.columns
        asked = [key_text(key) for key in wish.keys if len(key) == len(columns)]
        return set(self._found(wish, columns, engine.among(engine.key_text(columns), asked)))

    def _orphans(self, wish: Wish, columns: tuple[str, ...]) -> set[str]:
        """Those of the chosen rows that are orphans."""
        asked = [row for row in wish.rows if len(row) == len(columns)]
        held = named(self.known.engine, self.known.schema, wish.reference, asked)
        found = self._found(wish, columns, held)
        several = [row for row in asked if found.get(key_text(row), 0) > 1]
        if several:
            raise PlanRefused(
                f"More than one row of {wish.reference.label} is written {listed(several)}",
                where=self.known.session.target.alias,
                hint="Their keys differ in type alone. Decide about the missing key, or the whole reference.",
            )
        return set(found)

    def _found(self, wish: Wish, columns: tuple[str, ...], held: Predicate) -> dict[str, int]:
        """How many orphans have each of the keys that were chosen, as text."""
        engine, schema = self.known.engine, self.known.schema
        text, where = engine.key_text(columns), held & orphaned(engine, schema, wish.reference)
        source = engine.source(schema.table(wish.reference.table))
        sql = f"SELECT {text}, count(*) FROM {source} c WHERE {where.sql} GROUP BY {text}"
        return dict(self.known.session.rows(sql, where.params))


def refuse_many(wishes: Sequence[Wish], alias: str) -> None:
    """Raises PlanRefused where more rows or keys were chosen than a plan can name."""
    for what, chosen in (
        ("rows", sum(len(wish.rows) for wish in wishes)),
        ("missing keys", sum(len(wish.keys) for wish in wishes)),
    ):
        if chosen > MOST_CHOSEN:
            raise PlanRefused(
                f"{chosen:,} {what} were chosen, more than the {MOST_CHOSEN:,} that one plan can name",
                where=alias,
                hint="Plan them in parts, or decide about missing keys or the whole reference.",
            )


def listed(keys: Sequence[KeyTexts]) -> str:
    """Returns keys for a message, the first of many."""
    shown = "; ".join(", ".join(key) for key in keys[:_LISTED])
    return shown + (f" and {len(keys) - _LISTED:,} more" if len(keys) > _LISTED else "")


_KEY_HINT = "Give values as integrity_audit shows them, one for each column, with commas between."
