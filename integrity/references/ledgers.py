"""Tables in which other tools note the migrations that they ran: recognised by name and columns.

What each tool writes stands in its own documentation: Drizzle (``drizzle-orm/*/migrator``), Prisma Migrate
("_prisma_migrations"), Active Record, Flyway ("Schema history table"), Liquibase ("DATABASECHANGELOG"),
Alembic ("alembic_version"), golang-migrate, goose, Knex, TypeORM, Sequelize and the others by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import DatabaseError

from integrity.database.identifiers import TableName, quote, quote_table
from integrity.database.schema import LEDGER, Schema, Table
from integrity.database.session import Session
from integrity.exceptions import CatalogError, ReferentialIntegrityError
from integrity.references.catalog import Catalog


class LedgerKind(StrEnum):
    """How a ledger is read: a script's number and name, Drizzle's hash, or not at all."""

    NUMBERED = "numbered"
    DRIZZLE = "drizzle"
    NAMED = "named"


@dataclass(frozen=True)
class Ledger:
    """A table in which another tool notes what it ran.

    ``tool`` is what it is known as. Only a numbered ledger and Drizzle's can be compared and adopted; others
    are known by name and left alone. ``ours`` says that the catalog's ``[ledger]`` names it.
    """

    kind: LedgerKind
    tool: str
    table: TableName
    ours: bool = False

    @property
    def readable(self) -> bool:
        """Whether its entries can be held against scripts."""
        return self.kind is not LedgerKind.NAMED


@dataclass(frozen=True)
class LedgerEntry:
    """One line of a ledger: ``key`` is its number or hash, ``at`` when it says that it was run, as text."""

    key: str
    name: str = ""
    at: str = ""

    def __str__(self) -> str:
        return f"{self.key} {self.name}".strip() if self.name else self.key[:12]


_NUMBERED = {"migration_id", "name"}
_DRIZZLE = {"hash", "created_at"}
_MOMENTS = ("executed_at", "applied_at", "created_at")

_KNOWN: tuple[tuple[str, frozenset[str], str], ...] = tuple(
    (table, frozenset(columns.split()), tool)
    for table, columns, tool in (
        ("_prisma_migrations", "migration_name", "Prisma"),
        ("ar_internal_metadata", "key value", "Rails"),
        ("schema_migrations", "version dirty", "golang-migrate"),
        ("schema_migrations", "version inserted_at", "Ecto"),
        ("schema_migrations", "version statements", "Supabase"),
        ("schema_migrations", "version", "Rails"),
        ("flyway_schema_history", "installed_rank", "Flyway"),
        ("schema_version", "installed_rank", "Flyway"),
        ("alembic_version", "version_num", "Alembic"),
        ("databasechangelog", "md5sum", "Liquibase"),
        ("databasechangeloglock", "locked", "Liquibase"),
        ("knex_migrations", "name batch", "Knex"),
        ("knex_migrations_lock", "is_locked", "Knex"),
        ("migrations", "migration batch", "Laravel"),
        ("migrations", "timestamp name", "TypeORM"),
        ("migrations", "name run_on", "db-migrate"),
        ("typeorm_migrations", "timestamp name", "TypeORM"),
        ("sequelizemeta", "name", "Sequelize"),
        ("goose_db_version", "version_id", "goose"),
        ("mikro_orm_migrations", "name", "MikroORM"),
        ("kysely_migration", "name", "Kysely"),
        ("kysely_migration_lock", "is_locked", "Kysely"),
        ("pgmigrations", "name", "node-pg-migrate"),
        ("__efmigrationshistory", "migrationid", "Entity Framework"),
        ("phinxlog", "migration_name", "Phinx"),
        ("doctrine_migration_versions", "version", "Doctrine"),
        ("migration_versions", "version", "Doctrine"),
        ("__diesel_schema_migrations", "version", "Diesel"),
        ("_sqlx_migrations", "checksum", "SQLx"),
        ("refinery_schema_history", "checksum", "Refinery"),
        ("atlas_schema_revisions", "version", "Atlas"),
        ("gorp_migrations", "id applied_at", "sql-migrate"),
        ("changes", "change_id script_hash", "Sqitch"),
        (LEDGER, "app name applied", "Django"),
    )
)


def ledgers_in(schema: Schema, catalog: Catalog | None = None) -> tuple[Ledger, ...]:
    """Returns every table in which a tool notes migrations, Django's own among them, in order.

    Args:
        schema: the target's structure.
        catalog: its catalog, whose ``[ledger]`` may name another table.

    Raises:
        CatalogError: when that table has other columns than any ledger that can be read.
    """
    named = _named(schema, catalog)
    found = (named if named and named.table == each.name else _known(each) for each in schema)
    return tuple(sorted((each for each in found if each), key=lambda each: each.table))


def foreign_ledgers(schema: Schema, catalog: Catalog | None = None) -> tuple[Ledger, ...]:
    """Returns the ledgers of other tools than Django.

    Raises:
        CatalogError: see :func:`ledgers_in`.
    """
    return tuple(each for each in ledgers_in(schema, catalog) if each.table.name != LEDGER)


def own_ledger(schema: Schema, catalog: Catalog) -> Ledger | None:
    """Returns the ledger that the catalog names, None where it names none or its table is not there.

    Raises:
        CatalogError: when that table has other columns than any ledger that can be read.
    """
    return _named(schema, catalog)


def _named(schema: Schema, catalog: Catalog | None) -> Ledger | None:
    if catalog is None or catalog.ledger is None:
        return None
    path = catalog.ledger.table
    wanted = [
        each for each in schema if each.name.name == path.table and path.schema in (None, each.name.schema)
    ]
    home = [each for each in wanted if each.name.schema == schema.default_schema]
    table = next(iter(home or wanted), None)
    if table is None:
        return None
    kind = kind_of(table)
    if kind is None:
        raise CatalogError(
            f"{table.name} is no ledger that can be read: it has {', '.join(table.column_names)}",
            where=f"{catalog.file}, [ledger]",
            hint="One with migration_id, name and executed_at can be, and Drizzle's.",
        )
    return Ledger(kind, _TOOLS[kind], table.name, ours=True)


def tool_of(kind: LedgerKind) -> str:
    """Returns what a ledger that can be read is known as."""
    return _TOOLS[kind]


_TOOLS = {LedgerKind.NUMBERED: "numbered scripts", LedgerKind.DRIZZLE: "Drizzle"}


def kind_of(table: Table) -> LedgerKind | None:
    """Returns how a table is read as a ledger, None where it cannot be."""
    columns = set(table.column_names)
    if columns >= _NUMBERED:
        return LedgerKind.NUMBERED
    return LedgerKind.DRIZZLE if columns >= _DRIZZLE else None


def _known(table: Table) -> Ledger | None:
    name, columns = table.name.name.lower(), {each.lower() for each in table.column_names}
    kind = kind_of(table)
    if name == "__drizzle_migrations" and kind is LedgerKind.DRIZZLE:
        return Ledger(kind, _TOOLS[kind], table.name)
    if name == "schema_migrations" and kind is LedgerKind.NUMBERED:
        return Ledger(kind, _TOOLS[kind], table.name)
    tools = (tool for known, needed, tool in _KNOWN if known == name and needed <= columns)
    tool = next(tools, None)
    return Ledger(LedgerKind.NAMED, tool, table.name) if tool else None


def entries_of(session: Session, ledger: Ledger) -> list[LedgerEntry]:
    """Returns the entries of a ledger that can be read, in their order.

    Raises:
        ReferentialIntegrityError: when they cannot be read.
    """
    return list(_entries(session, ledger))


def _entries(session: Session, ledger: Ledger) -> Iterator[LedgerEntry]:
    table = session.schema().table(ledger.table)
    if ledger.kind is LedgerKind.DRIZZLE:
        sql = f"SELECT hash, created_at FROM {quote_table(ledger.table)} ORDER BY created_at, hash"
        yield from (LedgerEntry(str(key), at=_text(at)) for key, at in session.rows(sql))
        return
    at = next(
        (each for each in ("executed_at", "applied_at", "created_at") if table.has_columns((each,))), ""
    )
    moment = quote(at) if at else "NULL"
    sql = f"SELECT migration_id, name, {moment} FROM {quote_table(ledger.table)} ORDER BY migration_id"
    yield from (LedgerEntry(_text(key), _text(name), _text(at)) for key, name, at in session.rows(sql))


def _text(value: object) -> str:
    return "" if value is None else str(value)


@dataclass(frozen=True)
class LedgerSummary:
    """A ledger and how much is in it; ``entries`` is None where that cannot be read."""

    ledger: Ledger
    entries: int | None

    def as_json(self) -> dict[str, Any]:
        """Returns it as plain values."""
        return {
            "tool": self.ledger.tool,
            "table": str(self.ledger.table),
            "kind": str(self.ledger.kind),
            "named_by_catalog": self.ledger.ours,
            "entries": self.entries,
        }


def summarised(session: Session, catalog: Catalog | None = None) -> list[LedgerSummary]:
    """Returns the ledgers of other tools in a target, each with its number of entries.

    Raises:
        CatalogError: see :func:`ledgers_in`.
    """
    return [
        LedgerSummary(each, _counted(session, each)) for each in foreign_ledgers(session.schema(), catalog)
    ]


def _counted(session: Session, ledger: Ledger) -> int | None:
    try:
        with session.look():
            return int(session.value(f"SELECT count(*) FROM {quote_table(ledger.table)}"))
    except (ReferentialIntegrityError, DatabaseError):
        return None
