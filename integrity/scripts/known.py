"""What is known of the objects that scripts use: defined by any of them, by a source's ORM, or live."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property

from integrity.database.schema import Schema
from integrity.scripts.authority import live_name
from integrity.scripts.builtin_functions import is_builtin, unknown_extension
from integrity.scripts.checks.base import ScriptInspection
from integrity.scripts.cursor import ObjectName, object_name
from integrity.scripts.definitions import Alter, Alteration, Definition, Kind, Removal
from integrity.scripts.statement import Dialect
from integrity.scripts.survey import Placed, Step

_SYSTEM_SCHEMAS = ("pg_catalog", "information_schema", "pg_temp", "temp", "sqlite_temp")
_SYSTEM = re.compile(r"^(?:pg_|sqlite_|json_each$|json_tree$|dual$)")
_ORM = re.compile(
    r"""(?:\b(?:pgTable|sqliteTable|mysqlTable|pgView|sqliteView|createTable|create_table|Table)\(\s*
         |\b(?:__tablename__|db_table|tableName)\s*[=:]\s*)["'`]([A-Za-z_][\w.]*)["'`]""",
    re.VERBOSE,
)
_TRANSITION = re.compile(r"\b(?:NEW|OLD)\s+TABLE\s+(?:AS\s+)?(\w+)", re.IGNORECASE)
ROW_NAMES = frozenset({"rowid", "_rowid_", "oid", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})

_MANY, _ASKED = 100, 300
"""To find the nearest of many names takes long: more are not compared, nor for more that are missing."""


@dataclass(frozen=True)
class KnownTable:
    """The columns of a table or view, as far as they are known: all of them where it is ``closed``."""

    columns: frozenset[str] = frozenset()
    closed: bool = False

    def lacks(self, column: str) -> bool:
        """Whether it is known to have no such column."""
        return self.closed and column.lower() not in self.columns and column.lower() not in ROW_NAMES


OPEN = KnownTable()


_Made = dict[ObjectName, list[tuple[Step, Definition]]]
_MADE = (Kind.TABLE, Kind.VIEW, Kind.SEQUENCE)


@dataclass
class Known:
    """Answers what an inspection knows of an object."""

    inspection: ScriptInspection
    made: _Made = field(default_factory=lambda: defaultdict(list))
    altered: dict[ObjectName, list[tuple[Step, Alteration]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    elsewhere: set[str] = field(default_factory=set)
    live: dict[ObjectName, KnownTable] = field(default_factory=dict)
    names: dict[tuple[Kind, str], set[ObjectName]] = field(default_factory=lambda: defaultdict(set))

    asked: set[tuple[Kind, str]] = field(default_factory=set)
    _tables: dict[tuple[ObjectName, int, int], KnownTable | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for placed in self.inspection.survey.placed:
            self._note(placed)
        for script in self.inspection.survey.scripts:
            if script.is_source:
                self.elsewhere |= {name.rpartition(".")[2].lower() for name in _ORM.findall(script.text)}
        if self.inspection.live is not None:
            self.live = _live(self.inspection.live.schema)
            for name in self.live:
                self.names[Kind.TABLE, name.name].add(name)

    def _note(self, placed: Placed) -> None:
        step, event = placed.step, placed.event
        if isinstance(event, Definition):
            self._make(step, event)
        elif isinstance(event, Alteration) and event.kind in _MADE:
            self.altered[event.name].append((step, event))
            if event.action is Alter.RENAME and event.new_name:
                name = object_name(event.new_name.split("."), event.name.schema)
                for made, definition in list(self.made[event.name]):
                    until = step if made.before(step) else None
                    grown = self.inspection.survey.grown(made, definition, until)
                    self._make(step, replace(grown, name=name))

    def _make(self, step: Step, definition: Definition) -> None:
        kind = Kind.TABLE if definition.kind in _MADE else definition.kind
        self.names[kind, definition.name.name].add(definition.name)
        if kind is Kind.TABLE:
            self.made[definition.name].append((step, definition))

    @property
    def defines_tables(self) -> bool:
        """Whether anything is known of tables at all: of nothing, nothing is missing."""
        return bool(self.live) or any(
            definition.kind is Kind.TABLE and not definition.temporary
            for found in self.made.values()
            for _, definition in found
        )

    def table(self, name: ObjectName, step: Step) -> KnownTable | None:
        """Returns a table or view as a step may use it, None where nothing defines one."""
        key = name, step.script, step.number
        if key not in self._tables:
            self._tables[key] = self._table(name, step)
        return self._tables[key]

    def _table(self, name: ObjectName, step: Step) -> KnownTable | None:
        if is_system(name) or name.name in self.elsewhere:
            return OPEN
        names = {name} if name.schema else self.names.get((Kind.TABLE, name.name), set())
        found = [self._columns(step, *each) for meant in names for each in self._made(meant, step)]
        found += [self.live[meant] for meant in names if meant in self.live]
        if not found:
            return None
        columns = frozenset(column for each in found for column in each.columns)
        return KnownTable(columns, all(each.closed for each in found))

    def _made(self, name: ObjectName, step: Step) -> list[tuple[Step, Definition]]:
        engine = step.statement.engine
        found = self.made.get(name, ())
        return [each for each in found if engine is Dialect.SHARED or engine in each[1].engines]

    def _columns(self, step: Step, made: Step, definition: Definition) -> KnownTable:
        if definition.kind is not Kind.TABLE:
            return OPEN
        ordered = made.before(step)
        grown = self.inspection.survey.grown(made, definition, step) if ordered else definition
        names = {column.name.lower() for column in grown.columns}
        opened = False
        for when, change in self.altered.get(definition.name, ()):
            opened |= change.action is Alter.OPEN
            if ordered and when.before(step):
                continue
            names |= {change.column.name.lower()} if change.column else set()
            names |= {change.new_name.lower()} if change.action is Alter.RENAME_COLUMN else set()
        return KnownTable(frozenset(names), not (definition.open or opened or grown.open))

    def gone(self, kind: Kind, name: ObjectName, step: Step) -> Removal | None:
        """Returns what dropped an object before a step, where nothing makes it again."""
        events = self.inspection.survey.by_name.get((kind, name), [])
        makes = [each.step for each in events if isinstance(each.event, Definition)]
        makes += [made for made, _ in self.made.get(name, ())]
        for placed in reversed(events):
            event = placed.event
            if isinstance(event, Removal) and event.table is None and placed.step.before(step):
                again = any(not made.before(placed.step) for made in makes)
                return None if event.conditional or again else event
        return None

    def has(self, kind: Kind, name: ObjectName) -> bool:
        """Whether a script defines an object of a kind, in any schema where none is written."""
        found = self.names.get((kind, name.name), set())
        return name in found or (bool(found) and not name.schema)

    def has_named(self, kind: Kind, name: ObjectName) -> bool:
        """Whether an index or trigger of that name is known, whatever its schema."""
        return is_system(name) or bool(self.names.get((kind, name.name))) or name.name in self._live_names

    def names_like(self, kind: Kind, name: str) -> list[str]:
        """Names of a kind that may be meant by a mistyped one: of many, few, and for the first ones asked."""
        names = self._names_of[kind]
        if len(names) <= _MANY:
            return names
        self.asked.add((kind, name))
        if len(self.asked) > _ASKED:
            return []
        like = (each for each in names if abs(len(each) - len(name)) < 3 and _ends_like(each, name))
        return sorted(like, key=lambda each: -_begin_alike(each, name))[:_MANY]

    @cached_property
    def _names_of(self) -> dict[Kind, list[str]]:
        found: dict[Kind, list[str]] = defaultdict(list)
        for kind, name in sorted(self.names):
            found[kind].append(name)
        return found

    def elsewhere_owned(self, name: ObjectName) -> bool:
        """Whether a name is of a schema in which no script makes anything: another's (``auth.users``)."""
        return bool(name.schema) and not self.live and name.schema not in self._own_schemas

    def body_of(self, function: ObjectName) -> str:
        """The body of the only definition of a function, empty where there is none, or several."""
        bodies = {
            definition.body
            for _, definition in self.inspection.survey.definitions(Kind.FUNCTION)
            if definition.name.name == function.name
        }
        return bodies.pop() if len(bodies) == 1 else ""

    @cached_property
    def transition_tables(self) -> frozenset[str]:
        """What triggers call the rows that a statement touched: ``REFERENCING NEW TABLE AS …``."""
        texts = (step.statement.text for step, _ in self.inspection.survey.definitions(Kind.TRIGGER))
        return frozenset(name.lower() for text in texts for name in _TRANSITION.findall(text))

    @cached_property
    def _own_schemas(self) -> frozenset[str]:
        return frozenset(name.schema for name in self.made)

    @cached_property
    def _live_names(self) -> frozenset[str]:
        live = self.inspection.live
        if live is None:
            return frozenset()
        indexes = {index.name.lower() for table in live.schema for index in table.indexes}
        return frozenset(indexes | {each.name.lower() for table in live.schema for each in table.triggers})

    def function(self, name: ObjectName) -> bool:
        """Whether a function can be called, or nothing can be said of it: that of another schema."""
        live = self.inspection.live
        known = live is not None and live.functions is not None and name.name in live.functions
        built_in = bool(name.schema) or is_system(name) or is_builtin(name.name)
        return known or built_in or self.has(Kind.FUNCTION, name) or self._has_unknown_extensions

    @cached_property
    def _has_unknown_extensions(self) -> bool:
        return any(unknown_extension(step.statement.text) for step in self.inspection.survey.steps)


def _live(schema: Schema) -> dict[ObjectName, KnownTable]:
    found = {}
    for table in [*schema, *schema.closed.values()]:
        names = frozenset(name.lower() for name in table.column_names)
        found[live_name(table.name)] = KnownTable(names, bool(names))
    return found


def _ends_like(name: str, other: str) -> bool:
    return name[:1] == other[:1] or name[-2:] == other[-2:]


def _begin_alike(name: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(name, other, strict=False))
    return next((at for at, (one, two) in pairs if one != two), min(len(name), len(other)))


def is_system(name: ObjectName) -> bool:
    """Whether it is an engine's own table, or a name that is not known."""
    unknown = "ǂ" in name.name or "$" in name.name or not name.name
    return unknown or name.schema in _SYSTEM_SCHEMAS or _SYSTEM.match(name.name) is not None
