"""What docs/systems.md says answers a record does exist: commands, options, codes, names, migrations, flows."""

import re
from typing import Any

from integrity.detectors import all_detectors
from integrity.references.catalog import load_catalog
from migrations_catalog.commerce import models
from tests.docs.test_documents import CHECKOUT, COMMANDS, options, text

SYSTEMS = "docs/systems.md"
MIGRATIONS = CHECKOUT / "migrations_catalog"


def words(pattern: str) -> set[Any]:
    return set(re.findall(pattern, text(SYSTEMS)))


def test_every_command_and_option_of_the_systems_exists() -> None:
    known = set().union(*(options(command) for command in COMMANDS))
    assert words(r"\bintegrity_[a-z]+\b") <= {*COMMANDS, "integrity_journal"}
    assert words(r"(?<![\w-])--[a-z][a-z-]+") <= known | {"--rows"}


def test_every_constraint_and_index_of_the_systems_stands_in_a_catalog() -> None:
    known = set()
    for name in ("commerce", "cts", "gaztime", "mexc", "trulybot"):
        catalog = load_catalog(name)
        known |= {each.name for each in (*catalog.references, *catalog.uniques, *catalog.indexes)}
        known |= {each.view.table for each in catalog.mirrors if each.view}
    assert words(r"`((?:fk|uq|idx)_\w+)`") <= known
    assert "store_customers_with_orders" in known


def test_every_reference_unique_and_index_of_the_shops_record_is_answered() -> None:
    said = text(SYSTEMS)
    named = (
        "fk_products_store", "uq_categories_store_slug", "idx_order_items_order_product",
        "idx_order_items_variant", "idx_categories_store_slug", "store_customers.orders",
    )  # fmt: skip
    assert not [name for name in named if name not in said]


def test_every_migration_and_file_of_the_systems_exists() -> None:
    shipped = {path.stem for path in MIGRATIONS.glob("*/migrations/0*.py")}
    assert words(r"`(\d{4}_\w+)`") <= shipped
    assert not [path for path in words(r"`(tests/[\w/.]+)`") if not (CHECKOUT / path).exists()]


def test_every_code_of_the_systems_is_one_that_an_audit_finds() -> None:
    section = text(SYSTEMS).partition("### What is wrong")[2].partition("###")[0]
    codes = set(re.findall(r"`([a-z]+_[a-z_]+)`", section)) - {"integrity_models"}
    assert codes
    assert codes <= {each.code for each in all_detectors()}


def test_every_flow_of_the_shop_is_named_and_no_other() -> None:
    flows = {flow.name for flow in load_catalog("commerce").flows}
    line = next(line for line in text(SYSTEMS).splitlines() if "the catalog's flows" in line)
    assert set(re.findall(r"\*([^*]+)\*", line)) == flows


def test_tables_of_the_systems_have_two_cells_in_each_row() -> None:
    rows = [line for line in text(SYSTEMS).splitlines() if line.startswith("|")]
    assert rows
    assert not [row for row in rows if len(re.findall(r"(?<!\\)\|", row)) < 3]


def test_every_relation_of_the_shop_that_is_named_leads_somewhere() -> None:
    named = words(r"`([A-Z][A-Za-z]+)\.([a-z_]+)`")
    assert named
    for model, name in named:
        assert hasattr(getattr(models, model), name), f"{model}.{name}"
