"""What follows from merging rows, to a fixpoint: who refers to them, and what becomes a duplicate by that.

Rows that are merged form classes. A row that refers to one of a class refers to its survivor afterwards;
where that makes it share a unique's value with another row, those two are merged by the same rule. Classes
only ever grow, so this ends, cycles and self-references included. Whether values are equal the database
says, by the operators and collations of the unique itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from integrity.database.identifiers import column
from integrity.database.schema import Action
from integrity.exceptions import PlanRefused
from integrity.plans.filling import fill_from, look_for_orphans
from integrity.plans.groups import Group, folded
from integrity.plans.row_reading import Place, Row, Rows, by_leaf
from integrity.references.reference import Reference, written
from integrity.references.uniques import UniqueRule

_MOST_ROUNDS = 500


@dataclass(frozen=True)
class Part:
    """Rows that change together or not at all, and the groups that they come from.

    ``lost`` go, ``changed`` stay with other values; ``problem`` says why neither may happen.
    """

    groups: tuple[Group, ...]
    lost: tuple[Row, ...]
    changed: tuple[Row, ...]
    problem: str = ""

    @property
    def size(self) -> int:
        """How many rows it touches."""
        return len(self.lost) + len(self.changed)


@dataclass
class Merging:
    """Finds what merging some groups comes to; nothing is changed by it."""

    rows: Rows
    heads: dict[Place, Row] = field(default_factory=dict)
    members: dict[Place, list[Row]] = field(default_factory=dict)
    _linked: set[tuple[Place, int]] = field(default_factory=set)
    _together: list[tuple[Row, Row]] = field(default_factory=list)

    def head(self, row: Row) -> Row:
        """The survivor of a row's class: itself where it is in none."""
        return self.heads.get(row.place, row)

    def is_lost(self, row: Row) -> bool:
        """Whether a row goes."""
        return self.head(row) is not row

    def spread(self, rule: UniqueRule, groups: Sequence[Group]) -> list[Part]:
        """Merges groups, and everything that becomes a duplicate by that.

        Raises:
            PlanRefused: it never comes to rest.
            RowsMoved: rows changed meanwhile, where they are locked.
        """
        pending: list[Row] = []
        for group in groups:
            pending += self._unite(group.rows, rule.label)
        for _ in range(_MOST_ROUNDS):
            self._link(pending)
            changed = self._revalue()
            merged = self._collide(changed)
            pending = merged + [row for row in changed if self._is_referenced(row, row.new)]
            if not merged and not changed:
                self._refuse_enforced()
                return self._parts(groups)
        raise PlanRefused(
            f"Merging the duplicates of {rule.label} never comes to rest: rows refer to one another by "
            "values that change with each merging",
            hint="Rename them, or merge single groups with --value.",
        )

    # -- classes ---------------------------------------------------------------------------

    def _unite(self, rows: Iterable[Row], reason: str) -> list[Row]:
        """Puts rows, and all that they are merged with already, into one class; returns who is lost by it."""
        heads = {self.head(row).place: self.head(row) for row in rows}
        if len(heads) < 2:
            return []
        whole = [row for head in heads.values() for row in self.members.get(head.place, [head])]
        before = {row.place for row in whole if self.is_lost(row)}
        ordered = self.rows.ranked(whole)
        for place in heads:
            self.members.pop(place, None)
        self.members[ordered[0].place] = ordered
        for row in ordered:
            self.heads[row.place] = ordered[0]
        lost = [row for row in ordered[1:] if row.place not in before]
        for row in lost:
            row.reason = reason
        return lost

    # -- references ------------------------------------------------------------------------

    def _link(self, parents: Sequence[Row]) -> None:
        """Finds who refers to rows that go, or whose referenced values change."""
        found: dict[int, list[Row]] = {}
        for leaf, some in by_leaf(parents):
            for number, reference in self.rows.referring(leaf):
                for row in some:
                    moved = self.is_lost(row) or set(row.new) & set(reference.referenced_columns)
                    if moved and (row.place, number) not in self._linked:
                        self._linked.add((row.place, number))
                        found.setdefault(number, []).append(row)
        for number, some in found.items():
            children = {child.place: child for _, child in self.rows.children(number, some)}
            for child, parent in self.rows.parents(number, list(children.values())):
                if parent not in child.parents[number]:
                    child.parents[number].append(parent)

    def _revalue(self) -> list[Row]:
        """Works out anew what rows become; returns those of which something changed since."""
        changed = []
        if self.rows.fill:
            look_for_orphans(self.rows, [row for some in self.members.values() for row in some])
        for row in list(self.rows.known.values()):
            if not row.parents and row.place not in self.members:
                continue
            before, row.new, row.problem = row.new, {}, ""
            for number in sorted(row.parents):
                self._repoint(row, self.rows.references[number], row.parents[number])
            self._refuse_entangled(row)
            if self.rows.fill and row.place in self.members:
                fill_from(self.rows, row, self.members[row.place][1:])
            if row.new != before and not self.is_lost(row):
                changed.append(row)
        return changed

    def _repoint(self, row: Row, reference: Reference, parents: Sequence[Row]) -> None:
        """A row that one of its parents stays for is left alone."""
        if any(not self._moves(parent, reference) for parent in parents):
            return
        target = self.rows.ranked([self.head(parent) for parent in parents])[0]
        for name, key in reference.pairs:
            value = target.becomes(key)
            if value is None:
                row.problem = (
                    f"{reference.label} refers to a row that goes, and the one that stays has no {key}"
                )
                return
            if name in row.new and row.new[name] != value:
                row.problem = f"{name} of {written(reference.table)} would have to be two values at once"
            if value != row.values[name]:
                row.new[name] = value
                row.reason = row.reason or reference.label

    def _moves(self, parent: Row, reference: Reference) -> bool:
        return self.is_lost(parent) or any(
            parent.becomes(key) != parent.values[key] for key in reference.referenced_columns
        )

    def _refuse_entangled(self, row: Row) -> None:
        """A column that two references share cannot follow one of them and leave the other's parent."""
        for number, reference in self.rows.referenced_by(row.leaf):
            shared = set(reference.columns) & set(row.new)
            whole = all(row.values[name] is not None for name in reference.columns)
            if shared and whole and number not in row.parents:
                row.problem = (
                    f"{', '.join(sorted(shared))} of {written(row.leaf.name)} would change what "
                    f"{reference.label} refers to as well"
                )

    def _is_referenced(self, row: Row, names: Iterable[str]) -> bool:
        return any(set(names) & set(each.referenced_columns) for _, each in self.rows.referring(row.leaf))

    def _refuse_enforced(self) -> None:
        """A referenced value cannot change under a key that is checked at once."""
        if self.rows.session.vendor == "sqlite":
            return
        for row in list(self.rows.known.values()):
            for number, parents in row.parents.items():
                key = self.rows.references[number].declared
                if key is None or not key.enforced:
                    continue
                acts = key.on_update not in (Action.NO_ACTION, Action.RESTRICT)
                moved = [each for each in parents if self._value_moves(each, self.rows.references[number])]
                if moved and (acts or not key.deferrable):
                    name = f"{key.name or 'a foreign key'} ({self.rows.references[number].label})"
                    row.problem = f"a value that {written(key.table)} refers to would change under {name}"

    def _value_moves(self, parent: Row, reference: Reference) -> bool:
        head = self.head(parent)
        return any(head.becomes(key) != head.values[key] for key in reference.referenced_columns)

    # -- uniques ---------------------------------------------------------------------------

    def _collide(self, changed: Sequence[Row]) -> list[Row]:
        """Merges rows that share a value once they are changed; returns who is lost by it."""
        lost: list[Row] = []
        fresh = {(row.leaf.name, name) for row in changed for name in row.new}
        for leaf in {row.leaf.name: row.leaf for row in changed}.values():
            for rule in self.rows.rules(leaf):
                if any((leaf.name, name) in fresh for name in rule.columns):
                    for one, other in self._sharing(rule):
                        if not (self.is_lost(one) or self.is_lost(other)):
                            self._together.append((one, other))
                            lost += self._unite([one, other], rule.label)
        return lost

    def _sharing(self, rule: UniqueRule) -> list[tuple[Row, Row]]:
        """Pairs of rows that will have the same value: changed ones with one another, and with others."""
        changed = self._changed_by(rule)
        if not changed:
            return []
        rows, table = self.rows, self.rows.schema.table(rule.table)
        columns = [table.column(name) for name in rule.columns]
        given = [(number, [row.becomes(name) for name in rule.columns]) for number, row in enumerate(changed)]
        values = [f"g.v{number}" for number in range(1, len(columns) + 1)]
        listed = ", ".join(folded(rows, rule, values))
        with rows.engine.given_rows(rows.session, columns, given) as (item, params):
            sql = f"SELECT g.n, min(g.n) OVER (PARTITION BY {listed}) FROM {item} ORDER BY 1"
            pairs = [
                (changed[n], changed[first]) for n, first in rows.session.rows(sql, params) if n != first
            ]
            same = rows.same(rule, table, [column(name, "c") for name in rule.columns], values)
            where = rows.spoken_of(rule, table)
            live = rows.locked(table, f"JOIN {item} ON {same}", where, params, "g.n")
        own = {row.place for row in changed}
        stays = [(n, row) for n, row in live if row.place not in own]
        return pairs + [(changed[n], row) for n, row in sorted(stays, key=lambda each: each[0])]

    def _changed_by(self, rule: UniqueRule) -> list[Row]:
        """Rows that stay, and whose value of a unique is another afterwards."""
        found = [
            row
            for row in self.rows.known.values()
            if set(row.new) & set(rule.columns)
            and not self.is_lost(row)
            and rule.table in self.rows.names_of(row.leaf)
            and not (rule.nulls_distinct and any(row.becomes(name) is None for name in rule.columns))
        ]
        return self.rows.spoken_of_by(rule, found) if rule.where else found

    # -- parts -----------------------------------------------------------------------------

    def _parts(self, groups: Sequence[Group]) -> list[Part]:
        """What changes together: classes, whoever refers to what moves in them, and who was in the way."""
        bonds = Bonds()
        for rows in self.members.values():
            for row in rows:
                bonds.bind(row, rows[0])
        for one, other in self._together:
            bonds.bind(one, other)
        touched = [row for row in self.rows.known.values() if self.is_lost(row) or row.new or row.problem]
        for row, parent in self._moving(touched):
            bonds.bind(row, parent)
        by_part: dict[Place, list[Row]] = defaultdict(list)
        for row in touched:
            by_part[bonds.find(row)].append(row)
        of_part: dict[Place, list[Group]] = defaultdict(list)
        for group in groups:
            of_part[bonds.find(group.survivor)].append(group)
        return [self._part(some, by_part.get(place, [])) for place, some in of_part.items()]

    def _moving(self, rows: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
        """Yields rows with those that they refer to and that move."""
        for row in rows:
            for number, parents in row.parents.items():
                for parent in parents:
                    if self._moves(parent, self.rows.references[number]):
                        yield row, parent

    def _part(self, groups: Sequence[Group], rows: Sequence[Row]) -> Part:
        lost = tuple(row for row in rows if self.is_lost(row))
        for row in lost:
            row.into = self.head(row)
        changed = tuple(row for row in rows if row.new and not self.is_lost(row))
        problem = next((row.problem for row in changed if row.problem), "")
        problem = problem or next((row.problem for row in rows if row.problem and not self.is_lost(row)), "")
        return Part(tuple(groups), lost, changed, problem)


@dataclass
class Bonds:
    """Which rows belong together, however indirectly."""

    _bound: dict[Place, Place] = field(default_factory=dict)

    def find(self, row: Row) -> Place:
        """What all rows that belong together with this one have in common."""
        place = row.place
        while (above := self._bound.get(place, place)) != place:
            self._bound[place] = self._bound.get(above, above)
            place = above
        return place

    def bind(self, one: Row, other: Row) -> None:
        """Puts two rows, and all that belong to them, together."""
        self._bound[self.find(one)] = self.find(other)
