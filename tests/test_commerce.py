"""The shop's whole way, by commands alone: audited, repaired, deduplicated, enforced in phases, and back.

Its catalog is written for PostgreSQL; a SQLite copy of the shop shares it by ``CATALOG``.
"""

import json
import re
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.test import Client
from django.utils.timezone import localtime

from fixtures import commerce
from fixtures.commerce.slugs import LIMIT
from integrity.database.identifiers import parse_table
from integrity.operations.fixes import schema_fixes
from integrity.operations.mirror_fixes import mirror_fixes, mirror_repairs
from integrity.operations.writer import write_migrations
from integrity.references.catalog import load_catalog
from integrity.references.mirror import known_mirrors
from integrity.references.resolve import known_references
from tests.commands import run, run_json
from tests.servers import EmptyTarget
from tests.shop import NAME, Shop, audited, duplicates, enforced, orphans, succeeds, with_code

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

MIGRATIONS = Path(__file__).parents[1] / "migrations_catalog" / "commerce" / "migrations"
SHIPPED = {path.stem for path in MIGRATIONS.glob("0*.py")}
ROWS = 1_000
UNIQUES = {"uq_categories_store_slug", "uq_tags_store_slug", "uq_categories_store_id"}
INTEGRITY_ERRORS = (sqlite3.IntegrityError, psycopg.IntegrityError)
INDEXES = {"idx_order_items_order_product", "idx_order_items_variant", "idx_categories_store_slug"}
SLUGLESS = "SELECT count(*) FROM tags WHERE slug IS NULL"
TENANTS = ("products", "product_variants", "categories", "tags", "orders", "store_customers")


@pytest.fixture
def shop(empty_target: EmptyTarget, settings: Any, tmp_path: Path) -> Shop:
    """The shop on each engine."""
    settings.INTEGRITY = {"BACKUP_ROOT": tmp_path / "backups"}
    connections.databases[NAME]["CATALOG"] = "commerce"
    made = Shop(empty_target, commerce.build(empty_target.url, rows=ROWS))
    made.before.update(made.state())
    return made


def test_an_audit_finds_what_the_manifest_says(shop: Shop) -> None:
    document = audited()

    assert orphans(document) == {
        each.referencing: (each.orphans, each.missing_keys) for each in shop.manifest.references
    }
    missing = {each["evidence"]["name"] for each in with_code(document, "missing_foreign_key")}
    assert missing == {each.name for each in shop.manifest.references}
    assert duplicates(document) == {
        each.name: (each.values, each.duplicates) for each in shop.manifest.uniques
    }
    unenforced = {each["object"]: each["severity"] for each in with_code(document, "missing_unique")}
    assert unenforced == {
        "uq_categories_store_slug": "error",
        "uq_tags_store_slug": "error",
        "uq_categories_store_id": "warning",
    }
    assert {each["object"] for each in with_code(document, "missing_index")} == INDEXES
    (drift,) = with_code(document, "mirror_drift")
    (mirror,) = shop.manifest.mirrors
    found = {state: rows for state, rows in drift["evidence"]["states"].items() if rows}
    assert found == mirror.states


def test_a_plan_says_what_deleting_the_tenants_of_lost_stores_takes_with_it(shop: Shop) -> None:
    planned = run_json("plan", NAME)

    stated = {each.table: each.deleted for each in shop.manifest.blast_radius}
    found = {name.rpartition(".")[2]: each["deleted"] for name, each in planned["blast_radius"].items()}
    assert {table: rows for table, rows in found.items() if rows} == stated


def test_foreign_keys_bind_new_rows_before_anything_is_cleaned(shop: Shop) -> None:
    """Phases 1 and 2 alone leave a shop that works, on PostgreSQL with the old orphans in it."""
    succeeds("migrate", "--phase", "2")

    assert len(list(shop.schema().foreign_keys())) == 16
    assert shop.number("SELECT count(*) FROM stores") == shop.manifest.tables["stores"]
    assert orphans(audited()) == {
        each.referencing: (each.orphans, each.missing_keys) for each in shop.manifest.references
    }
    succeeds("migrate", "zero", "--no-input")
    assert shop.state() == shop.before


