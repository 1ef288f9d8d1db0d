"""The journal: what a repair leaves in the target, in the same transaction as each change.

One table per run and table holds the images of rows, column by column under their own names;
``runs`` holds the runs themselves, and ``tables`` says which table belongs to what. This is
enough to roll back without anything else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from integrity.database.engine import Engine, Locator, Predicate
from integrity.database.identifiers import TableName, quote, quote_columns, quote_table
from integrity.database.schema import Column, Table
from integrity.database.session import Session
from integrity.exceptions import MissingPrivilege, UnknownRun
from integrity.repairs.result import State

SEQ, IMAGE, ACTION, STEP, BATCH, ORDER, OF, LEAF, ROW, REASON, AT, UNDONE = (
    "_integrity_seq",
    "_integrity_image",
    "_integrity_action",
    "_integrity_step",
    "_integrity_batch",
    "_integrity_order",
    "_integrity_of",
    "_integrity_leaf",
    "_integrity_row",
    "_integrity_reason",
    "_integrity_at",
    "_integrity_undone",
)
BEFORE, AFTER, WITNESS = "before", "after", "witness"
REFERS = "refer"
"""The action of a witness: a row that was left alone, and referred to one that was made."""

_RUN_COLUMNS = (
    "id", "kind", "state", "plan_hash", "plan", "structure", "actor", "started_at", "updated_at",
    "finished_at", "position", "rows", "digests", "refusals", "error", "of_run", "backup",
)  # fmt: skip

RUNS = """
CREATE TABLE {runs} (
  id {serial} PRIMARY KEY, kind text NOT NULL, state text NOT NULL, plan_hash text NOT NULL,
  plan text NOT NULL, structure text NOT NULL, actor text NOT NULL, started_at text NOT NULL,
  updated_at text NOT NULL, finished_at text, position text NOT NULL, rows text NOT NULL,
  digests text NOT NULL, refusals text NOT NULL, error text NOT NULL, of_run bigint, backup text NOT NULL)
"""
TABLES = """
CREATE TABLE {tables} (
  run bigint NOT NULL, schema_name text NOT NULL, table_name text NOT NULL,
  journal_name text NOT NULL, columns text NOT NULL, PRIMARY KEY (run, schema_name, table_name))
"""
IMAGES = """
CREATE TABLE {images} (
  _integrity_seq {serial} PRIMARY KEY, _integrity_image text NOT NULL, _integrity_action text NOT NULL,
  _integrity_step integer NOT NULL, _integrity_batch bigint NOT NULL, _integrity_order integer NOT NULL,
  _integrity_of bigint, _integrity_leaf text NOT NULL, _integrity_row {row}, _integrity_reason text NOT NULL,
  _integrity_at text NOT NULL, _integrity_undone bigint{columns})
"""


def now() -> str:
    """The time, in UTC, as the journal writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass
class RunRecord:
    """A run as the target's journal has it; ``number`` names it in every command."""

    number: int
    kind: str
    state: State
    plan_hash: str
    plan: dict[str, Any]
    structure: dict[str, Any]
    actor: str
    started_at: str
    updated_at: str
    finished_at: str | None = None
    position: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    of: int | None = None
    backup: str = ""


@dataclass(frozen=True)
class Images:
    """The journal's table for one table of one run."""

    table: TableName
    name: TableName
    columns: tuple[str, ...]

    @property
    def sql(self) -> str:
        """Its name as SQL."""
        return quote_table(self.name)


@dataclass(frozen=True)
class Captured:
    """Rows that were journaled within a batch: where they are, and their journal numbers."""

    leaf: Table
    images: Images
    locators: tuple[Locator, ...]
    seqs: tuple[int, ...]


