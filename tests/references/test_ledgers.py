"""Other tools' ledgers are recognised by name and columns, read where they can be, and left alone."""

import pytest

from integrity.database.session import Target
from integrity.exceptions import CatalogError
from integrity.references.catalog import Catalog
from integrity.references.ledgers import (
    LedgerKind,
    entries_of,
    foreign_ledgers,
    ledgers_in,
    summarised,
)
from tests.catalogs import LendCatalog
from tests.servers import EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

NUMBERED = """
CREATE TABLE schema_migrations (migration_id integer PRIMARY KEY, name text NOT NULL,
    executed_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP);
INSERT INTO schema_migrations (migration_id, name) VALUES (16, '016_connections'), (36, '036_indications');
"""
DRIZZLE = """
CREATE TABLE __drizzle_migrations (id integer PRIMARY KEY, hash text NOT NULL, created_at bigint);
INSERT INTO __drizzle_migrations VALUES (1, 'abc', 1700000000000);
"""


def tools(target: EmptyTarget, catalog: Catalog | None = None) -> dict[str, str]:
    with Target(target.alias).reading() as session:
        return {each.table.name: each.tool for each in ledgers_in(session.schema(), catalog)}


def test_a_numbered_ledger_is_read(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(NUMBERED)

    with Target(empty_target.alias).reading() as session:
        (ledger,) = foreign_ledgers(session.schema())
        entries = entries_of(session, ledger)

    assert ledger.kind is LedgerKind.NUMBERED
    assert ledger.readable
    assert [(each.key, each.name) for each in entries] == [
        ("16", "016_connections"),
        ("36", "036_indications"),
    ]
    assert all(each.at for each in entries)


def test_drizzles_is_read_where_drizzle_keeps_it(empty_target: EmptyTarget) -> None:
    postgres = empty_target.vendor == "postgresql"
    script = DRIZZLE.replace("__drizzle", "drizzle.__drizzle") if postgres else DRIZZLE
    empty_target.execute_script(("CREATE SCHEMA drizzle;" if postgres else "") + script)

    with Target(empty_target.alias).reading() as session:
        (ledger,) = foreign_ledgers(session.schema())
        entries = entries_of(session, ledger)

    assert ledger.tool == "Drizzle"
    assert ledger.table.schema == ("drizzle" if postgres else "main")
    assert [(each.key, each.at) for each in entries] == [("abc", "1700000000000")]


@pytest.mark.parametrize(
    ("table", "columns", "tool"),
    [
        ("_prisma_migrations", "id text, checksum text, migration_name text", "Prisma"),
        ("schema_migrations", "version text", "Rails"),
        ("ar_internal_metadata", "key text, value text", "Rails"),
        ("schema_migrations", "version bigint, dirty boolean", "golang-migrate"),
        ("flyway_schema_history", "installed_rank integer, version text", "Flyway"),
        ("alembic_version", "version_num text", "Alembic"),
        ("databasechangelog", "id text, md5sum text", "Liquibase"),
        ("knex_migrations", "id integer, name text, batch integer", "Knex"),
        ("migrations", "id integer, timestamp bigint, name text", "TypeORM"),
        ("migrations", "id integer, migration text, batch integer", "Laravel"),
        ('"SequelizeMeta"', "name text", "Sequelize"),
        ("goose_db_version", "id integer, version_id bigint", "goose"),
        ("django_migrations", "id integer, app text, name text, applied timestamp", "Django"),
    ],
)
def test_others_are_known_by_name_and_left_alone(
    empty_target: EmptyTarget, table: str, columns: str, tool: str
) -> None:
    empty_target.execute_script(f"CREATE TABLE {table} ({columns});")

    with Target(empty_target.alias).reading() as session:
        (ledger,) = ledgers_in(session.schema())

    assert ledger.tool == tool
    assert not ledger.readable


def test_tables_of_an_application_are_none(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(
        "CREATE TABLE migrations (bird text, season text); CREATE TABLE changes (id integer, old text);"
        "CREATE TABLE schema_migrations (note text);"
    )

    assert tools(empty_target) == {}


def test_the_catalog_names_one_that_is_called_otherwise(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(NUMBERED.replace("schema_migrations", "our_scripts"))
    assert tools(empty_target) == {}

    catalog = lend_catalog('[ledger]\ntable = "our_scripts"')

    with Target(empty_target.alias).reading() as session:
        (found,) = summarised(session, catalog)
    assert found.ledger.ours
    assert found.entries == 2


def test_a_ledger_that_cannot_be_read_is_no_ledger(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script("CREATE TABLE alembic_version (version_num text);")

    with pytest.raises(CatalogError, match=r"it has version_num .*\[ledger\].* migration_id, name"):
        tools(empty_target, lend_catalog('[ledger]\ntable = "alembic_version"'))


def test_a_ledger_that_is_not_there_yet_is_none(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    assert tools(empty_target, lend_catalog('[ledger]\ntable = "schema_migrations"')) == {}