def test_the_whole_way_there_and_back_again(shop: Shop) -> None:
    succeeds("backup")
    succeeds("migrate", "--phase", "2")
    stopped = run("migrate", NAME)
    assert stopped.code == 2
    assert "integrity_" in stopped.err
    cleaned = succeeds("cleanup", "--no-input", "--require-backup")
    stopped = run("migrate", NAME)
    assert stopped.code == 2
    assert "integrity_deduplicate" in stopped.err
    merged = succeeds("deduplicate", "--no-input", "--require-backup")

    succeeds("migrate")
    assert succeeds("migrate")["migrations"] == []
    assert "Nothing is missing" in run("makemigrations", NAME, "--check").out
    verified = succeeds("verify")
    assert enforced(verified) >= {each.name for each in shop.manifest.references} | UNIQUES
    assert all(query["uses_index"] for query in verified["queries"])
    assert_the_rules_bind(shop)
    assert_old_readers_are_answered(shop)

    refused = run("rollback", NAME, merged["run"], "--no-input")
    assert refused.code == 2
    assert "--with-migrations" in refused.err
    for number in (merged["run"], cleaned["run"]):
        proof = succeeds("rollback", number, "--with-migrations", "--no-input")["proof"]
        assert proof["rows_equal"] is True
        odd = [] if shop.sqlite else ["public.store_customers: columns in another order"]
        assert proof["schema_differences"] == odd
    succeeds("migrate", "zero", "--no-input")
    assert shop.state() == shop.before


def assert_the_rules_bind(shop: Shop) -> None:
    """Try what must not be, past the product: a slug twice, a category of another store."""
    store, slug = shop.target.rows("SELECT store_id, slug FROM categories ORDER BY id LIMIT 1")[0]
    with pytest.raises(INTEGRITY_ERRORS):
        shop.execute(f"""INSERT INTO categories (id, store_id, slug, name)
            VALUES ('00000000-0000-4000-8000-000000000001', '{store}', '{slug}', 'twice')""")
    with pytest.raises(INTEGRITY_ERRORS):
        shop.execute(f"""UPDATE products SET category_id = (
            SELECT id FROM categories WHERE store_id <> '{store}' ORDER BY id LIMIT 1)
            WHERE store_id = '{store}'""")


def assert_old_readers_are_answered(shop: Shop) -> None:
    """The column is gone; its view says of every customer what the orders table says."""
    customers = shop.schema().table(shop.schema().resolve(parse_table("store_customers")))
    assert not customers.has_columns(("orders",))
    placed = dict(shop.target.rows("SELECT customer_id, count(*) FROM orders GROUP BY customer_id"))
    read = shop.target.rows("SELECT id, orders FROM store_customers_with_orders")
    assert len(read) == shop.number("SELECT count(*) FROM store_customers")
    shapes = set()
    for customer, document in read:
        said = json.loads(document) if isinstance(document, str) else document
        shapes.add(type(said))
        if said is not None:
            assert (len(said) if isinstance(said, list) else said["count"]) == placed.get(customer, 0)
    assert {list, dict} <= shapes


def test_who_reads_the_column_that_is_to_go_is_listed(shop: Shop) -> None:
    shop.execute("CREATE VIEW order_counts AS SELECT id, orders FROM store_customers")
    application = Path(commerce.__file__).parent / "application"
    listed = run("diagnose", NAME, "--column", "store_customers.orders", "--source", application)

    assert "service.ts:8" in listed.out
    assert "view order_counts" in listed.out
    assert "To be acknowledged" in listed.out


def test_indexes_queries_window_models_and_metrics_follow_the_migrations(
    shop: Shop, admin_client: Client
) -> None:
    closed = (localtime() + timedelta(hours=2)).strftime("%H:%M-") + (
        localtime() + timedelta(hours=3)
    ).strftime("%H:%M")
    refused = run("migrate", NAME, "--window", closed)
    assert refused.code == 2
    assert audited()["findings"]
    assert list(shop.schema().foreign_keys()) == []
    ran = run("migrate", NAME, "--phase", "1", "--queries", "--query-seconds", "1", "--format", "json")
    assert ran.code in (0, 1)  # on a busy machine a second is too short to be sure
    queries = {each["name"] for each in ran.json["measured"]["queries"]}
    assert queries == {query.name for query in load_catalog(NAME).queries}
    succeeds("cleanup", "--no-input")
    succeeds("deduplicate", "--no-input")
    succeeds("migrate")

    (redundant,) = with_code(audited(), "redundant_index")
    assert redundant["object"] == "idx_categories_store_slug"
    assert "uq_categories_store_slug" in redundant["message"]
    dropped = run_json("makemigrations", NAME, "--drop-redundant", "--dry-run")
    assert [(each["kind"], each["name"]) for each in dropped["fixes"]] == [
        ("redundant", "idx_categories_store_slug")
    ]
    if not shop.sqlite:  # keys are text there, and the models that are shipped say UUID
        assert run("models", NAME, "--check").code == 0
    page = admin_client.get("/integrity/metrics/").content.decode()
    shown = [line for line in page.splitlines() if 'target="target"' in line]
    orphaned = [line for line in shown if 'reference="products.store_id"' in line]
    assert [line.rpartition(" ")[2] for line in orphaned] == ["0.0"], orphaned
    assert any(line.startswith("integrity_duplicates") for line in shown)
    assert any('query="order_detail"' in line for line in shown)
    assert any('migration="0006_remove_columns"' in line for line in shown)


