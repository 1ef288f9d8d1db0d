"""What is asked about one reference, as SQL without parameters: run here, or written into a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from integrity import conf
from integrity.database.engine import Engine, Predicate
from integrity.database.identifiers import column, quote, quote_columns
from integrity.database.schema import Column, Schema, Table
from integrity.diagnosis.dialects import month
from integrity.diagnosis.worth import amount_columns, made_columns
from integrity.plans.row_paths import following
from integrity.references.catalog import Catalog
from integrity.references.masking import any_masked, is_masked
from integrity.references.orphans import orphaned
from integrity.references.reference import Reference


@dataclass(frozen=True)
class Questions:
    """The questions about one reference; each method returns a statement that changes nothing.

    Raises:
        NotCheckable: when no honest answer can be given, from each that speaks of orphans.
    """

    engine: Engine
    schema: Schema
    catalog: Catalog
    references: Sequence[Reference]
    reference: Reference

    @property
    def table(self) -> Table:
        """The referencing table."""
        return self.schema.table(self.reference.table)

    @property
    def parent(self) -> Table:
        """The referenced table."""
        return self.schema.table(self.reference.referenced_table)

    @cached_property
    def orphans(self) -> Predicate:
        """The condition that a row ``c`` is an orphan."""
        return orphaned(self.engine, self.schema, self.reference)

    @property
    def masked(self) -> bool:
        """Whether key values must not be shown."""
        here, there = self.reference, self.reference.referenced_columns
        return any_masked(self.catalog, here.table, here.columns) or any_masked(
            self.catalog, here.referenced_table, there
        )

    @property
    def made(self) -> tuple[Column, ...]:
        """The columns that say when a row was made, and may be shown."""
        return self._shown(made_columns(self.schema.vendor, self.table))

    @property
    def amounts(self) -> tuple[Column, ...]:
        """The columns that say what a row is worth, and may be shown."""
        return self._shown(amount_columns(self.schema.vendor, self.table))

    @property
    def referring(self) -> list[Reference]:
        """The references that other rows have to rows of the referencing table."""
        return [each for each in self.references if each.referenced_table == self.reference.table]

    def _shown(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        return tuple(each for each in columns if not is_masked(self.catalog, self.table.name, each.name))

    # -- statements ------------------------------------------------------------------------

    def count_parents(self) -> str:
        """How many rows could be referred to."""
        return f"SELECT count(*) AS parents FROM {self.engine.parent_source(self.parent)} p"

    def count_rows(self) -> str:
        """How many rows there are, and how many of them refer to nothing."""
        some = " OR ".join(f"{column(name, 'c')} IS NULL" for name in self.reference.columns)
        nulls = f"coalesce(sum(CASE WHEN {some} THEN 1 ELSE 0 END), 0)"
        return f"SELECT count(*) AS rows, {nulls} AS nulls FROM {self._source} c"

    def count_orphans(self) -> str:
        """How many rows break the reference, and how many values they miss."""
        keys = self._keys
        inner = f"SELECT {keys}, count(*) AS n FROM {self._source} c WHERE {self.orphans.sql} GROUP BY {keys}"
        return f"SELECT coalesce(sum(n), 0) AS orphans, count(*) AS missing_keys FROM ({inner}) k"

    def missing_keys(self) -> str:
        """The commonest missing keys."""
        return (
            f"SELECT {self._keys}, count(*) AS rows FROM {self._source} c WHERE {self.orphans.sql} "
            f"GROUP BY {self._keys} ORDER BY count(*) DESC, {self._keys} LIMIT {conf.sample_rows()}"
        )

    def samples(self) -> str:
        """Some of the orphans: key, references, times and amounts, without what is masked."""
        listed = quote_columns(self.sample_columns, "c")
        return (
            f"SELECT {listed} FROM {self._source} c WHERE {self.orphans.sql} "
            f"ORDER BY {listed} LIMIT {conf.sample_rows()}"
        )

    @property
    def sample_columns(self) -> tuple[str, ...]:
        """The columns of ``samples``."""
        key = self.table.primary_key.columns if self.table.primary_key else ()
        hidden = set(self.reference.columns) if self.masked else set()
        names = [*key, *self.reference.columns, *(each.name for each in (*self.made, *self.amounts))]
        return tuple(
            name
            for name in dict.fromkeys(names)
            if name not in hidden and not is_masked(self.catalog, self.table.name, name)
        )

    def stored_types(self, *, parent: bool) -> str:
        """SQLite: in which form the values of the first key column are really stored."""
        source = self.engine.parent_source(self.parent) if parent else self._source
        name = (self.reference.referenced_columns if parent else self.reference.columns)[0]
        return (
            f"SELECT typeof({column(name, 'c')}) AS stored_as, count(*) AS rows FROM {source} c "
            "GROUP BY 1 ORDER BY 2 DESC"
        )

    def age(self, made: Column) -> str:
        """When the first and the last orphan were made, and the first and last row of all."""
        name = column(made.name, "c")
        of_orphans = (
            f"SELECT min({name}) AS a, max({name}) AS b FROM {self._source} c WHERE {self.orphans.sql}"
        )
        of_all = f"SELECT min({name}) AS a, max({name}) AS b FROM {self._source} c"
        return (
            "SELECT o.a AS first_orphan, o.b AS last_orphan, r.a AS first_row, r.b AS last_row "
            f"FROM ({of_orphans}) o, ({of_all}) r"
        )

    def months(self, made: Column) -> str:
        """How many orphans were made in each month."""
        when = month(self.schema.vendor, made)
        return (
            f"SELECT {when} AS month, count(*) AS orphans FROM {self._source} c WHERE {self.orphans.sql} "
            "GROUP BY 1 ORDER BY 1"
        )

    def amount(self, each: Column) -> str:
        """What the orphans amount to."""
        name = column(each.name, "c")
        return (
            f"SELECT count({name}) AS rows, sum({name}) AS {quote('total')} FROM {self._source} c "
            f"WHERE {self.orphans.sql}"
        )

    def count_referring(self, other: Reference) -> str:
        """How many rows refer to orphans through another reference."""
        where = following(self.engine, self.schema, other, self.orphans)
        source = self.engine.source(self.schema.table(other.table))
        return f"SELECT count(*) AS rows FROM {source} c WHERE {where.sql}"

    @property
    def _source(self) -> str:
        return self.engine.source(self.table)

    @property
    def _keys(self) -> str:
        return quote_columns(self.reference.columns, "c")