@dataclass
class Journal:
    """The journal of a target, through an open session."""

    session: Session
    known: dict[tuple[int, TableName], Images] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        """The session's engine."""
        return self.session.engine

    @property
    def _runs(self) -> TableName:
        return self.engine.journal_table("runs")

    @property
    def _tables(self) -> TableName:
        return self.engine.journal_table("tables")

    def exists(self) -> bool:
        """Whether the target has a journal."""
        return self.engine.has_table(self.session, self._runs)

    def ensure(self) -> None:
        """Makes the journal where it is missing.

        Raises:
            MissingPrivilege: with the GRANT, without the right to make it.
        """
        if self.exists():
            return
        try:
            self.engine.create_journal(self.session)
        except MissingPrivilege as error:
            raise MissingPrivilege(
                "The journal cannot be made, and without it nothing is changed",
                where=self.session.target.alias,
                hint="GRANT CREATE ON DATABASE … TO this role, or have the owner run: "
                "CREATE SCHEMA integrity_journal AUTHORIZATION this_role;",
            ) from error
        serial = self.engine.serial()
        self.session.execute(RUNS.format(runs=quote_table(self._runs), serial=serial))
        self.session.execute(TABLES.format(tables=quote_table(self._tables)))

    # -- runs ------------------------------------------------------------------------------

    def start(self, record: RunRecord) -> int:
        """Records a run and returns its number."""
        values = {
            "kind": record.kind,
            "state": str(record.state),
            "plan_hash": record.plan_hash,
            "plan": json.dumps(record.plan, default=str),
            "structure": json.dumps(record.structure),
            "actor": record.actor,
            "started_at": record.started_at,
            "updated_at": record.updated_at,
            "position": "{}",
            "rows": "{}",
            "digests": json.dumps(record.digests),
            "refusals": "[]",
            "error": "",
            "of_run": record.of,
            "backup": record.backup,
        }
        marks = ", ".join(["%s"] * len(values))
        sql = f"INSERT INTO {quote_table(self._runs)} ({quote_columns(values)}) VALUES ({marks}) RETURNING id"
        return int(self.session.value(sql, list(values.values())))

    def update(self, run: int, **values: Any) -> None:
        """Writes facts of a run; lists and dictionaries as JSON."""
        facts = {
            name: json.dumps(value, default=str) if isinstance(value, (dict, list)) else value
            for name, value in (values | {"updated_at": now()}).items()
        }
        assigned = ", ".join(f"{quote(name)} = %s" for name in facts)
        sql = f"UPDATE {quote_table(self._runs)} SET {assigned} WHERE id = %s"
        self.session.execute(sql, [*facts.values(), run])

    def note(self, run: int, **values: Any) -> None:
        """The same in a transaction of its own."""
        with self.session.transaction():
            self.update(run, **values)

    def run(self, number: int) -> RunRecord:
        """Returns a run.

        Raises:
            UnknownRun: when the journal has none of that number.
        """
        found = self._runs_where("WHERE id = %s", [number]) if self.exists() else []
        if not found:
            numbers = f"SELECT id FROM {quote_table(self._runs)} ORDER BY id DESC LIMIT 20"
            rows = self.session.rows(numbers) if self.exists() else []
            known = ", ".join(str(row[0]) for row in rows) or "none"
            raise UnknownRun(
                f"There is no run {number}", where=self.session.target.alias, hint=f"Known are: {known}."
            )
        return found[0]

    def runs(self) -> list[RunRecord]:
        """Returns all runs, the newest first."""
        return self._runs_where("", []) if self.exists() else []

    def _runs_where(self, where: str, params: Sequence[Any]) -> list[RunRecord]:
        names = quote_columns(_RUN_COLUMNS)
        sql = f"SELECT {names} FROM {quote_table(self._runs)} {where} ORDER BY id DESC"
        return [_record(row) for row in self.session.rows(sql, params)]

    # -- images ----------------------------------------------------------------------------

    def forget(self) -> None:
        """After a transaction was given up: a table that was made in it is not there."""
        self.known.clear()

    def images(self, run: int, table: Table) -> Images:
        """Returns the journal's table for ``table`` in ``run``, made where missing."""
        key = (run, table.name)
        if key not in self.known:
            self.known |= {(run, each.table): each for each in self.tables(run)}
        if key not in self.known:
            self.known[key] = self._make(run, table)
        return self.known[key]

    def tables(self, run: int) -> list[Images]:
        """Returns the journal's tables of a run."""
        sql = (
            f"SELECT schema_name, table_name, journal_name, columns FROM {quote_table(self._tables)} "
            "WHERE run = %s ORDER BY journal_name"
        )
        return [
            Images(TableName(schema, name), self.engine.journal_table(journal), tuple(json.loads(columns)))
            for schema, name, journal, columns in self.session.rows(sql, [run])
        ]

    def _make(self, run: int, table: Table) -> Images:
        taken = {each.name.name for each in self.tables(run)}
        short = f"run{run}_{table.name.name}".encode()[:48].decode(errors="ignore")
        free = (name for name in (short, *(f"{short}_{n}" for n in range(2, 999))))
        name = next(each for each in free if self.engine.journal_table(each).name not in taken)
        images = Images(table.name, self.engine.journal_table(name), _names(table.stored_columns))
        columns = "".join(
            f", {quote(each.name)} {self.engine.stored_as(each)}" for each in table.stored_columns
        )
        row = "text" if self.engine.stored_as(table.columns[0]) else ""
        self.session.execute(
            IMAGES.format(images=images.sql, serial=self.engine.serial(), row=row, columns=columns)
        )
        for statement in _indexes(self.engine, images):
            self.session.execute(statement)
        sql = f"INSERT INTO {quote_table(self._tables)} VALUES (%s, %s, %s, %s, %s)"
        self.session.execute(sql, [run, table.name.schema, table.name.name, name, json.dumps(images.columns)])
        return images

    def capture(self, images: Images, leaf: Table, where: Predicate, facts: dict[str, Any]) -> Captured:
        """Journals the rows ``c`` of ``leaf`` for which ``where`` holds, as they are now.

        Args:
            images: where to.
            leaf: the table that holds the rows.
            where: which rows.
            facts: image, action, step, batch, order and reason.
        """
        columns = quote_columns(images.columns)
        values = quote_columns(images.columns, "c")
        heads = {LEAF: str(leaf.name), AT: now(), **facts}
        sql = (
            f"INSERT INTO {images.sql} ({', '.join(heads)}, {ROW}, {columns}) "
            f"SELECT {', '.join(['%s'] * len(heads))}, {self.engine.locator(leaf)}, {values} "
            f"FROM {self.engine.source(leaf)} AS c WHERE {where.sql} RETURNING {SEQ}, {ROW}"
        )
        rows = self.session.rows(sql, [*heads.values(), *where.params])
        return Captured(leaf, images, tuple(row[1] for row in rows), tuple(row[0] for row in rows))

    def seqs(self, seqs: Sequence[int], alias: str = "j") -> Predicate:
        """The condition that an image is one of these."""
        marks = ", ".join(str(int(seq)) for seq in seqs) or "NULL"
        return Predicate(f"{alias}.{SEQ} IN ({marks})")

    def undo(self, images: Images, seqs: Sequence[int], run: int) -> None:
        """Marks images as taken back by a rollback."""
        where = self.seqs(seqs, "j")
        self.session.execute(f"UPDATE {images.sql} AS j SET {UNDONE} = %s WHERE {where.sql}", [run])


