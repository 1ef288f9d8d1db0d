"""A small broken shop under care, and people who may do one thing and not another."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from integrity import models, store, tasks
from integrity.database.identifiers import parse_path
from integrity.plans import Request
from integrity.references import Resolution
from tests.factories import UserFactory
from tests.servers import RegisterTarget

SignIn = Callable[..., Client]

SHOP = """
CREATE TABLE customers (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, note text);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer NOT NULL);
INSERT INTO customers VALUES (1, 'Ada'), (2, 'Grace');
INSERT INTO orders VALUES (1, 1, 'fine'), (2, 2, 'fine'), (3, NULL, 'nobody''s'),
    (4, 90, 'lost'), (5, 90, 'lost'), (6, 91, 'lost');
INSERT INTO lines VALUES (1, 1), (2, 4), (3, 4), (4, 77);
"""

CATALOG = """
[[reference]]
from = "orders.customer_id"
to = "customers.id"
on_delete = "CASCADE"
name = "fk_orders_customer"
rationale = "An order is somebody's"

[[reference]]
from = "lines.order_id"
to = "orders.id"
on_delete = "CASCADE"
name = "fk_lines_order"

[[index]]
table = "orders"
columns = ["customer_id"]
name = "orders_customer_idx"

[system_row.customers]
id = 0
name = "Unknown customer"
"""


@dataclass(frozen=True)
class Shop:
    """A target with orphans: three orders without a customer, a line without an order."""

    alias: str
    file: Path
    root: Path

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query finds, seen from outside."""
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(sql).fetchall()

    def execute(self, sql: str) -> None:
        """Run statements as the application would."""
        with closing(sqlite3.connect(self.file)) as connection:
            connection.executescript(sql)

    def finding(self, label: str = "orders.customer_id") -> models.OrphanFinding:
        """Return the finding about a reference."""
        return models.OrphanFinding.objects.get(target__alias=self.alias, label=label)


@pytest.fixture
def shop(tmp_path: Path, register_target: RegisterTarget, settings: Any) -> Shop:
    """The shop with its catalog, not audited yet."""
    root, file = tmp_path / "catalogs", tmp_path / "shop.sqlite3"
    settings.INTEGRITY = {"CATALOG_ROOT": root, "BACKUP_ROOT": tmp_path / "backups"}
    (root / "shop").mkdir(parents=True)
    (root / "shop" / "catalog.toml").write_text(CATALOG)
    made = Shop(register_target("shop", f"sqlite:///{file}"), file, root)
    made.execute(SHOP)
    return made


@pytest.fixture
def audited(shop: Shop, transactional_db: None) -> Shop:
    """The shop after an audit, its findings stored."""
    tasks.audit_and_store(shop.alias)
    return shop


@pytest.fixture
def lived(audited: Shop) -> Shop:
    """The shop after lines were repaired, orders kept with a note, and its migrations written."""
    kept = audited.finding()
    store.store_decision([kept], "keep", actor="boss", reason="They are history")
    models.FindingNote.objects.create(finding=kept, text="Ask the accountant", author="boss")
    plan = tasks.plan_and_store(
        audited.alias, [Request(parse_path("lines.order_id"), Resolution.DELETE)], actor="boss"
    )
    job = tasks.start_job(audited.alias, models.JobKind.REPAIR, {"plan": plan.hash}, actor="boss")
    assert tasks.wait_for_jobs(30), job
    tasks.make_migrations(audited.alias)
    return audited


@pytest.fixture
def sign_in(client: Client) -> SignIn:
    """Return a function that signs somebody in who may do what it is given."""

    def sign_in(*may: str) -> Client:
        client.force_login(UserFactory.create(may=list(may)))
        return client

    return sign_in


@pytest.fixture
def everything(client: Client, transactional_db: None) -> Client:
    """A client of somebody who may do everything."""
    client.force_login(User.objects.create_superuser("boss", password="boss"))
    return client


@pytest.fixture(autouse=True)
def jobs_done() -> Iterator[None]:
    """Leave no thread behind that writes into a database which the next test empties."""
    yield
    assert tasks.wait_for_jobs(30), "a job of this test does not end"
