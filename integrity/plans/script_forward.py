"""The forward script: what is touched is found first, kept, counted, and then changed leaf first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from integrity.database.identifiers import TableName, column, quote, quote_columns, quote_table
from integrity.database.schema import Schema
from integrity.exceptions import PlanRefused
from integrity.plans.columns import columns_set_null
from integrity.plans.following import leaf_first, spread
from integrity.plans.plan import Change, Plan, Step, SystemRow, change_for
from integrity.plans.row_paths import edge
from integrity.plans.scope import spelled_scope
from integrity.plans.script_dialects import ACTION, NOW, ROW, Dialect
from integrity.references.orphans import joined, refers
from integrity.references.reference import Reference, Resolution, written

MORE = "more rows would be touched than the plan approved: make a new plan"


@dataclass(frozen=True)
class Update:
    """Rows of a table for which ``where`` holds, and what their columns become, as SQL."""

    table: TableName
    where: str
    values: tuple[tuple[str, str], ...]


@dataclass
class Forward:
    """The statements of a plan."""

    plan: Plan
    schema: Schema
    references: Sequence[Reference]
    dialect: Dialect

    # -- what is touched -------------------------------------------------------------------

    @cached_property
    def deletions(self) -> list[Step]:
        """The steps that delete."""
        return [step for step in self.plan.orphan_changes if step.resolution is Resolution.DELETE]

    @cached_property
    def cascades(self) -> list[Reference]:
        """The references through which deletions spread, from any step."""
        found: dict[object, Reference] = {}
        for step in self.deletions:
            for reference in spread(step.reference.table, self.references).cascades:
                found[reference.sides] = reference
        return list(found.values())

    @cached_property
    def doomed_tables(self) -> list[TableName]:
        """Tables of which rows may be deleted, leaf first."""
        tables = [step.reference.table for step in self.deletions]
        return leaf_first([*tables, *(each.table for each in self.cascades)], self.cascades)

    @cached_property
    def ends(self) -> list[Reference]:
        """The references at which deletions end: what refers by them is updated."""
        return [
            each
            for each in self.references
            if each.referenced_table in self.doomed_tables
            and change_for(each) in (Change.SET_NULL, Change.SET_DEFAULT)
        ]

    @cached_property
    def changing(self) -> list[Step]:
        """The steps that update."""
        return [step for step in self.plan.orphan_changes if step.resolution is not Resolution.DELETE]

    @cached_property
    def numbers(self) -> dict[TableName, int]:
        """Every table of which rows are touched, with its number in the script."""
        updated = [*(each.table for each in self.ends), *(step.reference.table for step in self.changing)]
        tables = sorted({*self.doomed_tables, *updated, *self.made})
        return {table: number for number, table in enumerate(tables)}

    @cached_property
    def updates(self) -> list[Update]:
        """Every update, those that follow from deletions first."""
        return [*map(self._following, self.ends), *map(self._resolved, self.changing)]

    @cached_property
    def made(self) -> dict[TableName, SystemRow]:
        """The system rows that are missing, by table."""
        rows = [row for step in self.plan.orphan_changes for row in step.system_rows]
        return {row.table: row for row in rows if not row.exists}

    def _following(self, reference: Reference) -> Update:
        parent = reference.referenced_table
        parents = f"{self.dialect.row(parent, 'p')} IN ({self._doomed(parent)})"
        source = self.dialect.source(parent)
        match = joined(self.dialect.engine, self.schema, reference)
        where = f"{refers(reference)} AND EXISTS (SELECT 1 FROM {source} p WHERE {parents} AND {match})"
        return Update(reference.table, where, self._values(reference))

    def _resolved(self, step: Step) -> Update:
        values = tuple((name, self.dialect.literal(value)) for name, value in step.values)
        return Update(step.reference.table, self._scope(step), values)

    def _values(self, reference: Reference) -> tuple[tuple[str, str], ...]:
        table = self.schema.table(reference.table)
        if change_for(reference) is Change.SET_DEFAULT:
            defaults = ((name, table.column(name).default or "NULL") for name in reference.columns)
            return tuple((name, value.replace("%", "%%")) for name, value in defaults)
        return tuple((name, "NULL") for name in columns_set_null(table, reference, self.references))

    def _doomed(self, table: TableName) -> str:
        return f"SELECT r FROM {self.dialect.table('doomed')} WHERE t = {self.numbers.get(table, -1)}"

    # -- statements ------------------------------------------------------------------------

    def statements(self) -> list[str]:
        """All of it, in order, but for the transaction."""
        dialect = self.dialect
        self._refuse_moving_keys()
        found = [*self._doom(), *self._mark(), *self._keep()]
        parents = {step.reference.referenced_table for step in self.plan.orphan_changes}
        text = [*dialect.lock([*self.numbers, *parents]), *self._tables(), *found, *self._counted()]
        return [*text, *self.changes(), *self._proved()]

    def changes(self) -> list[str]:
        """The statements that change rows of the target."""
        return [*self._insertions(), *self._updates(), *self._deletions()]

    def _tables(self) -> Iterator[str]:
        dialect, place = self.dialect, self.dialect.place_type
        yield dialect.make(dialect.table("doomed"), f"t integer, r {place}".rstrip())
        yield dialect.make(dialect.table("changed"), f"n integer, t integer, r {place}".rstrip())
        for table, number in self.numbers.items():
            yield dialect.make_backup(dialect.backup(number, table), table)

    def _doom(self) -> Iterator[str]:
        """The fixpoint of all that is deleted, each row once."""
        if not self.deletions:
            return
        seeds = " UNION ".join(self._seed(step) for step in self.deletions)
        edges = " UNION ALL ".join(
            edge(self.dialect.engine, self.schema, each, self.numbers) for each in self.cascades
        )
        spread_on = f" UNION SELECT e.t, e.r FROM doomed d JOIN ({edges}) e ON e.pt = d.t AND e.pr = d.r"
        query = (
            f"WITH RECURSIVE doomed(t, r) AS ({seeds}{spread_on if edges else ''}) SELECT t, r FROM doomed"
        )
        where = self.dialect.going("1 = 1")
        yield f"INSERT INTO {self.dialect.table('doomed')} SELECT t, r FROM ({query}) q WHERE {where}"

    def _seed(self, step: Step) -> str:
        return f"SELECT {self._placed(step.reference.table)} WHERE {self._scope(step)}"

    def _scope(self, step: Step) -> str:
        return spelled_scope(self.dialect.engine, self.schema, step)

    def _placed(self, table: TableName) -> str:
        return f"{self.numbers[table]}, {self.dialect.row(table)} FROM {self.dialect.source(table)} c"

    def _mark(self) -> Iterator[str]:
        """Rows that are updated, unless they are deleted anyway."""
        for number, update in enumerate(self.updates):
            table = update.table
            spared = f"{self.dialect.row(table)} NOT IN ({self._doomed(table)})"
            where = self.dialect.going(f"({update.where}) AND {spared}")
            rows = f"SELECT {number}, {self._placed(table)} WHERE {where}"
            yield f"INSERT INTO {self.dialect.table('changed')} {rows}"

    def _keep(self) -> Iterator[str]:
        """Every row as it is."""
        for table in self.numbers:
            for action, places in (("delete", self._doomed(table)), ("update", self._changed(table))):
                where = f"{self.dialect.row(table)} IN ({places})"
                yield self._image(table, action, self.dialect.row(table), "NULL", where)

    def _image(self, table: TableName, action: str, was: str, now: str, where: str, more: str = "") -> str:
        names = [each.name for each in self.dialect.columns(table)]
        backup = self.dialect.backup(self.numbers[table], table)
        return (
            f"INSERT INTO {backup} ({quote_columns(names)}, {ACTION}, {ROW}, {NOW}) "
            f"SELECT {quote_columns(names, 'c')}, '{action}', {was}, {now} "
            f"FROM {self.dialect.source(table)} c{more} WHERE {self.dialect.going(where)}"
        )

    def _changed(self, table: TableName) -> str:
        return f"SELECT r FROM {self.dialect.table('changed')} WHERE t = {self.numbers[table]}"

    def _counted(self) -> Iterator[str]:
        radius = self.plan.blast_radius()
        for table, number in self.numbers.items():
            tally = radius.get(table)
            deleted, updated = (tally.deleted, tally.updated) if tally else (0, 0)
            for name, most in (("doomed", deleted), ("changed", updated)):
                rows = f"(SELECT count(*) FROM {self.dialect.table(name)} WHERE t = {number})"
                yield from self.dialect.require(f"{rows} <= {most}", f"{written(table)}: {MORE}")

    def _insertions(self) -> Iterator[str]:
        """System rows, made where they are still missing, and kept as images of what was made."""
        for table, row in self.made.items():
            key = " AND ".join(
                f"{column(name, 'c')} = {self.dialect.literal(value)}" for name, value in row.key
            )
            source = self.dialect.source(table)
            missing = f"NOT EXISTS (SELECT 1 FROM {source} c WHERE {key})"
            prefix = self.dialect.engine.insert_prefix(self.schema.table(table))
            names = quote_columns([name for name, _ in row.values])
            values = ", ".join(self.dialect.literal(value) for _, value in row.values)
            where = self.dialect.going(missing)
            yield f"INSERT INTO {quote_table(table)} ({names}) {prefix} SELECT {values} WHERE {where}"
            place = self.dialect.row(table)
            yield self._image(table, "insert", place, place, key)

    def _updates(self) -> Iterator[str]:
        """One update a table, so that a row that two references change is changed once."""
        for table in sorted({each.table for each in self.updates}):
            mine = [(number, each) for number, each in enumerate(self.updates) if each.table == table]
            sets: dict[str, list[tuple[int, str]]] = {}
            for number, update in mine:
                for name, value in update.values:
                    sets.setdefault(name, []).append((number, value))
            assignments = ", ".join(
                f"{quote(name)} = {self._case(table, name, cases)}" for name, cases in sets.items()
            )
            backup = self.dialect.backup(self.numbers[table], table)
            places = f"SELECT DISTINCT r FROM {self.dialect.table('changed')} WHERE t = {self.numbers[table]}"
            yield from self.dialect.update(backup, table, assignments, places)
            more = f" JOIN {backup} b ON b.{NOW} = {self.dialect.row(table)}"
            yield self._image(table, "after", f"b.{ROW}", f"b.{NOW}", f"b.{ACTION} = 'update'", more)

    def _case(self, table: TableName, name: str, cases: Sequence[tuple[int, str]]) -> str:
        changed = self.dialect.table("changed")
        whens = " ".join(
            f"WHEN {self.dialect.row(table)} IN (SELECT r FROM {changed} WHERE n = {number}) THEN {value}"
            for number, value in cases
        )
        return f"CASE {whens} ELSE {column(name, 'c')} END"

    def _deletions(self) -> Iterator[str]:
        for table in self.doomed_tables:
            where = self.dialect.going(f"{self.dialect.row(table)} IN ({self._doomed(table)})")
            yield f"DELETE FROM {self.dialect.source(table)} AS c WHERE {where}"

    def _proved(self) -> Iterator[str]:
        """Nothing was kept from being changed by a trigger or a rule."""
        for table in self.doomed_tables:
            rows = f"SELECT {self._placed(table)}"
            left = f"EXISTS ({rows} WHERE {self.dialect.row(table)} IN ({self._doomed(table)}))"
            yield from self.dialect.require(
                f"NOT {left}", f"{written(table)}: rows were kept from being deleted"
            )
        for table in sorted({each.table for each in self.updates}):
            backup = self.dialect.backup(self.numbers[table], table)
            counts = [
                f"(SELECT count(*) FROM {backup} WHERE {ACTION} = '{action}')"
                for action in ("update", "after")
            ]
            yield from self.dialect.require(
                " = ".join(counts), f"{written(table)}: rows were kept from being updated"
            )

    def _refuse_moving_keys(self) -> None:
        """A row that is told by its key cannot be followed while its key changes."""
        for update in self.updates:
            table = self.schema.table(update.table)
            key = set(table.primary_key.columns) if table.primary_key else set()
            if (
                key & {name for name, _ in update.values}
                and self.dialect.engine.vendor == "sqlite"
                and not table.rowid
            ):
                raise PlanRefused(
                    f"A script cannot change the key of {written(table.name)}, by which its rows are told",
                    where=self.plan.target,
                    hint="Use integrity_cleanup.",
                )