def _indexes(engine: Engine, images: Images) -> list[str]:
    """A rollback finds images by their batch, and what became of a row by its image before."""
    on = images.sql if engine.vendor == "postgresql" else quote(images.name.name)
    batch, of = quote(f"{images.name.name}_batch"), quote(f"{images.name.name}_of")
    return [f"CREATE INDEX {batch} ON {on} ({BATCH}, {ORDER})", f"CREATE INDEX {of} ON {on} ({OF})"]


def _names(columns: tuple[Column, ...]) -> tuple[str, ...]:
    return tuple(each.name for each in columns)


def _record(row: tuple[Any, ...]) -> RunRecord:
    facts = dict(zip(_RUN_COLUMNS, row, strict=True))
    return RunRecord(
        number=facts["id"],
        kind=facts["kind"],
        state=State(facts["state"]),
        plan_hash=facts["plan_hash"],
        plan=json.loads(facts["plan"]),
        structure=json.loads(facts["structure"]),
        actor=facts["actor"],
        started_at=facts["started_at"],
        updated_at=facts["updated_at"],
        finished_at=facts["finished_at"],
        position=json.loads(facts["position"]),
        rows=json.loads(facts["rows"]),
        digests=json.loads(facts["digests"]),
        refusals=json.loads(facts["refusals"]),
        error=facts["error"],
        of=facts["of_run"],
        backup=facts["backup"],
    )


def row_key(table: Table) -> tuple[str, ...]:
    """The stored columns by which a row of a table is known; none where it has no such key."""
    key = table.primary_key.columns if table.primary_key else ()
    return () if any(table.column(name).generated for name in key) else key
