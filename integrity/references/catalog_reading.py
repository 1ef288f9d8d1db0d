"""How ``catalog.toml`` is read: every mistake says its file, entry and the nearest right name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path as FilePath
from typing import Any

from integrity.database.identifiers import Path, parse_path, parse_table
from integrity.database.schema import Action, Match, did_you_mean
from integrity.exceptions import CatalogError, InvalidIdentifier
from integrity.references.column_entry import WORDS as COLUMN_WORDS
from integrity.references.column_entry import read_column
from integrity.references.described_rows import described_rows
from integrity.references.entries import (
    Catalog,
    CatalogColumn,
    CatalogFlow,
    CatalogIndex,
    CatalogQuery,
    CatalogReference,
    CatalogUnique,
    Client,
)
from integrity.references.entry_reading import Fail
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
from integrity.references.mirror_entry import CatalogMirror, read_mirror
from integrity.references.reference import Resolution
from integrity.references.required_table import WORDS as TABLE_WORDS
from integrity.references.required_table import RequiredTable, read_required_table
from integrity.references.routine_entry import WORDS as ROUTINE_WORDS
from integrity.references.routine_entry import CatalogRoutine, read_routine
from integrity.references.uniques import Duplicates

LONGEST_NAME = 200

_TOP = {
    "target", "reference", "index", "unique", "column", "query", "flow", "client", "system_row", "mask",
    "log", "restore", "mirror", "required_table", "routine", "ledger", "environment",
}  # fmt: skip
ENTRIES = {
    "target": {"vendor", "description", "tables"},
    "reference": {"from", "to", "name", "match", "on_delete", "on_update", "rationale", "orphans"},
    "index": {"table", "columns", "name", "where", "rationale"},
    "unique": {
        "table",
        "columns",
        "name",
        "where",
        "nulls",
        "case",
        "rationale",
        "duplicates",
        "survivor",
        "rename",
    },
    "column": set(COLUMN_WORDS),
    "query": {"name", "sql", "parameters", "table", "index", "before", "after", "rationale"},
    "flow": {"name", "statements", "parameters", "rationale"},
    "client": {"name", "line"},
    "mask": {"columns"},
    "mirror": set(MIRROR_WORDS),
    "required_table": set(TABLE_WORDS),
    "routine": set(ROUTINE_WORDS),
    "ledger": set(LEDGER_WORDS),
}


class _Nulls(StrEnum):
    DISTINCT = "distinct"
    NOT_DISTINCT = "not distinct"


class _Plan(StrEnum):
    SCAN = "scan"
    INDEX = "index"


class _Case(StrEnum):
    SENSITIVE = "sensitive"
    INSENSITIVE = "insensitive"


@dataclass(frozen=True)
class CatalogReader:
    """Turns TOML into a catalog, knowing where each thing stands for its errors."""

    file: FilePath
    data: dict[str, Any]

    def catalog(self) -> Catalog:
        self._only(self.data, _TOP, "the file")
        target = self._table("target")
        return Catalog(
            file=self.file,
            vendor=str(target.get("vendor", "")),
            description=str(target.get("description", "")),
            references=tuple(self._reference(*each) for each in self._entries("reference")),
            indexes=tuple(self._index(*each) for each in self._entries("index")),
            uniques=tuple(self._unique(*each) for each in self._entries("unique")),
            columns=tuple(self._column(*each) for each in self._entries("column")),
            queries=self._queries(),
            flows=tuple(self._flow(*each) for each in self._entries("flow")),
            clients=tuple(self._client(*each) for each in self._entries("client")),
            system_rows=described_rows(self.data, "system_row", self.file),
            restores=described_rows(self.data, "restore", self.file),
            masked=self._masked(),
            log=self._log(),
            mirrors=tuple(self._mirror(*each) for each in self._entries("mirror")),
            tables=self._tables(),
            table_count=self._table_count(target),
            routines=tuple(self._routine(*each) for each in self._entries("routine")),
            ledger=self._ledger(),
            environments=self._environments(),
        )

    def _error(self, entry: str, what: str, hint: str = "") -> CatalogError:
        return CatalogError(what, where=f"{self.file}, {entry}", hint=hint)

    def _only(self, table: dict[str, Any], words: set[str], entry: str) -> None:
        for word in table:
            if word not in words:
                raise self._error(
                    entry, f"{word!r} is not a word of a catalog", did_you_mean(word, sorted(words))
                )

    def _table(self, word: str) -> dict[str, Any]:
        table = self.data.get(word, {})
        if not isinstance(table, dict):
            raise self._error(word, f"{word} must be a table", f"Write [{word}].")
        self._only(table, ENTRIES[word], f"[{word}]")
        return table

    def _entries(self, word: str) -> Iterator[tuple[str, dict[str, Any]]]:
        entries = self.data.get(word, [])
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            raise self._error(word, f"{word} must be a list of tables", f"Write [[{word}]].")
        for number, table in enumerate(entries, start=1):
            named = table.get("name") or table.get("column") or table.get("from") or table.get("table")
            entry = f"[[{word}]] {number}" + (f" ({named})" if named else "")
            self._only(table, ENTRIES[word], entry)
            yield entry, table

    def _text(self, table: dict[str, Any], word: str, entry: str, *, required: bool = True) -> str:
        value = table.get(word, "")
        if not isinstance(value, str) or (required and not value):
            raise self._error(entry, f"{word} is missing" if value == "" else f"{word} must be text")
        return value

    def _texts(self, table: dict[str, Any], word: str, entry: str) -> tuple[str, ...]:
        value = table.get(word)
        if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
            raise self._error(entry, f"{word} must be a list of texts", f'Write {word} = ["…"].')
        return tuple(value)

    def _path(self, table: dict[str, Any], word: str, entry: str, *, columns: bool) -> Path:
        text = self._text(table, word, entry)
        try:
            return parse_path(text) if columns else parse_table(text)
        except InvalidIdentifier as error:
            raise self._error(entry, f"{word}: {error.what}", error.hint) from error

    def _choice(self, table: dict[str, Any], word: str, entry: str, choices: type[Any], default: Any) -> Any:
        if word not in table:
            return default
        text = self._text(table, word, entry)
        known = [str(each) for each in choices]
        same = [each for each in known if _plain(each) == _plain(text)]
        if not same:
            raise self._error(entry, f"{word} = {text!r} is not known", did_you_mean(text, known))
        return choices(same[0])

    def _reference(self, entry: str, table: dict[str, Any]) -> CatalogReference:
        source = self._path(table, "from", entry, columns=True)
        to = self._path(table, "to", entry, columns=True)
        if len(source.columns) != len(to.columns):
            raise self._error(entry, "from and to name a different number of columns")
        return CatalogReference(
            entry=entry,
            source=source,
            to=to,
            name=self._text(table, "name", entry, required=False),
            match=self._choice(table, "match", entry, Match, Match.SIMPLE),
            on_delete=self._choice(table, "on_delete", entry, Action, Action.NO_ACTION),
            on_update=self._choice(table, "on_update", entry, Action, Action.NO_ACTION),
            rationale=self._text(table, "rationale", entry, required=False),
            orphans=self._choice(table, "orphans", entry, Resolution, None),
        )

    def _index(self, entry: str, table: dict[str, Any]) -> CatalogIndex:
        return CatalogIndex(**self._indexed(entry, table))

    def _indexed(self, entry: str, table: dict[str, Any]) -> dict[str, Any]:
        return {
            "entry": entry,
            "table": self._path(table, "table", entry, columns=False),
            "columns": self._texts(table, "columns", entry),
            "name": self._text(table, "name", entry, required=False),
            "where": self._text(table, "where", entry, required=False),
            "rationale": self._text(table, "rationale", entry, required=False),
        }

    def _unique(self, entry: str, table: dict[str, Any]) -> CatalogUnique:
        unique = CatalogUnique(
            **self._indexed(entry, table),
            nulls_distinct=self._choice(table, "nulls", entry, _Nulls, _Nulls.DISTINCT) is _Nulls.DISTINCT,
            ignores_case=self._choice(table, "case", entry, _Case, _Case.SENSITIVE) is _Case.INSENSITIVE,
            duplicates=self._choice(table, "duplicates", entry, Duplicates, None),
            survivor=self._text(table, "survivor", entry, required=False),
            rename=self._text(table, "rename", entry, required=False),
        )
        if unique.rename and unique.rename not in unique.columns:
            near = did_you_mean(unique.rename, unique.columns)
            raise self._error(entry, f"rename = {unique.rename!r} is not one of its columns", near)
        return unique

    def _column(self, entry: str, table: dict[str, Any]) -> CatalogColumn:
        return read_column(entry, table, self._fail(entry))

    def _queries(self) -> tuple[CatalogQuery, ...]:
        """Measurements are compared by name, and kept by it."""
        found: dict[str, CatalogQuery] = {}
        for query in (self._query(*each) for each in self._entries("query")):
            if query.name in found:
                raise self._error(query.entry, f"{found[query.name].entry} has this name, too", "Rename one.")
            if len(query.name) > LONGEST_NAME:
                raise self._error(query.entry, f"name is longer than {LONGEST_NAME} characters")
            found[query.name] = query
        return tuple(found.values())

    def _query(self, entry: str, table: dict[str, Any]) -> CatalogQuery:
        return CatalogQuery(
            entry=entry,
            name=self._text(table, "name", entry),
            sql=self._text(table, "sql", entry),
            parameters=self._parameters(table, entry),
            table=self._text(table, "table", entry, required=False),
            index=self._text(table, "index", entry, required=False),
            before=str(self._choice(table, "before", entry, _Plan, _Plan.SCAN)),
            after=str(self._choice(table, "after", entry, _Plan, _Plan.INDEX)),
            rationale=self._text(table, "rationale", entry, required=False),
        )

    def _flow(self, entry: str, table: dict[str, Any]) -> CatalogFlow:
        return CatalogFlow(
            entry=entry,
            name=self._text(table, "name", entry),
            statements=self._texts(table, "statements", entry),
            parameters=self._parameters(table, entry),
            rationale=self._text(table, "rationale", entry, required=False),
        )

    def _parameters(self, table: dict[str, Any], entry: str) -> dict[str, str]:
        parameters = table.get("parameters", {})
        if not isinstance(parameters, dict) or not all(isinstance(sql, str) for sql in parameters.values()):
            raise self._error(entry, "parameters must give a query for each name")
        return parameters

    def _client(self, entry: str, table: dict[str, Any]) -> Client:
        return Client(self._text(table, "name", entry), self._text(table, "line", entry))

    def _log(self) -> CatalogLog | None:
        if "log" not in self.data:
            return None
        return read_log(self.data["log"], lambda what, hint: self._error("[log]", what, hint))

    def _fail(self, entry: str) -> Fail:
        return lambda what, hint: self._error(entry, what, hint)

    def _mirror(self, entry: str, table: dict[str, Any]) -> CatalogMirror:
        return read_mirror(entry, table, self._fail(entry))

    def _tables(self) -> tuple[RequiredTable, ...]:
        found: dict[Path, RequiredTable] = {}
        for entry, data in self._entries("required_table"):
            table = read_required_table(entry, data, self._fail(entry))
            if table.table in found:
                raise self._error(entry, f"{found[table.table].entry} is about this table, too", "Keep one.")
            found[table.table] = table
        return tuple(found.values())

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

    def _routine(self, entry: str, data: dict[str, Any]) -> CatalogRoutine:
        return read_routine(entry, data, self._fail(entry))

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
            self._only(data, set(ENVIRONMENT_WORDS), f"[environment.{name}]")
        return tuple(
            read_environment(name, data, self._fail(f"[environment.{name}]"))
            for name, data in written.items()
        )

    def _masked(self) -> tuple[Path, ...]:
        if "mask" not in self.data:
            return ()
        try:
            return tuple(parse_path(text) for text in self._texts(self._table("mask"), "columns", "[mask]"))
        except InvalidIdentifier as error:
            raise self._error("[mask]", error.what, error.hint) from error


def _plain(word: str) -> str:
    """A word without regard to case and to how its parts are joined: SET NULL is set_null."""
    return word.lower().replace("_", " ").strip()
