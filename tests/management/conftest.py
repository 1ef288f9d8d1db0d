"""A small broken shop with a catalog of its own, on SQLite and on the newest PostgreSQL."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integrity.database.session import Target
from tests.servers import EmptyTarget

SHOP = """
CREATE TABLE customers (id integer PRIMARY KEY, name varchar(60) NOT NULL);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, note varchar(60));
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer NOT NULL, label varchar(60));
CREATE INDEX orders_customer_idx ON orders (customer_id);
INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob');
INSERT INTO orders VALUES (1, 1, 'a'), (2, 2, 'b'), (3, NULL, 'c'),
  (10, 90, '100%'), (11, 90, 'it''s'), (12, 91, NULL);
INSERT INTO lines VALUES (1, 1, 'x'), (2, 10, 'y'), (3, 10, 'z'), (4, 77, 'lost');
"""
CATALOG = """
[[reference]]
from = "orders.customer_id"
to = "customers.id"
name = "fk_orders_customer"
on_delete = "SET NULL"
rationale = "Orders outlive their customers"

[[reference]]
from = "lines.order_id"
to = "orders.id"
name = "fk_lines_order"
on_delete = "CASCADE"

[[index]]
table = "lines"
columns = ["order_id"]
name = "lines_order_idx"
"""
SYSTEM_ROW = """
[system_row.customers]
id = 1000
name = "100% nobody's"
"""


@dataclass(frozen=True)
class Shop:
    """The target ``target``, and the folder of its catalog."""

    target: EmptyTarget
    root: Path

    @property
    def alias(self) -> str:
        return self.target.alias

    @property
    def vendor(self) -> str:
        return self.target.vendor

    @property
    def catalog(self) -> Path:
        return self.root / self.alias / "catalog.toml"

    def write_catalog(self, text: str) -> None:
        """Write down what should hold."""
        self.catalog.parent.mkdir(parents=True, exist_ok=True)
        self.catalog.write_text(text, encoding="utf-8")

    def execute(self, sql: str) -> None:
        """Run statements as the application would."""
        self.target.execute_script(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return self.target.rows(sql)

    def state(self) -> dict[str, str]:
        """Digest every table, and the structure."""
        with Target(self.alias).reading() as session:
            schema = session.schema()
            digests = {
                str(table.name): str(session.engine.digest(session, table))
                for table in schema
                if table.name.name != "django_migrations"
            }
        return digests | {"structure": schema.fingerprint()}


@pytest.fixture
def shop(empty_target: EmptyTarget, tmp_path: Path, settings: Any) -> Shop:
    """The broken shop."""
    settings.INTEGRITY = {
        "CATALOG_ROOT": tmp_path / "catalogs",
        "BACKUP_ROOT": tmp_path / "backups",
        "LOCK_TIMEOUT_MS": 200,
        "LOCK_ATTEMPTS": 2,
    }
    made = Shop(empty_target, tmp_path / "catalogs")
    made.execute(SHOP)
    made.write_catalog(CATALOG)
    return made
