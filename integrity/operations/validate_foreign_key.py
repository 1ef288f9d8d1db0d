"""Lets a foreign key bind the old rows as well."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import IntegrityError

from integrity.database import clauses
from integrity.database.locks import Lock
from integrity.database.postgresql import ddl
from integrity.database.schema import ForeignKey, Schema
from integrity.database.session import Session
from integrity.database.sqlite import ddl as sqlite_ddl
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check
from integrity.operations.foreign_key import (
    ForeignKeyOperation,
    by_partition,
    foreign_key_check,
    on_partition,
    standing,
)
from integrity.operations.operation import bounded
from integrity.operations.orphans_left import orphans_check, refuse_orphans


class ValidateForeignKey(ForeignKeyOperation):
    """Validates a foreign key, by whatever name it was adopted; re-entrant, reversible.

    Orphans that are left stop it with their number and the command that resolves them. A key that is
    NOT ENFORCED (PostgreSQL 18) becomes enforced. On SQLite the key binds all rows by its nature:
    this checks that no orphan is left, and changes nothing. The reverse makes the key NOT VALID again.
    """

    kind = "validation"
    locks = (Lock.SHARE_UPDATE_EXCLUSIVE,)

    def describe(self) -> str:
        """One line."""
        return f"Foreign key {self.name} on all rows: {self.label()}"

    @property
    def migration_name_fragment(self) -> str:
        """Its name."""
        return f"validate_{self.name}"

    def statements(self, vendor: str) -> list[str]:
        """The validation under the name that the migration writes."""
        if vendor == "sqlite":
            return [sqlite_ddl.run_check(self.written_table(vendor).name)]
        return bounded([ddl.validate_foreign_key(self.written_table(vendor), self.name)], vendor)

    def reverse_statements(self, vendor: str) -> list[str]:
        """The key dropped and added NOT VALID."""
        return [] if vendor == "sqlite" else bounded([*ddl.unvalidate(self.written_key(vendor))], vendor)

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """No row breaks the key; one that is validated already has none."""
        wanted = self.wanted(schema)
        found = standing(schema, wanted)
        if found is not None and found.validated and found.enforced and session.vendor != "sqlite":
            yield Check("foreign key", self.label(), message=f"{found.name} is validated already")
        else:
            yield orphans_check(session, schema, wanted, binds_old_rows=True)

    def results(self, session: Session, schema: Schema) -> Iterator[Check]:
        """The key stands, and speaks of every row."""
        yield foreign_key_check(schema, self.wanted(schema), validated=schema.vendor != "sqlite")

    def make(self, work: Alteration) -> None:
        """Validates the key, wherever it stands."""
        schema = work.look()
        wanted = self.wanted(schema)
        found = standing(schema, wanted)
        if work.sqlite:
            self._refuse_missing(found, work)
            refuse_orphans(work, schema, wanted)
        elif found is not None and found.validated and found.enforced:
            self.adopt(work, wanted.table, found.name)
        else:
            self._validate(work, schema, wanted, self._statements(work, schema, wanted, found))

    def _refuse_missing(self, found: ForeignKey | None, work: Alteration) -> None:
        if found is None:
            raise self.refuse(
                f"There is no foreign key {self.name} to validate: {self.label()}",
                "Somebody dropped it. Reverse to the migration before the one that adds it, and apply again: "
                f"manage.py integrity_migrate {work.alias}.",
            )

    def _statements(
        self, work: Alteration, schema: Schema, wanted: ForeignKey, found: ForeignKey | None
    ) -> list[str]:
        table = schema.table(wanted.table)
        if found is not None:
            if found.enforced:
                return [ddl.validate_foreign_key(table.name, found.name)]
            self._refuse_disabled(schema, found)
            return [ddl.enforce_foreign_key(table.name, found.name)]
        leaves = [standing(schema, on_partition(wanted, leaf)) for leaf in schema.leaves(table.name)]
        if not by_partition(work, schema, table) or None in leaves:
            self._refuse_missing(None, work)
        waiting = [leaf for leaf in leaves if leaf is not None and not leaf.validated]
        validate = [ddl.validate_foreign_key(leaf.table, leaf.name) for leaf in waiting]
        return [*validate, ddl.add_foreign_key(wanted, validated=True)]

    def _refuse_disabled(self, schema: Schema, found: ForeignKey) -> None:
        if int(schema.version.split(".")[0]) < ddl.FIRST_WITH_NOT_ENFORCED:
            raise self.refuse(
                f"The triggers that enforce {found.name} are disabled",
                f"Enable them first: ALTER TABLE {clauses.table(found.table)} ENABLE TRIGGER ALL.",
            )

    def _validate(self, work: Alteration, schema: Schema, wanted: ForeignKey, statements: list[str]) -> None:
        def validate() -> None:
            for statement in statements:
                work.execute(statement)
            self.made(work, wanted.table)

        try:
            work.within_bounds(validate)
        except IntegrityError:
            refuse_orphans(work, schema, wanted)
            raise

    def unmake(self, work: Alteration) -> None:
        """Makes the key NOT VALID again where it was validated here."""
        schema = work.look()
        wanted = self.wanted(schema)
        if work.sqlite or self.adopted(work, wanted.table):
            return
        found = standing(schema, wanted)
        work.within_bounds(lambda: self._unvalidate(work, schema, wanted, found))

    def _unvalidate(
        self, work: Alteration, schema: Schema, wanted: ForeignKey, found: ForeignKey | None
    ) -> None:
        if found is not None and found.validated:
            work.execute(ddl.drop_constraint(found.table, found.name))
            for statement in self._unvalidated(work, schema, found):
                work.execute(statement)
        self.forgotten(work, wanted.table)

    def _unvalidated(self, work: Alteration, schema: Schema, key: ForeignKey) -> list[str]:
        if by_partition(work, schema, schema.table(key.table)):
            return [ddl.add_foreign_key(on_partition(key, leaf)) for leaf in schema.leaves(key.table)]
        return [ddl.add_foreign_key(key)]
