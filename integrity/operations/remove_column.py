"""Takes a column away, its values kept in the target's journal, and puts it back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from integrity.database.identifiers import TableName, parse_table, quote_table
from integrity.database.locks import Lock
from integrity.database.postgresql import columns as postgresql
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.database.sqlite import columns as sqlite
from integrity.operations import removed_columns
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check, Moment, Verdict
from integrity.operations.compatibility_view import CreateCompatibilityView
from integrity.operations.leaving_column import LeavingColumn
from integrity.operations.mirror_operation import MirrorOperation
from integrity.operations.operation import bounded
from integrity.operations.record import Origin, recorded
from integrity.operations.removal_checks import acknowledged_dependents, refuse_drift, refuse_kind
from integrity.operations.return_column import ReturningColumn


class RemoveColumn(MirrorOperation):
    """Removes a column; re-entrant, reversible.

    Its values are copied into the target's journal while others write, then what was changed meanwhile;
    only that and the removal itself keep writers out, and only the removal readers. The reverse adds the
    column with its type, default, collation, comment and rights, every value as it was, and its indexes;
    rows made since get what the table says. On SQLite it comes back where it stood, on PostgreSQL behind
    all others, which is the one thing that differs.

    What uses the column must be in ``acknowledged``. Views, triggers and rules that the database would not
    leave without it are dropped then, and made again by the reverse; indexes and constraints go with it;
    functions that only mention it are left alone.

    With ``repeats`` it stops while the JSON says something else than the table, unless ``drift`` is
    ``keep``; rows that have what the table does not have stop it unless ``only_in_json`` is ``journal``.

    Args:
        table: the table as it is written in catalogs.
        column: the column.
        view: its compatibility view, which reads the journal afterwards.
        acknowledged: what may be dropped or left behind: ``view sales_report``.
        repeats, to, count, elements, shape, list_of, drift, only_in_json: as in a ``[[mirror]]``; empty
            for a column that repeats nothing.
        with_keys: whether its own foreign keys, and indexes that forbid nothing, may go unasked.
    """

    kind = "removal"
    locks = (Lock.SHARE_ROW_EXCLUSIVE, Lock.ACCESS_EXCLUSIVE)

    def __init__(
        self,
        *,
        table: str,
        column: str,
        view: str = "",
        acknowledged: tuple[str, ...] = (),
        repeats: str = "",
        to: tuple[str, ...] = (),
        count: str = "count",
        elements: tuple[tuple[str, str], ...] = (),
        shape: str = "count",
        list_of: str = "objects",
        drift: str = "",
        only_in_json: str = "refuse",
        with_keys: bool = False,
    ) -> None:
        super().__init__(
            table=table, column=column, repeats=repeats, to=to, count=count, elements=elements, shape=shape,
            list_of=list_of, drift=drift, only_in_json=only_in_json,
        )  # fmt: skip
        self.name = column
        self.view = view
        self.acknowledged = tuple(acknowledged)
        self.with_keys = with_keys

    def describe(self) -> str:
        """One line."""
        return f"Remove column {self.label}, its values kept in the journal"

    @property
    def migration_name_fragment(self) -> str:
        """What goes."""
        return f"remove_{self.column}"

    def statements(self, vendor: str) -> list[str]:
        """The removal; what is kept and dropped before needs a look at the target."""
        table = self.written_table(vendor)
        drop = postgresql.drop(table, self.column)
        if vendor == "sqlite":
            drop = sqlite.drop(table.name, self.column)
        return [f"-- The values of {self.label} are kept in the journal first", *bounded([drop], vendor)]

    def reverse_statements(self, vendor: str) -> list[str]:
        """What comes back."""
        return [f"-- {self.label} comes back, every value from the journal"]

    def locking(self) -> str:
        """Two locks, one after the other."""
        return (
            f"SHARE ROW EXCLUSIVE on {self.table} while late changes are kept: writers wait; "
            "then ACCESS EXCLUSIVE, briefly"
        )

    # -- removing --------------------------------------------------------------------------

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """All that uses the column is acknowledged, and nothing drifted."""
        table = self.stored_table(schema)
        if not table.has_columns((self.column,)):
            yield Check("column", self.label, message="it is removed already")
            return
        refuse_kind(self, table)
        self.key(table)
        used = acknowledged_dependents(self, session, schema, table)
        yield Check("dependents", self.label, message=f"{len(used)} found, all acknowledged")
        if self.repeats:
            refuse_drift(self, session, self.sql(session, schema, table))
            yield Check("mirror", self.label, message=f"nothing in it is missing in {self.repeats}")

    def results(self, session: Session, schema: Schema) -> Iterator[Check]:
        """The column is gone, and its view answers."""
        table = self.stored_table(schema)
        gone = not table.has_columns((self.column,))
        verdict = Verdict.PASSED if gone else Verdict.FAILED
        said = f"{self.label} is {'removed' if gone else 'still there'}"
        yield Check("column", self.label, verdict, said, moment=Moment.AFTER)
        view = self.own_view(session, schema, table)
        if view is not None:
            session.rows(f"SELECT * FROM {quote_table(view)} LIMIT 1")
            yield Check("view", self.view, message="it answers", moment=Moment.AFTER)

    def make(self, work: Alteration) -> None:
        """Removes the column, unless it is gone.

        Raises:
            SchemaFixRefused: drift, rows only in JSON, or a dependent that nobody acknowledged.
        """
        schema = work.look()
        table = self.stored_table(schema)
        if not table.has_columns((self.column,)):
            if recorded(work.session, self.kind, table.name, self.name) is None:
                self.adopt(work, table.name, "")
            return
        refuse_kind(self, table)
        key = self.key(table)
        dependents = acknowledged_dependents(self, work.session, schema, table)
        mirrored = self.sql(work.session, schema, table) if self.repeats else None
        if mirrored:
            refuse_drift(self, work.session, mirrored)
        LeavingColumn(self, work, schema, table, key, dependents, mirrored).take_away()

    def own_view(self, session: Session, schema: Schema, table: Table) -> TableName | None:
        """The compatibility view, where a migration made it; one that was adopted uses the column like any
        other, or does not."""
        if not (self.view and self.repeats):
            return None
        path = parse_table(self.view)
        name = TableName(path.schema or table.name.schema, path.table)
        made = recorded(session, CreateCompatibilityView.kind, name, self.view)
        ours = made is not None and made.origin is Origin.MADE
        return name if ours and schema.knows(name) else None

    # -- putting back ----------------------------------------------------------------------

    def unmake(self, work: Alteration) -> None:
        """Puts the column back."""
        schema = work.look()
        table = self.stored_table(schema)
        if self.adopted(work, table.name):
            return
        facts = removed_columns.remembered(work.session, table.name, self.column)
        if facts is None:
            work.within_bounds(partial(self.forgotten, work, table.name))
            return
        if table.has_columns((self.column,)) and not facts.returning:
            raise self.refuse(
                f"{self.table} has a column {self.column} again, which no migration made",
                "Rename or drop it, then reverse.",
            )
        ReturningColumn(self, work, facts).put_back(schema, table)
