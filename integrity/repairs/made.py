"""Rows that a repair made, when it is taken back: which of them have to stay, and why.

Rows that were orphans before may be orphans again: the repair has journaled them as witnesses. A
row that refers to a made one since is no witness, and keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from integrity.database.identifiers import column
from integrity.database.schema import Table
from integrity.references.orphans import joined
from integrity.references.reference import Reference
from integrity.repairs.journal import IMAGE, REASON, SEQ, WITNESS, Images, row_key

if TYPE_CHECKING:
    from integrity.repairs.restoring import Restorer


@dataclass(frozen=True)
class Made:
    """Rows of one table that a repair made."""

    restorer: Restorer

    def kept(self, seqs: Sequence[int]) -> dict[int, str]:
        """Returns those that stay, each with the reason."""
        found = self._unchanged(seqs)
        kept = {
            seq: "the row that the repair made was changed or deleted since"
            for seq in seqs
            if seq not in found
        }
        for reference in self.restorer.references:
            if reference.referenced_table == self.restorer.table.name:
                for seq, rows in self._newer(reference, [seq for seq in seqs if seq not in kept]).items():
                    kept[seq] = f"{rows:,} rows of {reference.label} refer to the row that the repair made"
        return kept

    def _unchanged(self, seqs: Sequence[int]) -> set[int]:
        restorer = self.restorer
        where = restorer.journal.seqs(seqs, "a")
        source = restorer.session.engine.source(restorer.table)
        sql = (
            f"SELECT a.{SEQ} FROM {restorer.images.sql} AS a JOIN {source} AS c "
            f"ON {restorer.alike('c', 'a')} WHERE {where.sql}"
        )
        return {row[0] for row in restorer.session.rows(sql)}

    def _newer(self, reference: Reference, seqs: Sequence[int]) -> dict[int, int]:
        """How many rows refer to each that are no witnesses."""
        session, schema = self.restorer.session, self.restorer.schema
        child = schema.table(reference.table)
        params: list[str] = []
        old = ""
        witnesses = next((each for each in self.restorer.run if each.table == reference.table), None)
        if witnesses is not None and set(reference.columns) <= set(witnesses.columns):
            old = f" AND NOT {self._witnessed(reference, child, witnesses)}"
            params.append(reference.label)
        itself = (
            f" AND NOT ({self.restorer.alike('c', 'a')})" if child.name == self.restorer.table.name else ""
        )
        where = self.restorer.journal.seqs(seqs, "a")
        sql = (
            f"SELECT a.{SEQ}, count(*) FROM {self.restorer.images.sql} AS a "
            f"JOIN {session.engine.source(self.restorer.table)} AS p ON {self.restorer.alike('p', 'a')} "
            f"JOIN {session.engine.source(child)} AS c ON {joined(session.engine, schema, reference)} "
            f"WHERE {where.sql}{itself}{old} GROUP BY a.{SEQ}"
        )
        return dict(session.rows(sql, params))

    def _witnessed(self, reference: Reference, child: Table, witnesses: Images) -> str:
        """A row without a key is told by all that it is: a twin of a witness counts as one."""
        engine, key = self.restorer.session.engine, row_key(child)
        alike = [
            engine.same_key(column(name, "c"), column(name, "w"), child.column(name)) for name in key
        ] + [
            engine.same(column(name, "c"), column(name, "w"), child.column(name))
            for name in (reference.columns if key else witnesses.columns)
        ]
        known = f"w.{IMAGE} = '{WITNESS}' AND w.{REASON} = %s"
        return f"EXISTS (SELECT 1 FROM {witnesses.sql} AS w WHERE {known} AND {' AND '.join(alike)})"
