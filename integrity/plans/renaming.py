"""New values for rows that do not keep a shared one: ``shoes-2``, ``shoes-3``, never one that is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from integrity.database.identifiers import column
from integrity.database.schema import Column, Table
from integrity.exceptions import PlanRefused
from integrity.plans.groups import Group
from integrity.plans.merging import Part
from integrity.plans.row_reading import Place, Row, Rows
from integrity.references.orphans import joined, refers
from integrity.references.reference import written
from integrity.references.uniques import UniqueRule, is_text

_LENGTH = re.compile(r"\((\d+)\)\s*$")
_FIRST_WINDOW, _LARGEST_WINDOW = 8, 4_096
_AT_ONCE = 2_000
_HIGHEST = 1_000_000_000


def renamed_column(rows: Rows, rule: UniqueRule, wanted: str) -> str:
    """Returns the column that gets other values: the one that was asked for, else the last one of text.

    Raises:
        PlanRefused: none of the columns can be renamed, with the reason.
    """
    table = rows.schema.table(rule.table)
    if wanted and wanted not in rule.columns:
        raise PlanRefused(
            f"{wanted} is no column of {rule.label}", hint=f"Rename one of {', '.join(rule.columns)}."
        )
    fitting = [name for name in reversed(rule.columns) if not _why_not(rows, table, name)]
    names = [wanted] if wanted else fitting
    if not names:
        raise PlanRefused(
            f"No column of {rule.label} holds text that could get another value",
            where=rule.label,
            hint="Merge the duplicates with --action merge, or change them by hand.",
        )
    why = _why_not(rows, table, names[0])
    if why:
        raise PlanRefused(
            f"{names[0]} of {written(rule.table)} cannot be renamed: {why}",
            where=rule.label,
            hint="Merge the duplicates with --action merge, or rename a column of text with --rename.",
        )
    return names[0]


def _why_not(rows: Rows, table: Table, name: str) -> str:
    found = table.column(name)
    if found.generated:
        return "it is computed from other columns"
    if not (is_text(rows.engine, table, name) or found.type.endswith("citext")):
        kind = found.type or "values of no declared type"
        return f"it holds {kind}, and with a number behind it no value of that kind"
    return ""


@dataclass
class Renaming:
    """Finds a free value for every row that does not keep its own; nothing is changed by it."""

    rows: Rows
    rule: UniqueRule
    name: str
    _given: set[tuple[object, ...]] = field(default_factory=set)

    @property
    def _table(self) -> Table:
        return self.rows.schema.table(self.rule.table)

    def parts(self, groups: Sequence[Group]) -> list[Part]:
        """Returns each group with the values that its rows get, those that find none with the reason."""
        found = []
        for start in range(0, len(groups), _AT_ONCE):
            found += self._some(groups[start : start + _AT_ONCE])
        return found

    def _some(self, groups: Sequence[Group]) -> list[Part]:
        problems = {group.survivor.place: self._lost_by(group) for group in groups}
        waiting = [each for each in groups if not problems[each.survivor.place]]
        window = _FIRST_WINDOW
        first = {group.survivor.place: 2 for group in waiting}
        while waiting:
            free = self._free(waiting, first, window)
            for group in waiting:
                self._assign(group, free[group.survivor.place])
                first[group.survivor.place] += window + len(group.rows)
            for group in waiting:
                if first[group.survivor.place] > _HIGHEST:
                    problems[group.survivor.place] = "no free value was found"
            window = min(_LARGEST_WINDOW, window * 4)
            waiting = [each for each in waiting if self._unnamed(each) and not problems[each.survivor.place]]
            for group in list(waiting):
                if self._room(self._length(), first[group.survivor.place]) < 1:
                    problems[group.survivor.place] = f"{self.name} is too short for another value"
                    waiting.remove(group)
        return [self._part(group, problems[group.survivor.place]) for group in groups]

    def _part(self, group: Group, problem: str) -> Part:
        for row in group.others:
            row.reason = self.rule.label
        changed = tuple(row for row in group.others if row.new)
        return Part((group,), (), () if problem else changed, problem)

    # -- values ----------------------------------------------------------------------------

    def _length(self) -> int | None:
        """How many characters fit the column, None where nothing limits them."""
        found: Column = self._table.column(self.name)
        limit = _LENGTH.search(found.stored_type or found.type)
        return int(limit[1]) if limit else None

    def _room(self, length: int | None, number: int) -> int:
        """How many characters of the old value fit before a number."""
        return 1 if length is None else length - len(f"-{number}")

    def _candidates(self, row: Row, numbers: Iterator[int] | range) -> Iterator[str]:
        """The old value, cut between two characters where need be, with numbers behind it."""
        length, stem = self._length(), str(row.values[self.name] or "")
        stem = stem.rstrip() if length is not None else stem
        for number in numbers:
            tail = f"-{number}"
            if length is None:
                yield stem + tail
            elif length > len(tail) or not stem:
                yield stem[: length - len(tail)] + tail

    def _free(
        self, groups: Sequence[Group], first: dict[Place, int], window: int
    ) -> dict[object, dict[object, list[str]]]:
        """For each group and row the candidates that no row has, in order."""
        asked: list[tuple[Group, Row, str]] = []
        for group in groups:
            start = first[group.survivor.place]
            numbers = range(start, start + window + len(group.rows))
            for row in self._spelled_apart(self._unnamed(group)):
                asked += [(group, row, text) for text in self._candidates(row, numbers)]
        taken = self._taken(asked)
        free: dict[object, dict[object, list[str]]] = {group.survivor.place: {} for group in groups}
        for number, (group, row, text) in enumerate(asked):
            if number not in taken:
                free[group.survivor.place].setdefault(row.values[self.name], []).append(text)
        return free

    def _spelled_apart(self, rows: Sequence[Row]) -> list[Row]:
        """One row for each spelling: those of one group differ in case at most."""
        return list({row.values[self.name]: row for row in rows}.values())

    def _taken(self, asked: Sequence[tuple[Group, Row, str]]) -> set[int]:
        """The numbers of the candidates that a row has already, in the scope of any unique on the column."""
        found: set[int] = set()
        for scope in self._scopes():
            columns = [self._table.column(name) for name in scope.columns]
            given = [
                (number, [text if name == self.name else row.values[name] for name in scope.columns])
                for number, (_, row, text) in enumerate(asked)
            ]
            if not given:
                continue
            values = [f"g.v{number}" for number in range(1, len(columns) + 1)]
            left = [column(name, "c") for name in scope.columns]
            same = self.rows.same(scope, self._table, left, values)
            source = self.rows.engine.source(self._table)
            with self.rows.engine.given_rows(self.rows.session, columns, given) as (item, params):
                sql = f"SELECT DISTINCT g.n FROM {source} AS c JOIN {item} ON {same}"
                found |= {row[0] for row in self.rows.session.rows(sql, params)}
        return found

    def _scopes(self) -> list[UniqueRule]:
        """Every unique on the column, whole tables long: a partial one is as good as whole here."""
        rules = [each for each in self.rows.rules(self._table) if self.name in each.columns]
        found = {each.columns: each for each in rules} | {self.rule.columns: self.rule}
        return [*found.values()]

    def _unnamed(self, group: Group) -> list[Row]:
        return [row for row in group.others if not row.new]

    def _assign(self, group: Group, free: dict[object, list[str]]) -> None:
        for row in self._unnamed(group):
            for text in free.get(row.values[self.name], ()):
                keys = [self._key(scope, row, text) for scope in self._scopes()]
                if not any(key in self._given for key in keys):
                    self._given.update(keys)
                    row.new[self.name] = text
                    break

    def _key(self, scope: UniqueRule, row: Row, text: str) -> tuple[object, ...]:
        """What may be given once: without regard to case, whatever the unique says of it."""
        values = (text if name == self.name else row.values[name] for name in scope.columns)
        return (scope.columns, *(each.casefold() if isinstance(each, str) else each for each in values))

    # -- who refers to them ----------------------------------------------------------------

    def _lost_by(self, group: Group) -> str:
        """Why a group cannot be renamed: somebody refers to one of its rows by what would change, and to
        no other that keeps it."""
        for _, reference in self.rows.referring(self._table):
            if self.name not in reference.referenced_columns:
                continue
            child = self.rows.schema.table(reference.table)
            for leaf in {row.leaf.name: row.leaf for row in group.others}.values():
                mine = [row.place[1] for row in group.others if row.leaf is leaf]
                located = self.rows.engine.located(leaf, mine, "p")
                match = joined(self.rows.engine, self.rows.schema, reference)
                stays = self.rows.engine.located(group.survivor.leaf, [group.survivor.place[1]], "s")
                other = joined(self.rows.engine, self.rows.schema, reference, parent="s")
                sql = (
                    f"SELECT count(*) FROM {self.rows.engine.source(child)} AS c "
                    f"JOIN {self.rows.engine.source(leaf)} AS p ON {refers(reference)} AND {match} "
                    f"WHERE {located.sql} AND NOT EXISTS (SELECT 1 FROM "
                    f"{self.rows.engine.source(group.survivor.leaf)} AS s WHERE {stays.sql} AND {other})"
                )
                found = self.rows.session.value(sql, [*located.params, *stays.params])
                if found:
                    return f"{found:,} rows refer to the value that would change ({reference.label})"
        return ""
