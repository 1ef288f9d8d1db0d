"""PostgreSQL: the gas delivery service."""

from collections.abc import Iterator

import psycopg
from psycopg.sql import SQL

from benchmarks.pairs import Ratio, measured
from benchmarks.site import add_target
from fixtures import gaztime
from integrity.audit import audit
from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.plans import Request, make_plan
from integrity.references import load_catalog
from integrity.references.reference import Resolution
from integrity.repairs import Options, roll_back, run_repair
from integrity_project.postgres import find_servers, start

ORPHANS = "orders.customer_id"
NOT_IN = """
SELECT count(*) FROM orders WHERE customer_id NOT IN (SELECT id FROM customers);
SELECT count(*) FROM orders WHERE driver_id NOT IN (SELECT id FROM drivers);
SELECT count(*) FROM orders WHERE pod_id NOT IN (SELECT id FROM pods);
SELECT count(*) FROM drivers WHERE user_id NOT IN (SELECT id FROM users);
SELECT count(*) FROM subscriptions WHERE customer_id NOT IN (SELECT id FROM customers);
SELECT count(*) FROM subscriptions WHERE product_id NOT IN (SELECT id FROM products)
"""
CHECKED = (
    ORPHANS, "orders.driver_id", "orders.pod_id", "drivers.user_id", "subscriptions.customer_id",
    "subscriptions.product_id",
)  # fmt: skip
LEFT_JOIN = """
SELECT count(*) FROM orders o LEFT JOIN customers c ON c.id = o.customer_id
WHERE c.id IS NULL AND o.customer_id IS NOT NULL
"""
BACKUP_AND_DELETE = """
BEGIN;
CREATE TABLE wallet_transactions_backup AS SELECT t.* FROM wallet_transactions t
  WHERE NOT EXISTS (SELECT 1 FROM wallets w WHERE w.id = t.wallet_id);
DELETE FROM wallet_transactions t WHERE NOT EXISTS (SELECT 1 FROM wallets w WHERE w.id = t.wallet_id);
COMMIT
"""
PUT_BACK = """
DO $$ BEGIN IF to_regclass('wallet_transactions_backup') IS NOT NULL THEN
  INSERT INTO wallet_transactions OVERRIDING SYSTEM VALUE SELECT * FROM wallet_transactions_backup;
  DROP TABLE wallet_transactions_backup;
END IF; END $$
"""


def postgresql_ratios(rows: int, repeat: int) -> Iterator[Ratio]:
    """Measures on the newest PostgreSQL found."""
    with start(find_servers()[0]) as server:
        url = server.url("postgres")
        gaztime.build(url, rows=rows)
        add_target("gaztime", url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            yield from _audits(connection, repeat)
            yield _repair(connection, repeat)


def _audits(connection: psycopg.Connection, repeat: int) -> Iterator[Ratio]:
    target, catalog = Target("gaztime"), load_catalog("gaztime")
    six, one = [parse_path(each) for each in CHECKED], [parse_path(ORPHANS)]

    def by_hand() -> None:
        for statement in NOT_IN.split(";"):
            connection.execute(SQL(statement))  # type: ignore[arg-type]

    yield measured(
        "audit of six references, profiled", "the text's six NOT IN",
        lambda: audit(target, catalog, only=six), by_hand, repeat,
    )  # fmt: skip
    yield measured(
        "audit of one reference, profiled", "LEFT JOIN … IS NULL",
        lambda: audit(target, catalog, only=one), lambda: connection.execute(LEFT_JOIN), repeat,
    )  # fmt: skip


def _repair(connection: psycopg.Connection, repeat: int) -> Ratio:
    target, catalog = Target("gaztime"), load_catalog("gaztime")
    done: list[int] = []

    def ours() -> None:
        wish = Request(parse_path("wallet_transactions.wallet_id"), Resolution.DELETE)
        plan = make_plan(target, catalog, [wish])
        result = run_repair(target, plan, catalog=catalog, options=Options(digests=False))
        done.append(result.run or 0)

    def reset() -> None:
        while done:
            roll_back(target, done.pop(), catalog=catalog)
        connection.execute(PUT_BACK)

    ratio = measured(
        "plan and repair, journaled", "backup table and one DELETE",
        ours, lambda: connection.execute(BACKUP_AND_DELETE), repeat, reset,
    )  # fmt: skip
    reset()
    return ratio
