"""Which references follow from deleting rows of a table, level by level, and in which order.

Pure: it looks at references alone. A deletion spreads through references with CASCADE; SET NULL
and SET DEFAULT end there; RESTRICT and NO ACTION forbid it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from integrity.database.identifiers import TableName
from integrity.database.schema import Schema, Table
from integrity.plans.plan import Change, change_for
from integrity.references.reference import Reference


@dataclass(frozen=True)
class Spread:
    """What can follow from deleting rows of ``root``.

    ``levels`` maps each table whose rows may be deleted to its distance; ``cascades`` are the
    references through which deletion spreads, ``ends`` those where it ends; ``cyclic`` says that
    a deletion can come back to a table it already touched.
    """

    root: TableName
    levels: dict[TableName, int]
    cascades: tuple[Reference, ...]
    ends: tuple[Reference, ...]
    cyclic: bool


def spread(
    root: TableName, references: Iterable[Reference], becomes: Callable[[Reference], Change] = change_for
) -> Spread:
    """Returns what can follow from deleting rows of ``root``; ``becomes`` says what each reference does."""
    by_parent = _by_parent(references)
    levels, cascades, ends = {root: 0}, [], []
    queue = [root]
    for table in queue:
        for reference in by_parent.get(table, ()):
            if becomes(reference) is not Change.DELETE:
                ends.append(reference)
                continue
            cascades.append(reference)
            if reference.table not in levels:
                levels[reference.table] = levels[table] + 1
                queue.append(reference.table)
    cyclic = _has_cycle(root, cascades)
    return Spread(
        root, _longest(root, cascades) if not cyclic else levels, tuple(cascades), tuple(ends), cyclic
    )


def ancestors(schema: Schema, table: Table) -> set[TableName]:
    """The tables that a table is a partition or an inheritance child of, at any distance."""
    found: set[TableName] = set()
    queue = list(table.parents)
    while queue:
        name = queue.pop()
        if name not in found and name in schema.tables:
            found.add(name)
            queue += schema.table(name).parents
    return found


def leaf_first(tables: Sequence[TableName], references: Iterable[Reference]) -> list[TableName]:
    """Orders tables so that those that refer to others come before them, cycles apart."""
    wanted = sorted(set(tables))
    parents: dict[TableName, set[TableName]] = {table: set() for table in wanted}
    for reference in references:
        if reference.table in parents and reference.referenced_table in parents:
            parents[reference.table].add(reference.referenced_table)
    ordered: list[TableName] = []

    def visit(table: TableName, path: frozenset[TableName]) -> None:
        if table in ordered or table in path:
            return
        for parent in sorted(parents[table]):
            visit(parent, path | {table})
        ordered.append(table)

    for table in wanted:
        visit(table, frozenset())
    return ordered[::-1]


def _by_parent(references: Iterable[Reference]) -> dict[TableName, list[Reference]]:
    found: dict[TableName, list[Reference]] = {}
    for reference in sorted(references, key=lambda each: (each.table, each.columns)):
        found.setdefault(reference.referenced_table, []).append(reference)
    return found


def _has_cycle(root: TableName, cascades: Sequence[Reference]) -> bool:
    """Whether a walk along cascades from ``root`` can meet one of its own tables again."""
    done: set[TableName] = set()

    def visit(table: TableName, path: frozenset[TableName]) -> bool:
        if table in path:
            return True
        if table in done:
            return False
        children = [each.table for each in cascades if each.referenced_table == table]
        found = any(visit(child, path | {table}) for child in children)
        done.add(table)
        return found

    return visit(root, frozenset())


def _longest(root: TableName, cascades: Sequence[Reference]) -> dict[TableName, int]:
    """The longest way to each table, so that a table is counted after all that lead to it."""
    levels = {root: 0}
    for _ in range(len(cascades) + 1):
        for reference in cascades:
            if reference.referenced_table in levels:
                depth = levels[reference.referenced_table] + 1
                levels[reference.table] = max(levels.get(reference.table, 0), depth)
    return levels
