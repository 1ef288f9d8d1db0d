"""The error with which the support bot's migration stopped, explained from its text to its rows."""

import psycopg
import pytest

from fixtures import trulybot
from integrity.explaining import ErrorKind, explain
from integrity_project.postgres import PostgresServer
from tests.catalogs import LendCatalog
from tests.servers import MakePostgresDatabase, RegisterTarget

REFERENCE = """
[[reference]]
from = "{0}.user_id"
to = "profiles.id"
name = "fk_{0}_user_id"
"""


def test_the_error_of_the_failed_migration_says_everything(
    newest_postgres: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
    lend_catalog: LendCatalog,
) -> None:
    url = make_postgres_database(newest_postgres)
    orders = trulybot.build(url, rows=200, seed=1).reference("orders.user_id")
    register_target("bot", url)
    catalog = lend_catalog("".join(map(REFERENCE.format, ("orders", "chat_messages", "conversations"))))
    found = explain(trulybot.ERROR, "bot", catalog=catalog)
    assert (found.kind, found.reference) == (ErrorKind.MISSING_PARENT, "orders.user_id")
    assert (found.rows or 0) > 0
    assert (found.rows or 0) + (found.more_like_it or 0) == orders.orphans
    assert found.missing_keys == orders.missing_keys
    assert "fk_orders_user_id is not there: it cannot be added while" in found.why[1]
    causes = {each.kind: each.rows for each in found.causes}
    assert sum(causes.values()) == orders.orphans
    assert causes["parent_deleted"] > 0
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.ForeignKeyViolation) as caught:
        connection.execute(trulybot.FAILING_STATEMENT)
    again = explain(f"ERROR:  23503: {caught.value}", "bot", catalog=catalog)
    assert (again.reference, again.missing_keys) == (found.reference, found.missing_keys)
    assert len(again.values) == 1
    unwritten = explain(trulybot.ERROR, "bot", catalog=lend_catalog(""))
    assert unwritten.rows == found.rows
    assert 'from = "orders.user_id"\nto = "profiles.id"' in unwritten.catalog_entry
