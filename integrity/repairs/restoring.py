"""Puts rows back as the journal has them: deleted ones in, updated ones back, made ones out.

Every restored row is compared with its image in the same transaction. A row that somebody
changed, or made anew, since is never overwritten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integrity.database.engine import Locator, Predicate
from integrity.database.identifiers import column, quote, quote_columns, quote_table
from integrity.database.schema import Column, Key, Schema, Table
from integrity.database.session import Session
from integrity.references.reference import Reference
from integrity.repairs.closure import Disagreement
from integrity.repairs.journal import OF, ROW, SEQ, Images, Journal, row_key
from integrity.repairs.made import Made

_NUMBER = "row_number() OVER (PARTITION BY {})"


@dataclass(frozen=True)
class Refused:
    """An image that was not put back, and why."""

    seq: int
    reason: str


@dataclass(frozen=True)
class Restorer:
    """Restores rows of one table from one table of the journal."""

    session: Session
    journal: Journal
    schema: Schema
    references: Sequence[Reference]
    images: Images
    run: Sequence[Images] = ()

    @property
    def table(self) -> Table:
        """The table as it is now."""
        return self.schema.table(self.images.table)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The journaled columns, as they are now."""
        return tuple(self.table.column(name) for name in self.images.columns)

    # -- deleted rows ----------------------------------------------------------------------

    def insert(self, seqs: Sequence[int]) -> list[Refused]:
        """Puts deleted rows back; returns those whose place is taken.

        Raises:
            Disagreement: a trigger or rule keeps them out or changes them.
        """
        taken = self._taken(seqs)
        free = [seq for seq in seqs if seq not in taken]
        hidden = self.session.engine.hidden_identity(self.table)
        lost = self._identity_taken(free, hidden) if hidden else set()
        kept = [seq for seq in free if seq not in lost]
        done = self._insert(kept, hidden) + self._insert([seq for seq in free if seq in lost], "")
        if done != len(free):
            raise Disagreement(f"{len(free):,} rows of {self.table.name} were put back, {done:,} arrived")
        self._prove(kept, hidden)
        self._prove([seq for seq in free if seq in lost], "")
        return [Refused(seq, reason) for seq, reason in taken.items()]

    def _insert(self, seqs: Sequence[int], hidden: str) -> int:
        if not seqs:
            return 0
        engine = self.session.engine
        names = [quote(name) for name in self.images.columns]
        values = [engine.restored_as(each, column(each.name, "j")) for each in self.columns]
        if hidden:
            names, values = [hidden, *names], [f"j.{ROW}", *values]
        where = self.journal.seqs(seqs)
        prefix = engine.insert_prefix(self.table)
        sql = (
            f"INSERT INTO {quote_table(self.table.name)} ({', '.join(names)}) {prefix} "
            f"SELECT {', '.join(values)} FROM {self.images.sql} AS j WHERE {where.sql} ORDER BY j.{SEQ}"
        )
        return self.session.execute(sql)

    def _taken(self, seqs: Sequence[int]) -> dict[int, str]:
        found: dict[int, str] = {}
        for key in self.table.keys:
            if key.expressions or key.where or not set(key.columns) <= set(self.images.columns):
                continue  # the database itself refuses what these forbid
            for seq in self._clashing(seqs, key):
                name = "key" if key.primary else key.name
                found.setdefault(seq, f"a row with the same {name} ({', '.join(key.columns)}) was made since")
        return found

    def _clashing(self, seqs: Sequence[int], key: Key) -> list[int]:
        engine = self.session.engine
        equal = "=" if key.nulls_distinct else "IS NOT DISTINCT FROM"
        alike = " AND ".join(
            f"{column(name, 'c')} {equal} {engine.restored_as(self.table.column(name), column(name, 'j'))}"
            for name in key.columns
        )
        where = self.journal.seqs(seqs)
        live = f"SELECT 1 FROM {quote_table(self.table.name)} AS c WHERE {alike}"
        sql = f"SELECT j.{SEQ} FROM {self.images.sql} AS j WHERE {where.sql} AND EXISTS ({live})"
        return [row[0] for row in self.session.rows(sql)]

    def _identity_taken(self, seqs: Sequence[int], hidden: str) -> set[int]:
        """Rows whose rowid, which nobody sees, another row has by now: they get a new one."""
        where = self.journal.seqs(seqs)
        live = f"SELECT 1 FROM {quote_table(self.table.name)} AS c WHERE c.{hidden} = j.{ROW}"
        sql = f"SELECT j.{SEQ} FROM {self.images.sql} AS j WHERE {where.sql} AND EXISTS ({live})"
        return {row[0] for row in self.session.rows(sql)}

    def _prove(self, seqs: Sequence[int], hidden: str) -> None:
        """Compares what was put back with its images, column by column."""
        if not seqs:
            return
        where = self.journal.seqs(seqs)
        at = f" AND c.{hidden} = j.{ROW}" if hidden else ""
        live = f"SELECT 1 FROM {quote_table(self.table.name)} AS c WHERE {self.alike('c', 'j')}{at}"
        sql = f"SELECT count(*) FROM {self.images.sql} AS j WHERE {where.sql} AND NOT EXISTS ({live})"
        different = self.session.value(sql)
        if different:
            raise Disagreement(
                f"{different:,} rows of {self.table.name} came back different: a trigger changed them"
            )

    # -- updated rows ----------------------------------------------------------------------

    def revert(self, seqs: Sequence[int]) -> list[Refused]:
        """Sets updated rows back; returns those that somebody changed or deleted since.

        Raises:
            Disagreement: a trigger or rule acts on them.
        """
        pairs = self._unchanged(seqs)
        if pairs:
            self._set_back(pairs)
            self._prove(list(pairs), "")
        left = [seq for seq in seqs if seq not in pairs]
        return [Refused(seq, "the row was changed or deleted since") for seq in left]

    def _unchanged(self, seqs: Sequence[int]) -> dict[int, Locator]:
        """The live row of each image, where it still is as the repair left it; none twice."""
        found: dict[int, Locator] = {}
        for leaf in self.schema.leaves(self.table.name):
            left = [seq for seq in seqs if seq not in found]
            used = set()
            for seq, at in self._matches(leaf, left) if left else ():
                if seq not in found and at not in used:
                    found[seq] = at
                    used.add(at)
        return found

    def _matches(self, leaf: Table, seqs: Sequence[int]) -> list[tuple[int, Locator]]:
        """(image before, live row) for rows of ``leaf``; rows without a key that are alike are numbered."""
        engine, locator = self.session.engine, self.session.engine.locator(leaf)
        where = self.journal.seqs(seqs, "b")
        after = f"{self.images.sql} AS b JOIN {self.images.sql} AS a ON a.{OF} = b.{SEQ}"
        text = self._text
        if text("c"):
            images = f"SELECT b.{SEQ} AS seq, {text('a')} AS t, {_NUMBER.format(text('a'))} AS n FROM {after}"
            live = f"SELECT {locator} AS loc, {text('c')} AS t, {_NUMBER.format(text('c'))} AS n"
            sql = (
                f"WITH images AS ({images} WHERE {where.sql}) "
                f"SELECT i.seq, l.loc FROM images i JOIN ({live} FROM {engine.source(leaf)} AS c "
                f"WHERE {text('c')} IN (SELECT t FROM images)) l ON l.t = i.t AND l.n = i.n"
            )
        else:
            hidden = "" if row_key(self.table) else engine.hidden_identity(self.table)
            place = f" AND c.{hidden} = a.{ROW}" if hidden else ""
            live = f"JOIN {engine.source(leaf)} AS c ON {self.alike('c', 'a')}{place}"
            sql = f"SELECT b.{SEQ}, {locator} FROM {after} {live} WHERE {where.sql}"
        return [(seq, at) for seq, at in self.session.rows(sql)]

    def _text(self, alias: str) -> str:
        """A whole row as one text, by which rows without a key are found; empty where they have one."""
        if row_key(self.table):
            return ""
        return self.session.engine.row_text([column(name, alias) for name in self.images.columns])

    def _set_back(self, pairs: dict[int, Locator]) -> None:
        engine = self.session.engine
        changed = self._changed_columns(list(pairs))
        if not changed:
            return
        assigned = ", ".join(
            f"{quote(each.name)} = {engine.restored_as(each, column(each.name, 'b'))}" for each in changed
        )
        item, params = engine.paired(list(pairs.items()))
        done = 0
        for leaf in self.schema.leaves(self.table.name):
            located = engine.located(leaf, list(pairs.values()))
            sql = (
                f"UPDATE {engine.source(leaf)} AS c SET {assigned} FROM {self.images.sql} AS b "
                f"JOIN {item} ON b.{SEQ} = m.seq "
                f"WHERE {located.sql} AND {engine.locator(leaf)} = m.loc AND {self._still(leaf)}"
            )
            done += self.session.execute(sql, [*params, *located.params])
        if done != len(pairs):
            raise Disagreement(f"{len(pairs):,} rows of {self.table.name} were set back, {done:,} changed")

    def _still(self, leaf: Table) -> str:
        """Rows of two partitions can have the same locator: the after-image decides."""
        if leaf.name == self.table.name:
            return "1 = 1"
        after = f"SELECT 1 FROM {self.images.sql} AS a WHERE a.{OF} = b.{SEQ} AND {self.alike('c', 'a')}"
        return f"EXISTS ({after})"

    def _changed_columns(self, seqs: Sequence[int]) -> list[Column]:
        """The columns in which images before and after differ, whoever changed them."""
        engine = self.session.engine
        alike = [
            engine.same_image(column(each.name, "b"), column(each.name, "a"), each) for each in self.columns
        ]
        counts = ", ".join(f"count(*) FILTER (WHERE NOT ({each}))" for each in alike)
        where = self.journal.seqs(seqs, "b")
        after = f"{self.images.sql} AS b JOIN {self.images.sql} AS a ON a.{OF} = b.{SEQ}"
        sql = f"SELECT {counts} FROM {after} WHERE {where.sql}"
        return [each for each, differs in zip(self.columns, self.session.row(sql), strict=True) if differs]

    def alike(self, live: str, image: str) -> str:
        """A live row is exactly an image; the key first, so that an index finds it."""
        engine = self.session.engine
        by_key = [
            engine.same_key(column(name, live), column(name, image), self.table.column(name))
            for name in row_key(self.table)
        ]
        exact = [
            engine.same(column(each.name, live), column(each.name, image), each) for each in self.columns
        ]
        if self._text(live):
            exact = [f"{self._text(live)} = {self._text(image)}"]
        return " AND ".join([*by_key, *exact])

    # -- rows that the repair made ---------------------------------------------------------

    def remove(self, seqs: Sequence[int]) -> list[Refused]:
        """Takes out rows that the repair made, where they are unchanged and nothing newer refers to them."""
        refused = Made(self).kept(seqs)
        free = [seq for seq in seqs if seq not in refused]
        where = self.made(free)
        sql = f"DELETE FROM {self.session.engine.source(self.table)} AS c WHERE {where.sql}"
        if free and self.session.execute(sql, where.params) != len(free):
            raise Disagreement(f"{len(free):,} rows of {self.table.name} were made; others went with them")
        return [Refused(seq, reason) for seq, reason in refused.items()]

    def made(self, seqs: Sequence[int]) -> Predicate:
        """The condition that a row ``c`` is one of these, as it was made."""
        where = self.journal.seqs(seqs, "a")
        return Predicate(
            f"EXISTS (SELECT 1 FROM {self.images.sql} AS a WHERE {where.sql} AND {self.alike('c', 'a')})"
        )

    # -- naming ----------------------------------------------------------------------------

    def key(self, seq: int) -> dict[str, object]:
        """What people call the row of an image."""
        names = row_key(self.table)
        if not names:
            return {"journal": f"{self.images.name} {SEQ} {seq}"}
        row = self.session.row(
            f"SELECT {quote_columns(names)} FROM {self.images.sql} WHERE {SEQ} = %s", [seq]
        )
        return dict(zip(names, row, strict=True))
