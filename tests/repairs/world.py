"""A target whose rows are counted and compared from outside, by means that are not the product's."""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import psycopg

from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.plans import Plan, Request, make_plan
from integrity.references.catalog import Catalog
from integrity.references.reference import Resolution
from integrity.repairs import Options, RepairResult, RollbackResult, roll_back, run_repair
from integrity_project.targets import database_settings
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

Rows = dict[str, Counter[Any]]

POSTGRES_TABLES = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'integrity_journal')
AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1
"""
SQLITE_TABLES = """
SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'
AND name NOT LIKE 'integrity_journal%' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY 1
"""
STRUCTURE = """
SELECT 'trigger', g.tgrelid::regclass::text, g.tgname::text, g.tgenabled::text, pg_get_triggerdef(g.oid)
FROM pg_trigger g
WHERE NOT g.tgisinternal
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname::text, convalidated::text, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace <> 'pg_catalog'::regnamespace AND conrelid <> 0
AND conrelid::regclass::text NOT LIKE 'integrity_journal%'
ORDER BY 1, 2, 3
"""


@dataclass
class World:
    """A target in any state, and what a judge would do with it."""

    target: EmptyTarget
    lend: LendCatalog
    catalog: Catalog = field(default_factory=Catalog)

    @property
    def sqlite(self) -> bool:
        return self.target.vendor == SQLITE

    @property
    def schema(self) -> str:
        return "main" if self.sqlite else "public"

    def given(self, script: str, *references: str, text: str = "") -> "World":
        """Run a script, and let these references hold: ``child.x -> parent.id CASCADE [orphans]``."""
        self.target.execute_script(script)
        entries = [self._entry(each) for each in references]
        self.catalog = self.lend("\n".join([*entries, text])) if entries or text else Catalog()
        return self

    def _entry(self, written: str) -> str:
        sides, _, policy = written.partition("|")
        source, _, rest = sides.partition("->")
        to, _, action = rest.strip().partition(" ")
        if to.startswith('"'):
            cut = rest.strip().rindex('"') + 1
            cut = rest.strip().find(" ", cut) if " " in rest.strip()[cut:] else len(rest.strip())
            to, action = rest.strip()[:cut], rest.strip()[cut:]
        lines = [f"from = '{source.strip()}'", f"to = '{to.strip()}'"]
        lines += [f"on_delete = '{action.strip()}'"] if action.strip() else []
        lines += [f"orphans = '{policy.strip()}'"] if policy.strip() else []
        return "\n".join(["[[reference]]", *lines])

    def plan(self, *requests: Request, **options: Any) -> Plan:
        """Plan what is suggested, or what is asked for."""
        wanted = requests or (Request(suggested=True),)
        return make_plan(Target(self.target.alias), self.catalog, wanted, **options)

    def ask(self, resolution: str, reference: str | None = None, to: tuple[str, ...] | None = None) -> Plan:
        """Plan one resolution."""
        path = parse_path(reference) if reference else None
        return self.plan(Request(path, Resolution(resolution), to=to))

    def repair(self, plan: Plan | None = None, **options: Any) -> RepairResult:
        """Run a plan."""
        options = {"approved": True} | options
        return run_repair(
            Target(self.target.alias), plan or self.plan(), catalog=self.catalog, options=Options(**options)
        )

    def roll_back(self, run: int | None, **wishes: Any) -> RollbackResult:
        """Take a run back."""
        return roll_back(Target(self.target.alias), run or 0, catalog=self.catalog, **wishes)

    def value(self, sql: str) -> Any:
        """The first value that a query finds, seen from outside."""
        return self.target.rows(sql)[0][0]

    def rows(self) -> Rows:
        """Every row of every table as a multiset, with its rowid on SQLite, read from outside."""
        return _sqlite_rows(self.target.url) if self.sqlite else _postgres_rows(self.target.url)

    def structure(self) -> list[Any]:
        """Triggers, constraints and definitions as the database itself writes them."""
        if self.sqlite:
            where = "name NOT LIKE 'integrity%' AND tbl_name NOT LIKE 'integrity%'"
            return sorted(
                self.target.rows(f"SELECT type, name, sql FROM sqlite_master WHERE {where}"), key=str
            )
        return self.target.rows(STRUCTURE)


def _postgres_rows(url: str) -> Rows:
    with psycopg.connect(url, autocommit=True) as connection:
        found = {}
        for (table,) in connection.execute(POSTGRES_TABLES).fetchall():
            rows = connection.execute(
                f"SELECT whole_row::text FROM ONLY {table} AS whole_row".encode()
            ).fetchall()
            found[table] = Counter(row[0] for row in rows)
        return found


def _sqlite_rows(url: str) -> Rows:
    with closing(sqlite3.connect(database_settings(url)["NAME"])) as connection:
        connection.text_factory = bytes
        found = {}
        for name, sql in connection.execute(SQLITE_TABLES).fetchall():
            table, definition = name.decode(), sql.decode().upper().rstrip()
            columns = [row[1].decode() for row in connection.execute(f"PRAGMA table_xinfo({_quoted(table)})")]
            taken = {column.lower() for column in columns}
            hidden = next((each for each in ("rowid", "_rowid_", "oid") if each not in taken), None)
            listed = [] if hidden is None or "WITHOUT ROWID" in definition else [hidden]
            for column in columns:
                listed += [f"typeof({_quoted(column)})", _quoted(column)]
            rows = connection.execute(f"SELECT {', '.join(listed)} FROM {_quoted(table)}").fetchall()
            found[table] = Counter(rows)
        return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def tallies(rows: dict[Any, Any]) -> dict[str, tuple[int, int, int]]:
    """(deleted, updated, inserted) by table name, of those that were touched."""
    found = {name.name: (each.deleted, each.updated, each.inserted) for name, each in rows.items()}
    return {name: counts for name, counts in found.items() if any(counts)}


def there_and_back(world: World, plan: Plan | None = None, **wishes: Any) -> RepairResult:
    """Repair and roll back: the plan said what was done, and every row is what it was."""
    before, structure = world.rows(), world.structure()
    plan = plan or world.plan()
    result = world.repair(plan)
    assert result.state == "finished", result.error
    assert result.refusals == []
    assert tallies(result.rows) == tallies(plan.blast_radius())
    assert world.rows() != before
    back = world.roll_back(result.run, **wishes)
    assert back.refusals == []
    assert world.rows() == before
    assert world.structure() == structure
    assert back.proof.rows_equal
    assert back.proof.schema_equal
    assert all(table.table_equal for table in back.proof.tables.values()), back.proof.as_json()
    return result
