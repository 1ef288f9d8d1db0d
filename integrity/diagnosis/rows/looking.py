"""What is looked at when orphans are shown row by row: one reference of a target that is opened briefly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.db import DatabaseError, DataError

from integrity.database.engine import Engine, Predicate
from integrity.database.identifiers import Path, TableName, column
from integrity.database.schema import Schema, Table
from integrity.database.session import Session, Target
from integrity.exceptions import NotAnswerable, NotCheckable, TimedOut, UnknownReference
from integrity.references.catalog import Catalog, load_catalog
from integrity.references.django_models import has_models, model_references
from integrity.references.masking import any_masked, is_masked
from integrity.references.orphans import orphaned
from integrity.references.reference import Reference
from integrity.references.resolve import choose, known_references

PATIENCE_MS = 5_000
"""How long somebody who waits for a page waits for one statement."""

CONNECT_S = 3
"""How long opening the target may take."""


@dataclass(frozen=True)
class Sought:
    """Which reference of which target: as a finding names it, with the referenced table where two share
    their columns."""

    alias: str
    label: Path
    referenced_table: str = ""

    @property
    def label_text(self) -> str:
        """The reference as people read it."""
        return f"{self.alias}: {'.'.join(self.label.parts)}.{','.join(self.label.columns)}"


@dataclass(frozen=True)
class Orphans:
    """The orphans of one reference in an open target, and what is known of the target."""

    session: Session
    schema: Schema
    catalog: Catalog
    references: tuple[Reference, ...]
    reference: Reference

    @property
    def engine(self) -> Engine:
        """What speaks the dialect."""
        return self.session.engine

    @property
    def table(self) -> Table:
        """Whose rows they are."""
        return self.schema.table(self.reference.table)

    @property
    def parent(self) -> Table:
        """What they refer to."""
        return self.schema.table(self.reference.referenced_table)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of its primary key, none where there is none or where it must not be shown."""
        key = self.table.primary_key
        if key is None or any(self.hidden(self.table, name) for name in key.columns):
            return ()
        return key.columns

    @property
    def where(self) -> Predicate:
        """The condition that a row ``c`` is one.

        Raises:
            NotCheckable: when no honest answer can be given, with the reason.
        """
        return orphaned(self.engine, self.schema, self.reference)

    @property
    def hides_keys(self) -> bool:
        """Whether missing keys must not be shown, on either side."""
        return any_masked(self.catalog, self.table.name, self.reference.columns) or any_masked(
            self.catalog, self.parent.name, self.reference.referenced_columns
        )

    def hidden(self, table: Table, name: str) -> bool:
        """Whether the values of a column must not be shown: masked, or not to be read at all."""
        if name in table.unreadable or is_masked(self.catalog, table.name, name):
            return True
        return self.hides_keys and (table.name, name) in self._sides

    @property
    def _sides(self) -> set[tuple[TableName, str]]:
        own = {(self.table.name, name) for name in self.reference.columns}
        return own | {(self.parent.name, name) for name in self.reference.referenced_columns}

    def with_key(self, key: tuple[str, ...]) -> Predicate:
        """The condition that a row ``c`` misses just this key, which is given as texts.

        Raises:
            NotAnswerable: when the reference has another number of columns, or when its keys must not be
                shown: whether there are rows would tell them.
        """
        names = self.reference.columns
        if self.hides_keys:
            raise NotAnswerable("The keys of this reference are masked", where=self.reference.label)
        if len(key) != len(names):
            raise NotAnswerable("That is no key of this reference", where=self.reference.label)
        where = Predicate("1 = 1")
        for name, text in zip(names, key, strict=True):
            where = where & self.engine.written_as(self.table.column(name), column(name, "c"), text)
        return where


@contextmanager
def looking(
    sought: Sought, *, statement_timeout_ms: int = PATIENCE_MS, known: Orphans | None = None
) -> Iterator[Orphans]:
    """Opens a target for one short look at the orphans of a reference.

    Args:
        sought: which reference.
        statement_timeout_ms: how long a statement may take.
        known: what another look found out about the structure a moment ago, not to be asked again.

    Raises:
        UnknownReference: when the target has no such reference any more.
        TimedOut: with what to do about it.
        TargetUnreachable, WrongCredentials: when it cannot be opened.
    """
    target = Target(sought.alias)
    with target.reading(statement_timeout_ms=statement_timeout_ms, connect_timeout_s=CONNECT_S) as session:
        try:
            yield replace(known, session=session) if known else _known(session, sought)
        except TimedOut as error:
            raise TimedOut(
                f"Looking took longer than {statement_timeout_ms / 1000:g} seconds",
                where=sought.alias,
                hint="Narrow it to one missing key; an index on the referencing columns makes it fast.",
            ) from error
        except DataError as error:
            raise NotAnswerable(
                "No value there is written so", where=sought.label_text, hint=_first_line(error)
            ) from error
        except DatabaseError as error:
            raise NotCheckable(
                f"The target does not answer: {_first_line(error)}", where=sought.label_text
            ) from error


def _known(session: Session, sought: Sought) -> Orphans:
    schema, catalog = session.schema(), load_catalog(sought.alias)
    others = model_references(sought.alias, schema) if has_models(sought.alias) else []
    references = tuple(known_references(schema, catalog, others))
    found = choose(references, schema, [sought.label])
    wanted = [each for each in found if each.referenced_table.name == sought.referenced_table]
    chosen = next(iter(wanted or found), None)
    if chosen is None:
        raise UnknownReference("The target has no such reference any more", where=sought.alias)
    return Orphans(session, schema, catalog, references, chosen)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
