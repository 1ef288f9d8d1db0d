"""Small targets with a catalog of their own, in a folder of the test's."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integrity.database.schema import Schema, Table
from integrity.database.session import Target
from integrity.operations.operation import CatalogOperation
from integrity.operations.runner import MigrateResult, run_migrations
from integrity.operations.writer import quoted
from integrity_project.postgres import PostgresServer
from tests.servers import EmptyTarget, MakePostgresDatabase, RegisterTarget

SHOP = """
CREATE TABLE customers (id integer PRIMARY KEY, email varchar(60), code integer);
CREATE TABLE orders (
    id integer PRIMARY KEY, customer_id integer, status varchar(20), total integer NOT NULL DEFAULT 0);
INSERT INTO customers VALUES (1, 'a@example.org', 1), (2, 'b@example.org', 2);
INSERT INTO orders (id, customer_id) VALUES (1, 1), (2, 2), (3, NULL);
"""
ORPHANS = "INSERT INTO orders (id, customer_id) VALUES (10, 90), (11, 91);"

KEY: dict[str, Any] = {
    "table": "orders",
    "columns": ("customer_id",),
    "to": "customers",
    "to_columns": ("id",),
    "name": "fk_orders_customer",
    "on_delete": "SET NULL",
}


@dataclass
class Shop:
    """A target with orders and customers, and the means to give it migrations."""

    target: EmptyTarget
    root: Path

    @property
    def alias(self) -> str:
        return self.target.alias

    @property
    def sqlite(self) -> bool:
        return self.target.vendor == "sqlite"

    def migration(self, name: str, *operations: CatalogOperation, phase: int = 1, body: str = "") -> None:
        """Write a migration file with these operations, after those that are there."""
        folder = self.root / self.alias / "migrations"
        folder.mkdir(parents=True, exist_ok=True)
        before = sorted(path.stem for path in folder.glob("0*.py"))
        needs = [(f"catalog_{self.alias}", before[-1])] if before else []
        lines = "".join(
            f"        {type(each).__name__}("
            + ", ".join(f"{key}={quoted(value)}" for key, value in each.arguments().items())
            + "),\n"
            for each in operations
        )
        (folder / f"{name}.py").write_text(
            "from django.db.migrations import RunSQL\nfrom integrity.operations import *\n\n"
            f"class Migration(CatalogMigration):\n    target = {self.alias!r}\n    phase = {phase}\n"
            f"    dependencies = {needs!r}\n{body}    operations = [\n{lines}    ]\n"
        )

    def run(self, **options: Any) -> MigrateResult:
        """Apply or reverse the migrations."""
        return run_migrations(Target(self.alias), **options)

    def apply(self, *operations: CatalogOperation, **options: Any) -> MigrateResult:
        """Write one more migration and apply it."""
        number = len(list((self.root / self.alias).glob("migrations/0*.py"))) + 1
        self.migration(f"{number:04d}_step", *operations)
        return self.run(**options)

    def schema(self) -> Schema:
        """Read the structure as it is."""
        with Target(self.alias).reading() as session:
            return session.schema()

    def table(self, name: str) -> Table:
        """Read one table."""
        schema = self.schema()
        return schema.table(schema.resolve(name))

    def fingerprint(self) -> str:
        """Digest the structure without Django's ledger."""
        return self.schema().fingerprint()

    def execute(self, sql: str) -> None:
        """Run statements as the application would."""
        self.target.execute_script(sql)

    def value(self, sql: str) -> Any:
        """Return the first value that a query finds."""
        return self.target.rows(sql)[0][0]


@pytest.fixture
def catalog_root(tmp_path: Path, settings: Any) -> Path:
    """A folder for catalogs."""
    root = tmp_path / "catalogs"
    settings.INTEGRITY = {"CATALOG_ROOT": root, "LOCK_TIMEOUT_MS": 300, "LOCK_ATTEMPTS": 2}
    return root


@pytest.fixture
def empty_shop(empty_target: EmptyTarget, catalog_root: Path) -> Shop:
    """A target without a table, on every engine."""
    return Shop(empty_target, catalog_root)


@pytest.fixture
def shop(empty_shop: Shop) -> Shop:
    """A target with orders and customers, whole, on every engine."""
    empty_shop.execute(SHOP)
    return empty_shop


@pytest.fixture
def postgres_shop(
    postgres_server: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
    catalog_root: Path,
) -> Shop:
    """A target with orders and customers, on every PostgreSQL."""
    url = make_postgres_database(postgres_server)
    alias = register_target("target", url)
    found = Shop(EmptyTarget(alias, "postgresql", url, postgres_server), catalog_root)
    found.execute(SHOP)
    return found


@pytest.fixture
def sqlite_shop(sqlite_path: Path, register_target: RegisterTarget, catalog_root: Path) -> Shop:
    """A target with orders and customers, in a SQLite file."""
    sqlite3.connect(sqlite_path).close()
    url = f"sqlite:///{sqlite_path}"
    found = Shop(EmptyTarget(register_target("target", url), "sqlite", url), catalog_root)
    found.execute(SHOP)
    return found
