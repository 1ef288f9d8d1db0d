"""Which functions and triggers of a PostgreSQL database refer to what is gone: the server is asked.

It keeps whole what views use, but not what a body uses that is kept as text. A body in SQL is looked
through by the language's own validator (manual, CREATE LANGUAGE), which analyses every statement. PL/pgSQL's
validator reads no statement, so each is explained instead, within the reading: nothing is run. What cannot be
understood is not checked, and never called broken; neither is what a caller may provide: a name that another
schema has, a table that some body makes itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from django.db import DatabaseError

from integrity.database import clauses
from integrity.database.identifiers import TableName
from integrity.database.postgresql import errors
from integrity.database.postgresql.bodies import Body, Query, created_tables, read_body
from integrity.database.routines import Examined, Fault, Missing, Routine, RoutineKind, Unread
from integrity.database.session import Session

ARGUMENTS = """
SELECT p.oid, coalesce(p.proargnames, '{}')::text[],
       ARRAY(SELECT format_type(u.type, NULL)
             FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY u(type, place)
             ORDER BY u.place),
       p.prorettype = 'trigger'::regtype, to_jsonb(p) ->> 'prosqlbody' IS NOT NULL
FROM pg_proc p WHERE p.oid = ANY(%s::oid[])
"""
TRANSITION_TABLES = """
SELECT name FROM pg_trigger, unnest(ARRAY[tgoldtable, tgnewtable]) name WHERE name IS NOT NULL
"""
ELSEWHERE = {
    Missing.TABLE: "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relname = %s)",
    Missing.FUNCTION: "SELECT EXISTS (SELECT 1 FROM pg_proc WHERE proname = %s)",
    Missing.TYPE: "SELECT EXISTS (SELECT 1 FROM pg_type WHERE typname = %s)",
}

_SAYS = (
    ("42P01", Missing.TABLE, re.compile(r'relation "(.+)" does not exist')),
    ("3F000", Missing.TABLE, re.compile(r'schema "(.+)" does not exist')),
    ("42703", Missing.COLUMN, re.compile(r'column "(?P<what>.+)" of relation "(?P<of>.+)" does not exist')),
    ("42703", Missing.COLUMN, re.compile(r'column "(?P<what>.+)" not found in data type (?P<of>.+)')),
    ("42703", Missing.COLUMN, re.compile(r'column "?(.+?)"? does not exist')),
    ("42883", Missing.FUNCTION, re.compile(r"(?:function|procedure) (.+?)\(.*\) does not exist")),
    ("42704", Missing.TYPE, re.compile(r'type "(.+)" does not exist')),
)
_GUARDS = re.compile(
    r"\b(to_regclass|to_regproc|to_regprocedure|information_schema|pg_class|pg_tables|pg_proc|pg_catalog\.pg_\w+"
    r"|undefined_table|undefined_column|undefined_function|when\s+others)\b",
    re.IGNORECASE,
)
_BY_TABLE = re.compile(r"\btg_(table_name|table_schema|relname|relid|argv|name)\b", re.IGNORECASE)
_SPECIAL = {
    "tg_op": "text", "tg_name": "text", "tg_when": "text", "tg_level": "text", "tg_table_name": "text",
    "tg_table_schema": "text", "tg_relname": "text", "tg_relid": "oid", "tg_nargs": "integer",
    "tg_argv": "text[]", "found": "boolean", "sqlerrm": "text", "sqlstate": "text",
}  # fmt: skip
_NO_TYPE = ("any", "record", "trigger", "event_trigger", "cstring", '"any"')
_SETTINGS = (
    "SET LOCAL check_function_bodies = on",
    "SET LOCAL row_security = on",
    "SET LOCAL lc_messages = 'C'",
)


def examine(session: Session, known: Sequence[Routine], chosen: Sequence[Routine]) -> Examined:
    """Returns what is wrong with some of the routines.

    Args:
        session: an open reading.
        known: all routines, for the triggers that call a function and the tables that bodies make.
        chosen: those to look into.
    """
    found = _Examination(session, known)
    session.execute("SAVEPOINT integrity_routines")
    try:
        found.settle()
        for routine in chosen:
            found.examine(routine)
    finally:
        session.execute("ROLLBACK TO SAVEPOINT integrity_routines")
        session.execute("RELEASE SAVEPOINT integrity_routines")
    return found.result


@dataclass(frozen=True)
class _Complaint:
    """What the server says against a query; ``missing`` is None where that is not about what is gone."""

    said: str
    missing: Missing | None = None
    what: str = ""
    of: str = ""

    @property
    def is_called(self) -> bool:
        """Whether there is the procedure that was asked for as a function."""
        return self.missing is None and self.said.endswith(" is a procedure")


@dataclass
class _Examination:
    session: Session
    known: Sequence[Routine]
    result: Examined = field(default_factory=Examined)
    path: str = ""
    usual: str = ""
    asked: dict[tuple[str, str], _Complaint | None] = field(default_factory=dict)

    @cached_property
    def callers(self) -> dict[str, list[Routine]]:
        """The triggers by the function that they call."""
        found: dict[str, list[Routine]] = defaultdict(list)
        for each in self.known:
            if each.calls:
                found[each.calls].append(each)
        return found

    @cached_property
    def provided(self) -> set[str]:
        """Names that somebody may provide in time: tables that bodies make, and transition tables."""
        found = {name for each in self.known for name in created_tables(each.body)}
        return found | {name.lower() for (name,) in self.session.rows(TRANSITION_TABLES)}

    @cached_property
    def arguments(self) -> dict[int, tuple[list[str], list[str], bool, bool]]:
        """Names and types of a function's arguments, whether it is for triggers, whether the server knows
        what it uses."""
        oids = [each.oid for each in self.known if each.kind is RoutineKind.FUNCTION]
        return {row[0]: row[1:] for row in self.session.rows(ARGUMENTS, [oids])}

    def settle(self) -> None:
        """Bodies are looked through, in words that can be read again."""
        self.usual = self.path = str(self.session.value("SHOW search_path"))
        _ = self.provided, self.arguments
        self.session.execute("SAVEPOINT integrity_asked")
        for setting in _SETTINGS:
            self._asked(setting)
            self.session.execute("SAVEPOINT integrity_asked")

    def follow(self, path: str) -> None:
        """Looks for names where a function does."""
        if path != self.path:
            self.session.execute("ROLLBACK TO SAVEPOINT integrity_asked")
            self.session.rows("SELECT set_config('search_path', %s, true)", [path])
            self.session.execute("SAVEPOINT integrity_asked")
            self.path = path

    def examine(self, routine: Routine) -> None:
        """Looks into one routine; a trigger is what its function does on its table."""
        if routine.kind is RoutineKind.VIEW:
            self.result.checked += 1
            if not routine.populated:
                said = "it was never filled: reading it is an error"
                self.result.faults.append(Fault(routine, Missing.ROWS, routine.label, said))
        elif routine.kind is RoutineKind.FUNCTION:
            self.follow(routine.path or self.usual)
            self._function(routine)

    def _function(self, routine: Routine) -> None:
        for_triggers, tracked = self.arguments[routine.oid][2:]
        if tracked:
            self.result.checked += 1
        elif routine.language == "sql":
            self._validate(routine)
        elif routine.language != "plpgsql":
            self._unread(routine, f"it is written in {routine.language}")
        elif for_triggers and not self.callers[routine.label]:
            self._unread(routine, "it is for triggers, and none calls it")
        else:
            self._read(routine)

    def _validate(self, routine: Routine) -> None:
        said = self._asked(f"SELECT pg_catalog.fmgr_sql_validator({int(routine.oid)}::oid)")
        self._judge(routine, routine, [(said, 0)] if said else [])

    def _read(self, routine: Routine) -> None:
        """Once for each table whose triggers call it: NEW and OLD are another row for each."""
        tables = {each.table: each for each in self.callers[routine.label] if each.table}
        plain = self._body(routine, None)
        shared = {each.sql for each in plain.queries}
        for table in tables:
            body = self._body(routine, table)
            shared &= {each.sql for each in body.queries}
        found = [each for each in plain.queries if not tables or each.sql in shared]
        if reasons := _not_looked_at(plain):
            self._unread(routine, reasons)
        self._judge(routine, routine, self._complaints(found), plain.variables)
        for table, trigger in tables.items():
            self._on_table(routine, trigger, self._body(routine, table), shared)

    def _on_table(self, function: Routine, trigger: Routine, body: Body, shared: set[str]) -> None:
        own = [each for each in body.queries if each.sql not in shared]
        assert trigger.table is not None
        row = f"(NULL::{clauses.table(trigger.table)})"
        own += [Query(f"SELECT {row}.{clauses.name(name)}", line) for name, line in body.assigned.items()]
        found = self._complaints(own)
        if found and _BY_TABLE.search(function.body):
            self._unread(trigger, "its function does something else for each table")
            return
        self._judge(trigger, function, found, body.variables)

    def _body(self, routine: Routine, table: TableName | None) -> Body:
        names, types = self.arguments[routine.oid][:2]
        known = dict(_SPECIAL)
        for place, kind in enumerate(types, start=1):
            known[f"${place}"] = "" if kind.startswith(_NO_TYPE) else kind
            if place <= len(names) and names[place - 1]:
                known[names[place - 1]] = known[f"${place}"]
        row = clauses.table(table) if table else ""
        return read_body(routine.body, known | {"new": row, "old": row})

    def _complaints(self, queries: Sequence[Query]) -> list[tuple[_Complaint, int]]:
        asked = ((self._asked(_explained(each.sql)), each) for each in queries)
        return [(said, each.line) for said, each in asked if said and not (each.calls and said.is_called)]

    def _judge(
        self,
        routine: Routine,
        function: Routine,
        complaints: Sequence[tuple[_Complaint, int]],
        names: Collection[str] = (),
    ) -> None:
        faults, reasons = [], []
        for said, line in complaints:
            if reason := self._excuse(said, function, names):
                reasons.append(reason)
            elif said.missing is not None:
                faults.append(self._fault(routine, function, said, line))
        seen = {_sameness(each) for each in self.result.faults}
        once = {_sameness(each): each for each in reversed(faults)}
        self.result.faults += [each for key, each in reversed(once.items()) if key not in seen]
        if reasons and not faults:
            self._unread(routine, reasons[0])
        else:
            self.result.checked += 1

    def _fault(self, routine: Routine, function: Routine, said: _Complaint, line: int) -> Fault:
        """Only a column may be missing on one table and not on another."""
        assert said.missing is not None
        whose = routine if said.missing is Missing.COLUMN else function
        callers = tuple(self.callers[function.label]) if whose is function else ()
        return Fault(whose, said.missing, said.what, said.said, said.of, line, callers)

    def _excuse(self, said: _Complaint, function: Routine, names: Collection[str]) -> str:
        """Why a complaint does not say that the routine is broken, empty where it does."""
        if said.missing is None:
            return said.said
        if function.language == "plpgsql" and _GUARDS.search(function.body):
            return f"{said.said}, which it may be prepared for"
        name = said.what.rpartition(".")[2]
        if said.missing is Missing.TABLE and name.lower() in self.provided:
            return f"{said.what} is made when it is needed"
        if said.missing is Missing.COLUMN:
            return f"{said.said}, as far as it could be read" if said.what.lower() in names else ""
        if said.missing is Missing.FUNCTION and not _calls(function.body, name):
            return f"{said.said}, as far as it could be read"
        if said.missing is Missing.FUNCTION and self._is_elsewhere(said.missing, name):
            return f"{said.said}, but there is another of that name"
        if "." not in said.what and self._is_elsewhere(said.missing, name):
            return f"{said.said}, unless its caller sets a search_path"
        return ""

    def _is_elsewhere(self, missing: Missing, name: str) -> bool:
        return bool(self.session.value(ELSEWHERE[missing], [name.strip('"')]))

    def _unread(self, routine: Routine, reason: str) -> None:
        if not any(each.routine is routine for each in self.result.unread):
            self.result.unread.append(Unread(routine, reason))

    def _asked(self, sql: str) -> _Complaint | None:
        """What the server says against a statement, which leaves the reading as it was; asked once."""
        if (self.path, sql) not in self.asked:
            self.asked[self.path, sql] = self._ask(sql)
        return self.asked[self.path, sql]

    def _ask(self, sql: str) -> _Complaint | None:
        """By the extended protocol, which takes one statement and no second: a body is not ours."""
        from psycopg import Cursor  # noqa: PLC0415 - a site without PostgreSQL has no psycopg

        connection = self.session.connection
        try:
            with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
                cursor.execute(sql, binary=True, prepare=False)
        except DatabaseError as error:
            self.session.execute("ROLLBACK TO SAVEPOINT integrity_asked")
            return _complaint(error)
        return None


def _not_looked_at(body: Body) -> str:
    """Why a body was not read wholly, empty where it was."""
    reasons = ["it runs SQL that it composes"] if body.dynamic else []
    if body.skipped:
        reasons.append(f"{', '.join(body.skipped)}: such statements are not looked into")
    return "; ".join(reasons)


def _calls(body: str, name: str) -> bool:
    bare = re.escape(name.strip('"'))
    return re.search(rf'(?:\b|"){bare}"?\s*\(', body, re.IGNORECASE) is not None


def _sameness(fault: Fault) -> tuple[object, ...]:
    return fault.routine.kind, fault.routine.label, fault.missing, fault.what, fault.of


def _explained(sql: str) -> str:
    return f"EXPLAIN (COSTS OFF) {sql}"


def _complaint(error: DatabaseError) -> _Complaint:
    code = errors.sqlstate(error)
    fields = getattr(error.__cause__, "diag", None)
    said = str(getattr(fields, "message_primary", None) or error).strip().splitlines()[0]
    for wanted, missing, pattern in _SAYS:
        if code == wanted and (match := pattern.fullmatch(said)):
            named = match.groupdict()
            what, of = named.get("what") or match[1], named.get("of") or ""
            if missing is Missing.COLUMN and not of:
                of, _, what = what.rpartition(".")
            return _Complaint(said, missing, what.strip('"'), of)
    return _Complaint(said)
