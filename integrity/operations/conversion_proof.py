"""That a rebuilt table of SQLite is whole, and breaks no key that it did not break before."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import DatabaseError

from integrity.database import clauses
from integrity.database.identifiers import TableName
from integrity.database.schema import Schema
from integrity.exceptions import SchemaFixRefused
from integrity.operations.alteration import Alteration
from integrity.operations.change_of_type import Change, by_table, places, touching

if TYPE_CHECKING:
    from integrity.operations.convert_column import ConvertColumn


@dataclass(frozen=True)
class ConversionProof:
    """What is looked at before and after the tables of ``changes`` are rebuilt, in one transaction."""

    operation: ConvertColumn
    work: Alteration
    schema: Schema
    changes: list[Change]

    def violations(self) -> dict[TableName, int | None]:
        """How many rows break the keys of each table that has to do with the columns."""
        keys = touching(self.schema, places(self.schema, self.changes))
        return {key.table: self._broken(key.table) for key in keys}

    def _broken(self, table: TableName) -> int | None:
        with suppress(DatabaseError):
            return int(
                self.work.session.value("SELECT count(*) FROM pragma_foreign_key_check(%s)", [table.name])
            )
        return None

    def prove(self, before: dict[TableName, int | None]) -> None:
        """No row is lost or bent, and none breaks a key that did not before."""
        for name, broken in before.items():
            now = self._broken(name)
            if broken is not None and (now is None or now > broken):
                raise self._worse(name, broken, now)
        for table, _ in by_table(self.changes):
            found = self.work.session.value("SELECT * FROM pragma_integrity_check(%s)", [table.name.name])
            if found != "ok":
                raise SchemaFixRefused(
                    f"SQLite finds fault with the rebuilt table: {found}",
                    where=f"{self.work.alias}, {table.name.name}",
                    hint="Nothing was changed. Run PRAGMA integrity_check on the file.",
                )

    def _worse(self, table: TableName, before: int, now: int | None) -> SchemaFixRefused:
        more = (
            "cannot be checked any more" if now is None else f"would be broken by {now - before:,} more rows"
        )
        return self.operation.refuse(
            f"A foreign key of {table.name} {more}: they are written otherwise than the key that they mean",
            f"List them with: PRAGMA foreign_key_check({clauses.name(table.name)}) after converting a copy; "
            "write them as the key is written, then convert.",
        )
