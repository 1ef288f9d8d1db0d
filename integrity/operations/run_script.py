"""Runs a script that another tool would have run, and keeps that tool's ledger in step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from django.db import DatabaseError

from integrity.database.identifiers import TableName, quote, quote_table, shown
from integrity.database.routines import RoutineKind
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.exceptions import ReferentialIntegrityError, SchemaFixRefused
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check, Verdict
from integrity.operations.followed_ledger import FollowedLedger, forget_shown, note_shown
from integrity.operations.operation import CatalogOperation, bounded
from integrity.operations.record import Origin, Record, record, recorded
from integrity.references.ledger_scripts import LedgerScript
from integrity.references.made_objects import MadeObject, ObjectKind, missing, stands, tables_named

Statements = Mapping[str, Sequence[str]]
"""Statements by vendor; an engine that is not named has nothing to run."""

_ORDER = (ObjectKind.TRIGGER, ObjectKind.VIEW, ObjectKind.INDEX, ObjectKind.FUNCTION, ObjectKind.TABLE)
NAMED = 5


class RunScript(CatalogOperation):
    """Runs a script once, whichever tool comes first; in one transaction, with the ledger's entry.

    What the ledger says was run is not run again, and what stands without an entry gets one. An entry whose
    results are not there stops the migration: somebody has to say what is right. An engine that the script
    was not written for has nothing to run.

    Args:
        script: its file's name without the ending.
        sql: its statements by engine; where there are none, what it makes is only recorded, never made.
        ledger: the other tool's ledger as it is written in catalogs; empty: there is none.
        key: what the ledger calls it: its number, or for Drizzle its hash.
        when: Drizzle's moment.
        makes: what stands afterwards, as ``table orders``, ``column orders.note``, ``index orders_idx``.
        reverse: the statements that take it back, by engine.
        drops: whether its reverse drops what it made, tables only while they have no rows.
        again: whether it is run although the ledger says that it was, where its results are not there.
    """

    kind = "script"
    locks = ()
    reverse_locks = ()

    def __init__(
        self,
        *,
        script: str,
        sql: Statements,
        ledger: str = "",
        key: str = "",
        when: str = "",
        makes: Sequence[str] = (),
        reverse: Statements | None = None,
        drops: bool = False,
        again: bool = False,
    ) -> None:
        self.table = ledger or "scripts"
        self.name = script
        self.sql = sql
        self.ledger = ledger
        self.script = LedgerScript(Path(f"{script}.sql"), key, when)
        self.makes = tuple(MadeObject.read(each) for each in makes)
        self.reverse = reverse or {}
        self.drops = drops
        self.again = again

    def describe(self) -> str:
        """One line."""
        return f"Run script {self.name}"

    @property
    def migration_name_fragment(self) -> str:
        """What is run."""
        return f"script_{self.name}"

    def locked_tables(self) -> tuple[str, ...]:
        """What a script locks, it alone knows."""
        return ()

    def gone(self, schema: Schema) -> bool:
        """There is no table that it hangs on."""
        return False

    def statements(self, vendor: str) -> list[str]:
        """The script and its entry."""
        if vendor not in self.sql:
            return []
        entry = [note_shown(self.ledger, self.script)] if self.ledger else []
        return bounded([*self.sql[vendor], *entry], vendor)

    def reverse_statements(self, vendor: str) -> list[str]:
        """What takes it back."""
        if vendor not in self.sql:
            return []
        entry = [forget_shown(self.ledger, self.script)] if self.ledger else []
        dropped = [_drop(each) for each in _in_order(self.makes)] if self.drops else []
        return bounded([*self.reverse.get(vendor, dropped), *entry], vendor)

    # -- looking ---------------------------------------------------------------------------

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """The ledger does not lie about it."""
        if session.vendor not in self.sql:
            yield Check(
                "script", self.name, Verdict.NOTED, f"{self.name} was not written for {session.vendor}"
            )
            return
        gone = missing(schema, self.makes, functions_of(session))
        ledger = self._followed(Alteration(None, session), schema)  # type: ignore[arg-type]  # only looked at
        entry = ledger.entry() if ledger else None
        if entry is not None and gone and not self.again:
            raise self._lies(gone)
        if gone and not self.sql[session.vendor]:
            raise self._only_recorded(gone)
        said = "was run already" if entry else "stands already" if self.makes and not gone else "is to be run"
        yield Check("script", self.name, message=f"{self.name} {said}")

    def results(self, session: Session, schema: Schema) -> Iterator[Check]:
        """What it makes stands."""
        if session.vendor not in self.sql or not self.makes:
            return
        gone = missing(schema, self.makes, functions_of(session))
        verdict = Verdict.FAILED if gone else Verdict.PASSED
        lost = f"{self.name} was run, and {listed(gone)} {are(gone)} not there"
        said = lost if gone else "what it makes stands"
        yield Check("script", self.name, verdict, said)

    # -- doing -----------------------------------------------------------------------------

    def make(self, work: Alteration) -> None:
        """Runs it, unless its entry or its results are there.

        Raises:
            SchemaFixRefused: the ledger says that it was run, and its results are not there.
        """
        if work.session.vendor in self.sql:
            work.within_bounds(partial(self._make, work))

    def _make(self, work: Alteration) -> None:
        schema = work.look()
        ledger = self._followed(work, schema)
        if ledger is not None:
            ledger.hold()
        entry = ledger.entry() if ledger else None
        gone = missing(schema, self.makes, functions_of(work.session))
        if entry is not None and gone and not self.again:
            raise self._lies(gone)
        place = self._place(work)
        # Run already, and killed before Django's ledger knew of it: rows would be there twice.
        known = recorded(work.session, self.kind, place, self.name) is not None
        stood = not gone and (known or entry is not None or bool(self.makes))
        if not stood and not self.sql[work.session.vendor]:
            raise self._only_recorded(gone)
        if not stood:
            for statement in self.sql[work.session.vendor]:
                work.execute(statement)
        if ledger is not None and entry is None:
            ledger.note()
        noted = ledger is not None and entry is None
        if not known:
            actual = json.dumps({"made": [] if stood else [str(each) for each in gone], "noted": noted})
            origin = Origin.ADOPTED if stood else Origin.MADE
            record(work.session, Record(self.kind, place, self.name, actual, origin, work.migration))

    def unmake(self, work: Alteration) -> None:
        """Takes back what it did, and its entry with it; what stood already stays.

        Raises:
            SchemaFixRefused: nothing says how, or a table that it made has rows by now.
        """
        place = self._place(work)
        entry = recorded(work.session, self.kind, place, self.name)
        if entry is not None:
            work.within_bounds(partial(self._unmake, work, entry))

    def _unmake(self, work: Alteration, entry: Record) -> None:
        done = json.loads(entry.actual)
        schema = work.look()
        ledger = self._followed(work, schema)
        if ledger is not None:
            ledger.hold()
        if entry.origin is Origin.MADE:
            for statement in self._backwards(work, schema, [MadeObject.read(each) for each in done["made"]]):
                work.execute(statement)
        if ledger is not None and done["noted"]:
            ledger.forget()
        self.forgotten(work, entry.table)

    def _backwards(self, work: Alteration, schema: Schema, made: Sequence[MadeObject]) -> Sequence[str]:
        if work.session.vendor in self.reverse:
            return self.reverse[work.session.vendor]
        if not self.drops:
            raise self.refuse(
                f"Nothing says how the script {self.name} is taken back",
                "Nothing was changed. Write reverse={…} into its RunScript; adoption does so where "
                f"{self.name}.down.sql lies beside the script. A backup and a restore are the other way.",
            )
        standing = [each for each in _in_order(made) if stands(schema, each, functions_of(work.session))]
        for each in standing:
            self._refuse_rows(work, schema, each)
        return [shown(_drop(each, schema)) for each in standing]

    def _refuse_rows(self, work: Alteration, schema: Schema, made: MadeObject) -> None:
        if made.kind is ObjectKind.TABLE:
            table = tables_named(schema, made.name, made.schema)[0].name
            rows = work.session.value(f"SELECT count(*) FROM {quote_table(table)}")
            if rows:
                raise self.refuse(
                    f"{table.name} has {rows:,} row{'s' * (rows != 1)}, which would be lost with it",
                    "Nothing was changed. Take a backup and empty it, or write reverse={…} into RunScript.",
                )

    def _followed(self, work: Alteration, schema: Schema) -> FollowedLedger | None:
        return FollowedLedger.of(work, schema, self.ledger, self.script) if self.ledger else None

    def _place(self, work: Alteration) -> TableName:
        return TableName(work.session.engine.default_schema, self.table)

    def _only_recorded(self, gone: Sequence[MadeObject]) -> SchemaFixRefused:
        return self.refuse(
            f"{self.name} is only recorded, and {listed(gone)} {are(gone)} not there",
            "Its statements were left out because of the error that its migration names. Make what is "
            "missing by a migration before this one: the catalog's [[required_table]] and [[index]] do.",
            where=self.name,
        )

    def _lies(self, gone: Sequence[MadeObject]) -> SchemaFixRefused:
        return self.refuse(
            f"{self.ledger} says that {self.name} was run, and {listed(gone)} {are(gone)} not there",
            "Somebody has to say what is right: run it again (again=True in its RunScript), take the entry "
            f"out ({forget_shown(self.ledger, self.script)}), or make what is missing in another way.",
            where=self.name,
        )


def functions_of(session: Session) -> set[str] | None:
    """Returns the names of a target's functions in small letters; None where they cannot be read."""
    with suppress(ReferentialIntegrityError, DatabaseError), session.look():
        return {
            each.name.name.lower()
            for each in session.engine.routines(session)
            if each.kind is RoutineKind.FUNCTION
        }
    return None


