"""How ``catalog.toml`` is read: every mistake says its file, entry and the nearest right name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, TypeVar

from integrity.database.identifiers import Path, parse_path
from integrity.exceptions import CatalogError
from integrity.references.column_entry import WORDS as COLUMN_WORDS
from integrity.references.column_entry import read_column
from integrity.references.described_rows import described_rows
from integrity.references.entries import Catalog, CatalogQuery, Client
from integrity.references.entry_reading import Fail, only_words, read_paths, read_text
from integrity.references.index_entry import INDEX_WORDS, UNIQUE_WORDS, read_index, read_unique
from integrity.references.ledger_entry import (
    ENVIRONMENT_WORDS,
    LEDGER_WORDS,
    CatalogEnvironment,
    CatalogLedger,
    read_environment,
    read_ledger,
)
from integrity.references.log_entry import CatalogLog, read_log
from integrity.references.mirror_entry import WORDS as MIRROR_WORDS
from integrity.references.mirror_entry import read_mirror
from integrity.references.query_entry import FLOW_WORDS, QUERY_WORDS, read_flow, read_query
from integrity.references.reference_entry import WORDS as REFERENCE_WORDS
from integrity.references.reference_entry import read_reference
from integrity.references.required_table import WORDS as TABLE_WORDS
from integrity.references.required_table import RequiredTable, read_required_table
from integrity.references.routine_entry import WORDS as ROUTINE_WORDS
from integrity.references.routine_entry import read_routine

ENTRIES: dict[str, Sequence[str]] = {
    "target": ("vendor", "description", "tables"),
    "reference": REFERENCE_WORDS,
    "index": INDEX_WORDS,
    "unique": UNIQUE_WORDS,
    "column": COLUMN_WORDS,
    "query": QUERY_WORDS,
    "flow": FLOW_WORDS,
    "client": ("name", "line"),
    "mask": ("columns",),
    "mirror": MIRROR_WORDS,
    "required_table": TABLE_WORDS,
    "routine": ROUTINE_WORDS,
    "ledger": LEDGER_WORDS,
}
_TOP = (*ENTRIES, "system_row", "restore", "log", "environment")

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class CatalogReader:
    """Turns TOML into a catalog, knowing where each thing stands for its errors."""

    file: FilePath
    data: dict[str, Any]

    def catalog(self) -> Catalog:
        only_words(self.data, _TOP, self._fail("the file"))
        target = self._table("target")
        return Catalog(
            file=self.file,
            vendor=str(target.get("vendor", "")),
            description=str(target.get("description", "")),
            references=self._each("reference", read_reference),
            indexes=self._each("index", read_index),
            uniques=self._each("unique", read_unique),
            columns=self._each("column", read_column),
            queries=self._queries(),
            flows=self._each("flow", read_flow),
            clients=self._each("client", _client),
            system_rows=described_rows(self.data, "system_row", self.file),
            restores=described_rows(self.data, "restore", self.file),
            masked=self._masked(),
            log=self._log(),
            mirrors=self._each("mirror", read_mirror),
            tables=self._tables(),
            table_count=self._table_count(target),
            routines=self._each("routine", read_routine),
            ledger=self._ledger(),
            environments=self._environments(),
        )

    def _error(self, entry: str, what: str, hint: str = "") -> CatalogError:
        return CatalogError(what, where=f"{self.file}, {entry}", hint=hint)

    def _fail(self, entry: str) -> Fail:
        return lambda what, hint: self._error(entry, what, hint)

    def _table(self, word: str) -> dict[str, Any]:
        table = self.data.get(word, {})
        if not isinstance(table, dict):
            raise self._error(word, f"{word} must be a table", f"Write [{word}].")
        only_words(table, ENTRIES[word], self._fail(f"[{word}]"))
        return table

    def _each(self, word: str, read: Callable[[str, dict[str, Any], Fail], Entry]) -> tuple[Entry, ...]:
        entries = self.data.get(word, [])
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            raise self._error(word, f"{word} must be a list of tables", f"Write [[{word}]].")
        return tuple(self._entry(word, number, table, read) for number, table in enumerate(entries, start=1))

    def _entry(
        self,
        word: str,
        number: int,
        table: dict[str, Any],
        read: Callable[[str, dict[str, Any], Fail], Entry],
    ) -> Entry:
        named = table.get("name") or table.get("column") or table.get("from") or table.get("table")
        entry = f"[[{word}]] {number}" + (f" ({named})" if named else "")
        only_words(table, ENTRIES[word], self._fail(entry))
        return read(entry, table, self._fail(entry))

    def _queries(self) -> tuple[CatalogQuery, ...]:
        """Measurements are compared by name, and kept by it."""
        found: dict[str, CatalogQuery] = {}
        for query in self._each("query", read_query):
            if query.name in found:
                raise self._error(query.entry, f"{found[query.name].entry} has this name, too", "Rename one.")
            found[query.name] = query
        return tuple(found.values())

    def _tables(self) -> tuple[RequiredTable, ...]:
        found: dict[Path, RequiredTable] = {}
        for table in self._each("required_table", read_required_table):
            if table.table in found:
                raise self._error(
                    table.entry, f"{found[table.table].entry} is about this table, too", "Keep one."
                )
            found[table.table] = table
        return tuple(found.values())

    def _log(self) -> CatalogLog | None:
        if "log" not in self.data:
            return None
        return read_log(self.data["log"], self._fail("[log]"))

    def _table_count(self, target: dict[str, Any]) -> tuple[int, int] | None:
        """``tables = 17``, or ``tables = [30, 40]``: at least and at most."""
        if "tables" not in target:
            return None
        given = target["tables"]
        ends = given if isinstance(given, list) else [given, given]
        whole = all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in ends)
        if len(ends) != 2 or not whole or ends[0] > ends[1]:
            raise self._error(
                "[target]", "tables must be a number, or the least and the most", "Write tables = [30, 40]."
            )
        return ends[0], ends[1]

    def _ledger(self) -> CatalogLedger | None:
        if "ledger" not in self.data:
            return None
        return read_ledger(self._table("ledger"), self.file.parent, self._fail("[ledger]"))

    def _environments(self) -> tuple[CatalogEnvironment, ...]:
        written = self.data.get("environment", {})
        if not isinstance(written, dict) or not all(isinstance(each, dict) for each in written.values()):
            raise self._error(
                "environment", "environment must be tables by name", "Write [environment.test]."
            )
        for name, data in written.items():
            only_words(data, ENVIRONMENT_WORDS, self._fail(f"[environment.{name}]"))
        return tuple(
            read_environment(name, data, self._fail(f"[environment.{name}]"))
            for name, data in written.items()
        )

    def _masked(self) -> tuple[Path, ...]:
        if "mask" not in self.data:
            return ()
        return read_paths(self._table("mask"), "columns", parse_path, self._fail("[mask]"))


def _client(entry: str, data: dict[str, Any], fail: Fail) -> Client:
    name, line = (read_text(data, word, fail, required=True) for word in ("name", "line"))
    return Client(name, line)
