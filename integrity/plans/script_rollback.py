"""The rollback script: every row from the forward script's tables, exactly, or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from integrity.database.identifiers import TableName, column, quote, quote_columns, quote_table
from integrity.database.schema import Table
from integrity.plans.script_dialects import ACTION, ROW, Dialect
from integrity.plans.script_forward import Forward
from integrity.references.orphans import joined
from integrity.references.reference import Reference, written

CHANGED = "rows were changed or deleted since: take them back with what you know of them"
KEY = "a foreign key stands by now, under which rows would come back as orphans: reverse its migration first"


@dataclass(frozen=True)
class Rollback:
    """The statements that take a forward script back."""

    forward: Forward

    @property
    def dialect(self) -> Dialect:
        """The engine's way."""
        return self.forward.dialect

    def statements(self) -> list[str]:
        """All of it, in order, but for the transaction: parents in, rows back, made rows out."""
        numbers = self.forward.numbers
        found = [*self.dialect.lock(numbers), *self._keys()]
        triggered = [self.forward.schema.table(table) for table in numbers]
        leaves = {leaf.name: leaf for each in triggered for leaf in self.forward.schema.leaves(each.name)}
        self._quietly(list(leaves.values()), found)
        return found

    def _quietly(self, tables: list[Table], found: list[str]) -> None:
        if not tables:
            found += [*self._inserted(), *self._set_back(), *self._removed(), *self._dropped()]
            return
        with self.dialect.quiet(tables[0], found):
            self._quietly(tables[1:], found)

    def _keys(self) -> Iterator[str]:
        """SQLite binds a connection only where it asks for it: a key that came since must be seen."""
        if self.dialect.engine.vendor != "sqlite":
            return
        for table in self.forward.numbers:
            name = self.dialect.literal(table.name)
            known = len(self.forward.schema.table(table).foreign_keys)
            keys = f"(SELECT count(DISTINCT id) FROM pragma_foreign_key_list({name}))"
            yield from self.dialect.require(f"{keys} <= {known}", f"{written(table)}: {KEY}")

    def _backup(self, table: TableName) -> str:
        return self.dialect.backup(self.forward.numbers[table], table)

    def _inserted(self) -> Iterator[str]:
        """Deleted rows, parents first."""
        for table in reversed(self.forward.doomed_tables):
            found = self.forward.schema.table(table)
            names = [each.name for each in self.dialect.columns(table)]
            hidden = self.dialect.engine.hidden_identity(found)
            into = ", ".join([*([hidden] if hidden else []), quote_columns(names)])
            values = ", ".join([*([f"b.{ROW}"] if hidden else []), quote_columns(names, "b")])
            insert = "INSERT OR ROLLBACK" if self.dialect.engine.vendor == "sqlite" else "INSERT"
            where = self.dialect.going(f"b.{ACTION} = 'delete'")
            yield (
                f"{insert} INTO {quote_table(table)} ({into}) {self.dialect.engine.insert_prefix(found)} "
                f"SELECT {values} FROM {self._backup(table)} b WHERE {where}"
            )

    def _set_back(self) -> Iterator[str]:
        """Updated rows that still are as the script left them; any other stops it."""
        for table in sorted({each.table for each in self.forward.updates}):
            backup = self._backup(table)
            unchanged = (
                f"SELECT 1 FROM {backup} a JOIN {self.dialect.source(table)} c "
                f"ON {self.dialect.alike(table, 'c', 'a')} WHERE a.{ACTION} = 'after' AND a.{ROW} = b.{ROW}"
            )
            left = (
                f"EXISTS (SELECT 1 FROM {backup} b WHERE b.{ACTION} = 'update' AND NOT EXISTS ({unchanged}))"
            )
            yield from self.dialect.require(f"NOT {left}", f"{written(table)}: {CHANGED}")
            yield self._restoring(table, backup)

    def _restoring(self, table: TableName, backup: str) -> str:
        changed = {name for each in self.forward.updates if each.table == table for name, _ in each.values}
        assignments = ", ".join(f"{quote(name)} = {column(name, 'b')}" for name in sorted(changed))
        where = self.dialect.going(self.dialect.alike(table, "c", "a"))
        return (
            f"UPDATE {self.dialect.source(table)} AS c SET {assignments} FROM {backup} b "
            f"JOIN {backup} a ON a.{ROW} = b.{ROW} AND a.{ACTION} = 'after' "
            f"WHERE b.{ACTION} = 'update' AND {where}"
        )

    def _removed(self) -> Iterator[str]:
        """Rows that the script made, where they are as it made them and nothing refers to them."""
        for table in self.forward.made:
            image = (
                f"SELECT 1 FROM {self._backup(table)} a WHERE a.{ACTION} = 'insert' "
                f"AND {self.dialect.alike(table, 'c', 'a')}"
            )
            free = [
                f"NOT EXISTS ({self._referring(each)})"
                for each in self.forward.references
                if each.referenced_table == table
            ]
            where = self.dialect.going(" AND ".join([f"EXISTS ({image})", *free]))
            yield f"DELETE FROM {self.dialect.source(table)} AS c WHERE {where}"

    def _referring(self, reference: Reference) -> str:
        match = joined(self.dialect.engine, self.forward.schema, reference, "k", "c")
        return f"SELECT 1 FROM {self.dialect.source(reference.table)} k WHERE {match}"

    def _dropped(self) -> Iterator[str]:
        """The script's tables have served; a second run of the rollback would find nothing."""
        names = [*(self._backup(table) for table in self.forward.numbers)]
        for name in (*names, self.dialect.table("doomed"), self.dialect.table("changed")):
            yield f"DROP TABLE {name}"
