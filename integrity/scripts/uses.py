"""Which tables, columns and functions a statement uses, as the parser understands it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from integrity.scripts.cursor import ObjectName, object_name
from integrity.scripts.definitions import Kind
from integrity.scripts.parsing import without_leading_comments
from integrity.scripts.statement import Dialect, Statement

_PSEUDO_ROWS = frozenset({"new", "old", "excluded", "inserted", "deleted"})
_WORDS = frozenset({
    "user", "session_user", "current_user", "current_role", "current_catalog", "current_schema", "localtime",
    "localtimestamp", "current_date", "current_time", "current_timestamp", "default", "true", "false", "null",
    "value", "epoch", "rank", "infinity",
})  # fmt: skip
_LEVELS = (exp.Select, exp.Update, exp.Delete, exp.Insert, exp.Merge)


@dataclass(frozen=True)
class Use:
    """Something that a statement uses: a table or function by ``name``, or a ``column``, which one of the
    tables in ``of`` must have. ``offset`` is where in the statement's text."""

    kind: Kind
    name: ObjectName
    offset: int
    column: str = ""
    of: tuple[ObjectName, ...] = ()


def uses(statement: Statement, schema: str = "") -> Iterator[Use]:
    """Yields what a query, a view or a statement that changes rows uses.

    Args:
        statement: the statement; of one that defines anything else than a view, nothing is told.
        schema: where names are looked for whose schema is not written.
    """
    root: exp.Expr | None = statement.parsed
    if isinstance(root, exp.Create):
        root = root.expression if isinstance(root.expression, exp.Query) else None
    if isinstance(root, exp.Query | exp.DML | exp.Merge):
        yield from _Reader(statement, root, schema).uses()


@dataclass
class _Reader:
    statement: Statement
    root: exp.Expr
    schema: str
    lead: int = field(init=False)
    ctes: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        text = self.statement.text
        self.lead = len(text) - len(without_leading_comments(text))
        self.ctes = frozenset(each.alias_or_name.lower() for each in self.root.find_all(exp.CTE))

    def uses(self) -> Iterator[Use]:
        for node in self.root.walk():
            if isinstance(node, exp.Table):
                name = self.table(node)
                if name is not None:
                    yield Use(Kind.TABLE, name, self.offset(node.this))
            elif isinstance(node, exp.Anonymous) and not isinstance(node.parent, exp.Dot):
                name = ObjectName("", node.name.lower())
                yield Use(Kind.FUNCTION, name, max(self.statement.text.lower().find(name.name), 0))
            elif isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier):
                yield from self.column(node)
            elif isinstance(node, exp.Insert):
                yield from self.inserted(node)

    def offset(self, identifier: exp.Expr) -> int:
        return self.lead + int(identifier.meta.get("start", 0))

    def table(self, node: exp.Table) -> ObjectName | None:
        """The table's name, None for a CTE or what is called as a function."""
        if not isinstance(node.this, exp.Identifier):
            return None
        if not node.db and node.name.lower() in self.ctes:
            return None
        return object_name([node.db, node.name] if node.db else [node.name], self.schema)

    def inserted(self, node: exp.Insert) -> Iterator[Use]:
        target = node.this
        if not isinstance(target, exp.Schema) or not isinstance(target.this, exp.Table):
            return
        table = self.table(target.this)
        for column in target.expressions:
            if table is not None and isinstance(column, exp.Identifier):
                yield self.used(column, (table,))

    def used(self, identifier: exp.Expr, of: tuple[ObjectName, ...]) -> Use:
        return Use(Kind.TABLE, of[0], self.offset(identifier), identifier.name, of)

    def column(self, node: exp.Column) -> Iterator[Use]:
        if node.args.get("db") or isinstance(node.parent, exp.Dot | exp.Kwarg | exp.PropertyEQ):
            return
        if node.arg_key == "field" and isinstance(node.parent, exp.In):
            return  # SQLite: a IN t, with a table behind it
        levels = [self.sources(each) for each in _ancestors(node) if isinstance(each, _LEVELS)]
        if node.table:
            found = next((level[node.table.lower()] for level in levels if node.table.lower() in level), None)
            if found is not None and node.table.lower() not in _PSEUDO_ROWS:
                yield self.used(node.this, (found,))
        elif not self.may_be_another(node, levels):
            every = tuple(dict.fromkeys(name for level in levels for name in level.values() if name))
            if every and all(name is not None for level in levels for name in level.values()):
                yield self.used(node.this, every)

    def may_be_another(self, node: exp.Column, levels: list[dict[str, ObjectName | None]]) -> bool:
        """Whether a name without a table may be something else than a column of one."""
        name = node.name.lower()
        if node.this.quoted and self.statement.engine is not Dialect.POSTGRESQL:
            return True
        if name in _WORDS or any(name in level for level in levels):
            return True
        selects = (each for each in _ancestors(node) if isinstance(each, exp.Select))
        return any(name == each.alias.lower() for select in selects for each in select.expressions)

    def sources(self, level: exp.Expr) -> dict[str, ObjectName | None]:
        """The tables of one level by the name under which they are known; None is what is not known."""
        found: dict[str, ObjectName | None] = {}
        for source in _sources(level):
            opaque = not isinstance(source, exp.Table) or source.alias_column_names
            name = None if opaque or not isinstance(source, exp.Table) else self.table(source)
            found[source.alias_or_name.lower() or f"?{len(found)}"] = name
        return found


def _ancestors(node: exp.Expr) -> Iterator[exp.Expr]:
    above = node.parent
    while above is not None:
        yield above
        above = above.parent


def _sources(level: exp.Expr) -> Iterator[exp.Expr]:
    """Where the rows of one level come from; what MERGE does WHEN it matches has those of the MERGE."""
    if isinstance(level.parent, exp.When):
        return
    if not isinstance(level, exp.Select):
        target = level.this
        yield target.this if isinstance(target, exp.Schema) else target
    from_ = level.args.get("from_") or level.args.get("from")
    heads = [from_.this] if from_ is not None else []
    using = level.args.get("using") or []
    heads += using if isinstance(using, list) else [using]
    joins = [join.this for join in level.args.get("joins") or []]
    for source in [*heads, *joins, *(level.args.get("laterals") or [])]:
        yield source
        yield from (join.this for join in source.args.get("joins") or [])