def test_deleting_a_store_takes_all_that_belongs_to_it_and_nothing_else(shop: Shop) -> None:
    succeeds("migrate", "--phase", "2")
    succeeds("cleanup", "--no-input")
    (store,) = shop.target.rows("SELECT id FROM stores ORDER BY created_at, id LIMIT 1")[0]
    others = {
        table: shop.number(f"SELECT count(*) FROM {table} WHERE store_id <> '{store}'") for table in TENANTS
    }
    assert shop.number(f"SELECT count(*) FROM products WHERE store_id = '{store}'") > 0

    shop.execute(f"DELETE FROM stores WHERE id = '{store}'")

    for table, rows in others.items():
        assert shop.number(f"SELECT count(*) FROM {table}") == rows, table
    assert orphans(audited()) == {}


def test_a_repair_of_sixteen_references_comes_back_to_the_last_row(shop: Shop) -> None:
    run_json("backup", NAME)
    planned = run_json("plan", NAME)
    cleaned = succeeds("cleanup", "--plan", planned["hash"], "--no-input", "--require-backup")
    assert cleaned["rows"] == planned["blast_radius"]
    assert cleaned["refusals"] == []
    assert orphans(audited()) == {}
    succeeds("migrate", "--phase", "2")

    refused = run("rollback", NAME, cleaned["run"], "--no-input")
    assert refused.code == 2
    assert "--with-migrations" in refused.err

    back = succeeds("rollback", cleaned["run"], "--with-migrations", "--no-input")
    assert back["proof"]["rows_equal"] is True
    succeeds("migrate", "zero", "--no-input")
    assert shop.state() == shop.before


def test_duplicates_are_renamed_and_merged_as_planned_and_come_back(shop: Shop) -> None:
    categories = shop.number("SELECT count(*) FROM categories")
    surplus = {each.name: each.surplus for each in shop.manifest.uniques}
    planned = run_json("deduplicate", NAME, "--dry-run")
    assert shop.state() == shop.before

    merged = succeeds("deduplicate", "--plan", planned["plan"], "--no-input")

    assert merged["rows"] == planned["rows"]
    assert merged["refusals"] == []
    assert duplicates(audited()) == {}
    assert shop.number("SELECT count(*) FROM categories") == categories
    assert shop.number("SELECT max(length(slug)) FROM categories") == LIMIT
    tags = shop.number("SELECT count(*) FROM tags")
    assert tags == shop.manifest.tables["tags"] - surplus["uq_tags_store_slug"]
    assert shop.number(SLUGLESS) == shop.manifest.unique("tags.store_id,slug").nulls
    assert orphans(audited()) == {
        each.referencing: (each.orphans, each.missing_keys) for each in shop.manifest.references
    }

    back = succeeds("rollback", merged["run"], "--no-input")
    assert back["proof"]["rows_equal"] is True
    assert shop.state() == shop.before


def test_the_rewriting_of_a_column_is_written_before_its_removal_without_being_asked_for(shop: Shop) -> None:
    connections.databases[NAME]["CATALOG"] = "another"
    catalog = MIGRATIONS.parent / "catalog.toml"
    designed = run_json("makemigrations", NAME, "--catalog", catalog, "--dry-run")

    names = [Path(each["path"]).stem for each in designed["files"]]
    assert [name for name in names if name.startswith("0")] == sorted(SHIPPED)


def unlimited(text: str) -> str:
    """Take out how many rows may be rewritten: each copy of the shop has its own number."""
    return re.sub(
        r"        # (?:0 rows are rewritten|Any number)[^\n]*\n(?:        # raise[^\n]*\n)?|  +max_rows=0,\n",
        "",
        text,
    )


def test_the_migrations_that_are_shipped_are_those_that_would_be_written(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "migrations_catalog"
    catalog, schema = load_catalog(NAME), shop.schema()
    references = known_references(schema, catalog)
    fixes = schema_fixes(schema, catalog, references)
    fixes += mirror_repairs(known_mirrors(schema, catalog, references), {})
    fixes += mirror_fixes(schema, catalog, references)
    files = write_migrations(NAME, fixes, root=folder, dry_run=True)

    assert {file.path.stem for file in files if file.path.stem.startswith("0")} == SHIPPED
    for file in files:
        shipped = MIGRATIONS.parent.parent / file.path.relative_to(folder)
        if not shop.sqlite and shipped.parent.name == "migrations" and shipped.stem != "__init__":
            assert unlimited(shipped.read_text()) == unlimited(file.text)