def listed(objects: Sequence[MadeObject]) -> str:
    """Returns objects in a line, the first of them."""
    named = ", ".join(str(each) for each in objects[:NAMED])
    return named + (f" and {len(objects) - NAMED:,} more" if len(objects) > NAMED else "")


def are(objects: Sequence[MadeObject]) -> str:
    """``is`` or ``are``."""
    return "is" if len(objects) == 1 else "are"


def _in_order(made: Sequence[MadeObject]) -> list[MadeObject]:
    """In the order in which they can be dropped: what hangs on others first, the last made first."""
    return [each for kind in _ORDER for each in reversed(made) if each.kind is kind]


def _drop(made: MadeObject, schema: Schema | None = None) -> str:
    name = quote(made.name)
    if made.kind is ObjectKind.TRIGGER and schema is not None and schema.vendor == "postgresql":
        table = next(each for each in schema for own in each.triggers if own.name.lower() == made.name)
        return f"DROP TRIGGER IF EXISTS {_named(made, schema)} ON {quote_table(table.name)}"
    if schema is not None:
        name = _named(made, schema)
    return f"DROP {str(made.kind).upper()} IF EXISTS {name}"


def _named(made: MadeObject, schema: Schema) -> str:
    """The name as the database spells it."""
    if made.kind in (ObjectKind.TABLE, ObjectKind.VIEW):
        return quote_table(tables_named(schema, made.name, made.schema)[0].name)
    for table in schema:
        names = [*(each.name for each in table.indexes), *(each.name for each in table.triggers)]
        for name in names:
            if name.lower() == made.name:
                trigger = made.kind is ObjectKind.TRIGGER
                return quote(name) if trigger else quote_table(TableName(table.name.schema, name))
    return quote(made.name)
