"""Rewrites JSON that says something else than the table it repeats, inside a migration."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from integrity import conf
from integrity.database.engine import Predicate
from integrity.database.identifiers import TableName, column, quote_table
from integrity.database.postgresql import columns as postgresql
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.exceptions import SchemaFixRefused
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check, Moment, Verdict
from integrity.operations.kept_values import key_columns
from integrity.operations.mirror_operation import MirrorOperation, held_rows, journal_name
from integrity.references.catalog import Catalog
from integrity.references.mirror_entry import DriftRule, OnlyInJson
from integrity.references.mirror_survey import survey_mirror
from integrity.references.mirrored import DRIFTED, HELD, MirrorSql

OLD, NEW, DONE = "_integrity_old", "_integrity_new", "_integrity_done"


class RepairMirror(MirrorOperation):
    """Rewrites drifted rows from the table, batch by batch and journaled; re-entrant, reversible.

    A row keeps its shape, and an object what it has besides the count. Rows with what the table does not
    have, or that cannot be read, are left alone unless ``only_in_json`` is ``journal``. The table's own
    triggers act, as on any update. The reverse gives every row its JSON back that nobody changed since.

    Args:
        max_rows: the most rows that may be changed; None: any number.
        table, column, repeats, to, count, elements, shape, list_of, only_in_json: as in a ``[[mirror]]``.
    """

    kind = "mirror_repair"
    locks = ()
    reverse_locks = ()

    def __init__(
        self,
        *,
        table: str,
        column: str,
        repeats: str,
        to: tuple[str, ...],
        max_rows: int | None = None,
        count: str = "count",
        elements: tuple[tuple[str, str], ...] = (),
        shape: str = "count",
        list_of: str = "objects",
        only_in_json: str = "refuse",
    ) -> None:
        super().__init__(
            table=table, column=column, repeats=repeats, to=to, count=count, elements=elements, shape=shape,
            list_of=list_of, drift=str(DriftRule.TABLE), only_in_json=only_in_json,
        )  # fmt: skip
        self.name = column
        self.max_rows = max_rows

    def describe(self) -> str:
        """One line."""
        most = "" if self.max_rows is None else f", at most {self.max_rows:,} rows"
        return f"Rewrite {self.label} where it says something else than {self.repeats}{most}"

    @property
    def migration_name_fragment(self) -> str:
        """What is rewritten."""
        return f"rewrite_{self.column}"

    def statements(self, vendor: str) -> list[str]:
        """What is done, as a comment: as plain SQL it would leave nothing to take back."""
        return [f"-- {self.describe()}: batch by batch, the old values in the journal"]

    def reverse_statements(self, vendor: str) -> list[str]:
        """What is taken back."""
        return [f"-- {self.label}: every value that was rewritten comes back from the journal"]

    def locking(self) -> str:
        """Batch by batch."""
        return f"SHARE on {self.repeated} and rows of {self.table}, batch by batch: writers wait"

    # -- rewriting -------------------------------------------------------------------------

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """No more rows than were looked at, and none that only JSON has."""
        table = self.stored_table(schema)
        if not table.has_columns((self.column,)):
            yield Check("mirror", self.label, message="the column is removed already")
            return
        sql = self.sql(session, schema, table)
        self.key(table)
        found = survey_mirror(session, schema, Catalog(), sql.mirror, samples=False)
        self._refuse_more(found.drifted - found.spared, session.target.alias)
        if found.spared:
            raise held_rows(self.label, found.spared, session.target.alias)
        yield Check("mirror", self.label, message=f"{found.drifted:,} rows are to be rewritten")

    def results(self, session: Session, schema: Schema) -> Iterator[Check]:
        """The JSON says what the table says."""
        table = self.stored_table(schema)
        if table.has_columns((self.column,)):
            sql = self.sql(session, schema, table)
            left = survey_mirror(session, schema, Catalog(), sql.mirror, samples=False)
            verdict = Verdict.NOTED if left.drifted else Verdict.PASSED
            rows = f"{left.drifted:,} rows" if left.drifted else "no row"
            said = f"{rows} of {self.label} {'say' if left.drifted else 'says'} something else"
            yield Check("mirror", self.label, verdict, said, moment=Moment.AFTER)

    def make(self, work: Alteration) -> None:
        """Rewrites what drifted.

        Raises:
            SchemaFixRefused: more rows than ``max_rows``, or rows that only JSON has; the others of
                those are rewritten.
        """
        schema = work.look()
        table = self.stored_table(schema)
        if not table.has_columns((self.column,)):
            return
        sql = self.sql(work.session, schema, table)
        key = self.key(table)
        found = survey_mirror(work.session, schema, Catalog(), sql.mirror, samples=False)
        spared = found.spared
        self._refuse_more(found.drifted - spared, f"{work.alias}, {work.migration}")
        if found.drifted > spared:
            self.refuse_without_index(sql, "rewriting")
            self._rewrite(work, sql, table, key)
        if spared:
            raise held_rows(self.label, spared, work.alias)

    def _refuse_more(self, rows: int, where: str) -> None:
        if self.max_rows is not None and rows > self.max_rows:
            raise SchemaFixRefused(
                f"{rows:,} rows of {self.label} would be rewritten: more than max_rows={self.max_rows:,}",
                where=where,
                hint="Nothing was changed. Look at them: manage.py integrity_diagnose "
                f"{where.split(',')[0]} --column {quote(self.label)}. Then raise max_rows in the migration.",
            )

    def _rewrite(self, work: Alteration, sql: MirrorSql, table: Table, key: tuple[str, ...]) -> None:
        rewritten = Rewritten(self, work, sql, table, key)
        work.within_bounds(rewritten.list)
        while rewritten.left():
            work.within_bounds(rewritten.batch)

    def unmake(self, work: Alteration) -> None:
        """Gives back what was rewritten, where nobody wrote anything else since."""
        schema = work.look()
        table = self.stored_table(schema)
        if not table.has_columns((self.column,)):
            raise self.refuse(f"{self.label} is not there", "Reverse its removal first.")
        sql = self.sql(work.session, schema, table)
        work.within_bounds(Rewritten(self, work, sql, table, self.key(table)).give_back)


class Rewritten:
    """The journal's table of one mirror's rewritten values, and the statements around it."""

    def __init__(
        self, operation: RepairMirror, work: Alteration, sql: MirrorSql, table: Table, key: tuple[str, ...]
    ) -> None:
        self.operation = operation
        self.work = work
        self.mirrored = sql
        self.table = table
        self.key = key
        self.engine = work.session.engine
        self.name: TableName = journal_name(work.session, "rewritten", table.name, operation.column)
        self.sql = quote_table(self.name)
        self.column = table.column(operation.column)

    def _same(self) -> str:
        return " AND ".join(
            self.engine.same_key(column(each.name, "c"), column(each.name, "d"), each)
            for each in key_columns(self.table, self.key)
        )

    @property
    def _keys(self) -> str:
        return ", ".join(column(each) for each in self.key)

    def list(self) -> None:
        """Names the rows that drifted, without a lock; each is looked at again when it is rewritten."""
        session = self.work.session
        self.engine.create_journal(session)
        value = self.engine.stored_as(self.column)
        columns = [
            f"{column(each.name)} {self.engine.stored_as(each)}" for each in key_columns(self.table, self.key)
        ]
        columns += [f"{OLD} {value}", f"{NEW} {value}", f"{DONE} integer NOT NULL DEFAULT 0"]
        listed = ", ".join([*columns, f"PRIMARY KEY ({self._keys})"])
        session.execute(f"CREATE TABLE IF NOT EXISTS {self.sql} ({listed})")
        if not self.work.sqlite:
            self.work.execute(postgresql.HIDE_NOTHING)
        states = self.mirrored.states(self.key)
        only = f" AND NOT {HELD}" if self.operation.only_in_json is OnlyInJson.REFUSE else ""
        keys = ", ".join(f"s.k{place}" for place in range(len(self.key)))
        session.execute(
            f"INSERT INTO {self.sql} ({self._keys}) SELECT {keys} FROM ({states.sql}) AS s "
            f"WHERE {DRIFTED}{only} ON CONFLICT ({self._keys}) DO UPDATE SET {DONE} = 0",
            states.params,
        )

    def left(self) -> bool:
        """Whether rows are still to be rewritten."""
        return bool(
            self.work.session.value(f"SELECT EXISTS (SELECT 1 FROM {self.sql} AS d WHERE d.{DONE} = 0)")
        )

    def batch(self) -> None:
        """Rewrites some rows: the repeated table is kept still, the rows are locked, then looked at."""
        session, rows = self.work.session, conf.batch_rows()
        if not self.work.sqlite:
            self.work.execute(postgresql.HIDE_NOTHING)
        self.engine.lock_referenced(session, [self.mirrored.repeated], [self.table])
        session.execute(
            f"UPDATE {self.sql} SET {DONE} = 1 WHERE ({self._keys}) IN "
            f"(SELECT {self._keys} FROM {self.sql} WHERE {DONE} = 0 LIMIT {int(rows)})"
        )
        self._lock()
        self._look()
        name = column(self.operation.column)
        new = f"(SELECT {self._back(NEW)} FROM {self.sql} AS d WHERE d.{DONE} = 1 AND {self._same()})"
        changed = session.execute(
            f"UPDATE {self.engine.source(self.table)} AS c SET {name} = {new} WHERE {self._concerned()}"
        )
        expected = session.value(f"SELECT count(*) FROM {self.sql} WHERE {DONE} = 1")
        if changed != expected:
            raise self.operation.refuse(
                f"{int(expected) - changed:,} rows of {self.operation.label} were not rewritten",
                "A trigger or a rule keeps them. This batch changed nothing.",
            )
        session.execute(f"UPDATE {self.sql} SET {DONE} = 2 WHERE {DONE} = 1")

    def _concerned(self) -> str:
        return f"EXISTS (SELECT 1 FROM {self.sql} AS d WHERE d.{DONE} = 1 AND {self._same()})"

    def _lock(self) -> None:
        if not self.work.sqlite:
            source = self.engine.source(self.table)
            self.work.session.rows(f"SELECT 1 FROM {source} AS c WHERE {self._concerned()} FOR UPDATE OF c")

    def _look(self) -> None:
        """Journals what each row holds now and what it will hold; rows that need nothing are forgotten."""
        session, value = self.work.session, column(self.operation.column, "c")
        source = self.engine.source(self.table)
        new = self.mirrored.current(value)
        states = self.mirrored.states(self.key, Predicate(self._concerned()))
        pairs = " AND ".join(
            self.engine.same_key(f"s.k{place}", column(each.name, "d"), each)
            for place, each in enumerate(key_columns(self.table, self.key))
        )
        only = f" AND NOT {HELD}" if self.operation.only_in_json is OnlyInJson.REFUSE else ""
        session.execute(
            f"DELETE FROM {self.sql} AS d WHERE d.{DONE} = 1 AND NOT EXISTS "
            f"(SELECT 1 FROM ({states.sql}) AS s WHERE {pairs} AND {DRIFTED}{only})",
            states.params,
        )
        for name, sql in ((OLD, value), (NEW, new)):
            session.execute(
                f"UPDATE {self.sql} AS d SET {name} = (SELECT {sql} FROM {source} AS c WHERE {self._same()}) "
                f"WHERE d.{DONE} = 1"
            )

    def _back(self, name: str) -> str:
        return self.engine.restored_as(self.column, f"d.{name}")

    def give_back(self) -> None:
        """Gives every row its old value that still has the new one; triggers do not act."""
        session = self.work.session
        if not self.engine.has_table(session, self.name):
            return
        if not self.work.sqlite:
            self.work.execute(postgresql.HIDE_NOTHING)
        name, value = column(self.operation.column), column(self.operation.column, "c")
        here = (
            f"FROM {self.sql} AS d WHERE d.{DONE} = 2 AND {self._same()} "
            f"AND {self.engine.same(value, f'd.{NEW}', self.column)}"
        )
        for leaf in self.mirrored.schema.leaves(self.table.name):
            with self.engine.suppress_triggers(session, leaf):
                session.execute(
                    f"UPDATE {self.engine.source(leaf)} AS c SET {name} = (SELECT {self._back(OLD)} {here}) "
                    f"WHERE EXISTS (SELECT 1 {here})"
                )
        session.execute(f"DROP TABLE {self.sql}")
