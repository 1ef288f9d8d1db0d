"""What stands in the way of a rollback as a whole: looked for before the first row comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from django.db import DatabaseError

from integrity.database.identifiers import quote, quote_table
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.exceptions import RollbackRefused
from integrity.repairs.journal import Images, RunRecord
from integrity.repairs.selection import Chosen
from integrity.repairs.standing import InTheWay, MadeBy, in_the_way
from integrity.repairs.standing_uniques import UniqueInTheWay, uniques_in_the_way

# Planned, never run: do values of then and now compare, and can those of then be put back?
_COMPARED = "EXPLAIN SELECT 1 FROM {table} c JOIN {images} j ON c.{column} = j.{column}"
_PUT_BACK = "EXPLAIN INSERT INTO {table} ({column}) SELECT j.{column} FROM {images} j"


@dataclass(frozen=True)
class Obstacles:
    """What forbids that the chosen rows of a run come back; ``trial`` is within what a statement may fail."""

    session: Session
    schema: Schema
    record: RunRecord
    images: Sequence[Images]
    chosen: Chosen
    trial: Callable[[], AbstractContextManager[None]] = nullcontext

    def refuse_other_columns(self) -> None:
        """Rows cannot come back into a table that is gone or lost a column."""
        for images in self.images:
            table = self.schema.tables.get(images.table)
            lost = [name for name in images.columns if table is None or name not in table.column_names]
            if lost or table is None:
                what = (
                    f"{images.table} no longer has {', '.join(lost)}" if table else f"{images.table} is gone"
                )
                raise RollbackRefused(
                    what,
                    where=self.session.target.alias,
                    hint=f"The rows are still in {images.name}: copy them from there.",
                )

    def standing(self, made_by: MadeBy) -> list[InTheWay]:
        """The foreign keys in the way of what would come back."""
        images = [each for each in self.images if not self._retyped(each, _COMPARED)]
        chosen = {each: self.chosen.literal(each) for each in images}
        made = not self.chosen.selection
        return in_the_way(self.session, self.schema, self.record, images, made_by, chosen, made=made)

    def standing_uniques(self, made_by: MadeBy) -> list[UniqueInTheWay]:
        """The uniques in the way of what would come back."""
        if not any(step.get("kind") == "duplicates" for step in self.record.plan.get("steps", ())):
            return []
        chosen = {each: self.chosen.literal(each) for each in self.images}
        return uniques_in_the_way(self.session, self.schema, self.record, self.images, made_by, chosen)

    def _wanted(self) -> list[Images]:
        """The tables of which something would come back, or go again."""
        return [each for each in self.images if self.chosen.count(each) or self.chosen.made(each)]

    def refuse_converted(self) -> None:
        """Rows of a table whose column was converted since come back only after that is reversed."""
        found = [f"{each.table}.{name}" for each in self._wanted() for name in self._retyped(each, _PUT_BACK)]
        if not found:
            return
        refused = RollbackRefused(
            f"{', '.join(found)} has another type than when the run changed it",
            where=self.session.target.alias,
            hint="Nothing was changed. Take the migration that converted it back too, with "
            "--with-migrations, or leave the table out, with --table or --reference.",
        )
        refused.converted = True
        raise refused

    def _retyped(self, images: Images, trial: str) -> list[str]:
        """The columns of another type than at the run for which a trial statement cannot be planned."""
        table = self.schema.table(images.table)
        recorded = self.record.structure.get(str(images.table), {}).get("columns", ())
        types = {each["name"]: each["type"] for each in recorded}
        other = [name for name in images.columns if types.get(name, "") != table.column(name).type]
        return [name for name in other if not self._planned(images, name, trial)]

    def _planned(self, images: Images, name: str, trial: str) -> bool:
        try:
            with self.trial():
                self.session.rows(
                    trial.format(table=quote_table(images.table), images=images.sql, column=quote(name))
                )
        except DatabaseError:
            return False
        return True
