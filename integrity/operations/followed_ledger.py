"""Another tool's ledger, kept in step: what a migration runs is noted there, what it takes back is not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from integrity.database.identifiers import literal, parse_table, quote, quote_columns, quote_table, shown
from integrity.database.schema import Schema, Table
from integrity.operations.alteration import Alteration
from integrity.references.ledger_scripts import LedgerScript, entry_for
from integrity.references.ledgers import (
    Ledger,
    LedgerEntry,
    LedgerKind,
    entries_of,
    kind_of,
    tool_of,
)

_MOMENT = "executed_at"


@dataclass(frozen=True)
class FollowedLedger:
    """The ledger in a target, and the script that is looked for in it.

    Args:
        work: the operation at work.
        ledger: the ledger.
        table: its table.
        script: the script, by what the ledger calls it.
    """

    work: Alteration
    ledger: Ledger
    table: Table
    script: LedgerScript

    @classmethod
    def of(cls, work: Alteration, schema: Schema, table: str, script: LedgerScript) -> FollowedLedger | None:
        """Returns the ledger of a name, None where there is none, or none that can be read."""
        found = ledger_named(schema, table)
        if found is None:
            return None
        ledger, place = found
        return cls(work, ledger, place, script)

    def entry(self) -> LedgerEntry | None:
        """Returns the entry about the script, None where it has none."""
        return entry_for(self.script, entries_of(self.work.session, self.ledger))

    def hold(self) -> None:
        """Keeps the other tool from noting anything until the transaction ends."""
        if not self.work.sqlite:
            table = shown(quote_table(self.table.name))
            self.work.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")

    def note(self) -> None:
        """Notes that the script was run; within the transaction that runs it."""
        values = self._values()
        columns = quote_columns(values)
        given = [self.work.session.engine.given(self.table.column(name)) for name in values]
        pairs = zip(values.values(), given, strict=True)
        marks = ["CURRENT_TIMESTAMP" if value is None else mark for value, mark in pairs]
        sql = f"INSERT INTO {quote_table(self.table.name)} ({columns}) VALUES ({', '.join(marks)})"
        self.work.editor.execute(sql, [each for each in values.values() if each is not None])

    def forget(self) -> None:
        """Takes the entry out; within the transaction that takes back what the script did."""
        entry = self.entry()
        if entry is None:
            return
        drizzle = self.ledger.kind is LedgerKind.DRIZZLE
        column = self.table.column("hash" if drizzle else "migration_id")
        given = self.work.session.engine.given(column)
        sql = f"DELETE FROM {quote_table(self.table.name)} WHERE {quote(column.name)} = {given}"
        self.work.editor.execute(sql, [entry.key])

    def _values(self) -> dict[str, str | None]:
        """What is written by column; None for the moment. A number that the table gives itself is left out
        where its entries have other numbers than their scripts."""
        if self.ledger.kind is LedgerKind.DRIZZLE:
            return {"hash": self.script.key, "created_at": self.script.when}
        values: dict[str, str | None] = {"name": self.script.name}
        if self._counts_scripts():
            values = {"migration_id": self.script.key or self.script.name, **values}
        if self.table.has_columns((_MOMENT,)) and self.table.column(_MOMENT).default is None:
            values[_MOMENT] = None
        return values

    def _counts_scripts(self) -> bool:
        entries = entries_of(self.work.session, self.ledger)
        own = [LedgerScript(Path(each.name), _number(each.name)) for each in entries if _number(each.name)]
        numbers = [each.key for each in entries if _number(each.name)]
        return not own or any(script.key == number for script, number in zip(own, numbers, strict=True))


def _number(name: str) -> str:
    digits = name[: len(name) - len(name.lstrip("0123456789"))]
    return str(int(digits)) if digits else ""


def ledger_named(schema: Schema, table: str) -> tuple[Ledger, Table] | None:
    """Returns the ledger that a migration names, None where it is not there or cannot be read."""
    path = parse_table(table)
    found = [
        each for each in schema if each.name.name == path.table and path.schema in (None, each.name.schema)
    ]
    found.sort(key=lambda each: each.name.schema != schema.default_schema)
    for each in found:
        kind = kind_of(each)
        if kind is not None:
            return Ledger(kind, tool_of(kind), each.name), each
    return None


def note_shown(table: str, script: LedgerScript) -> str:
    """The statement that notes a script, for a script that somebody reads."""
    place = ".".join(quote(part) for part in parse_table(table).parts)
    if script.when:
        return f"INSERT INTO {place} (hash, created_at) VALUES ({literal(script.key)}, {script.when})"
    key = script.key or literal(script.name)
    return f"INSERT INTO {place} (migration_id, name) VALUES ({key}, {literal(script.name)})"


def forget_shown(table: str, script: LedgerScript) -> str:
    """The statement that takes its entry out."""
    place = ".".join(quote(part) for part in parse_table(table).parts)
    if script.when:
        return f"DELETE FROM {place} WHERE hash = {literal(script.key)}"
    return f"DELETE FROM {place} WHERE migration_id = {script.key or literal(script.name)}"
