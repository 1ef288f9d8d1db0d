"""A mirror of the catalog becomes a view, its rewriting and its removal, each a migration of its own."""

import pytest
from django.db import connections

from integrity.audit import audit
from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.diagnosis.columns import diagnose_columns
from integrity.operations import RemoveColumn, RepairMirror
from integrity.operations.fixes import SchemaFix, planned_fixes
from integrity.operations.mirror_fixes import mirror_fixes, mirror_repairs
from integrity.operations.writer import write_migrations
from integrity.references.catalog import load_catalog
from integrity.references.mirror import known_mirrors
from integrity.references.resolve import known_references
from integrity.verification.mirrors import mirror_problems
from tests.operations.conftest import Shop
from tests.operations.test_mirrors import ROWS, fill, values
from tests.servers import RegisterTarget

pytestmark = pytest.mark.newest_postgres_only

CATALOG = """
[[reference]]
from = "orders.customer_id"
to = "customers.id"

[[mirror]]
column = "customers.orders"
repeats = "orders.customer_id"
drift = "table"
only_in_json = "journal"
view = "customers_compat"
rationale = "The orders table says which orders a customer has"
"""


@pytest.fixture
def mirrored(empty_shop: Shop) -> Shop:
    fill(empty_shop, ROWS)
    folder = empty_shop.root / "target"
    folder.mkdir(parents=True)
    (folder / "catalog.toml").write_text(CATALOG)
    return empty_shop


def fixes(shop: Shop) -> list[SchemaFix]:
    schema, catalog = shop.schema(), load_catalog("target")
    references = known_references(schema, catalog)
    planned = planned_fixes("target")
    rewritten = mirror_repairs(known_mirrors(schema, catalog, references), {}, planned=planned)
    return [*mirror_fixes(schema, catalog, references, planned=planned), *rewritten]


def test_each_is_a_migration_that_can_be_deployed_alone(mirrored: Shop) -> None:
    before = values(mirrored)
    files = write_migrations("target", fixes(mirrored))
    names = [file.path.stem for file in files if file.path.stem.startswith("0")]
    assert names == ["0001_rewrite_mirrors", "0002_compatibility_views", "0003_remove_columns"]
    assert "# The orders table says which orders a customer has" in files[-1].text

    for name in names:
        (step,) = mirrored.run(to=name).steps
        assert step.name == name
        assert values(mirrored, "customers_compat" if name > "0002" else "customers") == before
    assert fixes(mirrored) == []
    mirrored.run(to="zero")
    assert values(mirrored) == before


def test_what_the_migrations_do_is_not_written_twice_and_what_is_done_not_at_all(mirrored: Shop) -> None:
    write_migrations("target", fixes(mirrored))
    assert fixes(mirrored) == []
    mirrored.run()
    for file in (mirrored.root / "target/migrations").glob("0*.py"):
        file.unlink()
    assert [fix for fix in fixes(mirrored) if isinstance(fix.operation, RemoveColumn)] == []


def test_the_arguments_say_what_the_catalog_says(mirrored: Shop) -> None:
    found = {type(fix.operation).__name__: fix.operation for fix in fixes(mirrored)}
    assert found["RemoveColumn"].arguments() == {
        "view": "customers_compat",
        "acknowledged": (),
        "drift": "table",
        "table": "customers",
        "column": "orders",
        "repeats": "orders.customer_id",
        "to": ("id",),
        "elements": (("id", "id"),),
        "only_in_json": "journal",
    }
    assert isinstance(found["RepairMirror"], RepairMirror)


def test_each_says_what_it_locks_and_shows_its_sql(mirrored: Shop) -> None:
    for fix in fixes(mirrored):
        for vendor in ("postgresql", "sqlite"):
            assert fix.statements(vendor)
            assert fix.locks(vendor)
            assert fix.operation.reverse_statements(vendor)


def verified(shop: Shop) -> list[tuple[str, str]]:
    schema, catalog = shop.schema(), load_catalog("target")
    with Target("target").reading() as session:
        found = mirror_problems(session, schema, catalog, known_references(schema, catalog))
        return [(str(each.severity), each.message) for each in found]


def test_a_verification_knows_how_far_a_mirror_is_on_its_way(mirrored: Shop) -> None:
    assert verified(mirrored) == [("warning", "customers.orders still repeats orders.customer_id")]
    write_migrations("target", fixes(mirrored))
    mirrored.run()
    assert verified(mirrored) == []
    assert audit(Target("target"), load_catalog("target")).coverage.complete

    mirrored.execute("ALTER TABLE customers ADD COLUMN orders varchar(9)")
    assert verified(mirrored) == [("error", "customers.orders is there again, though a migration removed it")]
    mirrored.execute("ALTER TABLE customers DROP COLUMN orders; DROP VIEW customers_compat")
    assert verified(mirrored) == [
        ("error", "The view customers_compat, by which old readers read customers.orders, is missing")
    ]


def test_a_view_that_does_not_answer_is_an_error(mirrored: Shop) -> None:
    write_migrations("target", fixes(mirrored))
    mirrored.run()
    if mirrored.sqlite:
        mirrored.execute("PRAGMA legacy_alter_table = ON; ALTER TABLE orders RENAME TO others")
        mirrored.execute("CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer)")
        mirrored.execute("DROP TABLE customers; CREATE TABLE customers (id integer PRIMARY KEY)")
    else:
        mirrored.execute("""ALTER VIEW customers_compat RENAME TO old; CREATE FUNCTION broken() RETURNS text
            LANGUAGE plpgsql AS $$ BEGIN RAISE 'no more'; END $$;
            CREATE VIEW customers_compat AS SELECT id, broken() AS orders, name FROM customers""")
    ((severity, message),) = verified(mirrored)
    assert (severity, message.split(":")[0]) == ("error", "The view customers_compat does not answer")


def test_a_role_without_the_journal_verifies_and_diagnoses_what_it_can_see(
    postgres_shop: Shop, register_target: RegisterTarget
) -> None:
    shop = postgres_shop
    shop.execute("DROP TABLE orders; DROP TABLE customers")
    fill(shop, ROWS)
    for alias in ("target", "reader"):
        (shop.root / alias).mkdir(parents=True)
        (shop.root / alias / "catalog.toml").write_text(CATALOG)
    write_migrations("target", fixes(shop))
    shop.run(to="0002")
    shop.execute("DROP ROLE IF EXISTS mirror_reader; CREATE ROLE mirror_reader LOGIN")
    shop.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO mirror_reader")
    try:
        register_target("reader", shop.target.url)
        connections.databases["reader"]["USER"] = "mirror_reader"
        catalog = load_catalog("reader")
        with Target("reader").reading() as session:
            schema = session.schema()
            references = known_references(schema, catalog)
            (problem,) = mirror_problems(session, schema, catalog, references)
        assert str(problem.severity) == "warning"
        (found,) = diagnose_columns(Target("reader"), catalog, [parse_path("customers.orders")])
        assert (found.unacknowledged, found.gaps) == ([], [])
    finally:
        shop.execute("DROP OWNED BY mirror_reader; DROP ROLE mirror_reader")
