"""Duplicates and uniques on a terminal: what an audit and a verification say, and how they end."""

from pathlib import Path

import pytest

from tests.commands import run
from tests.management.conftest import Shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

CATALOG = '[[unique]]\ntable = "customers"\ncolumns = ["name"]\nname = "uq_name"\n'


@pytest.fixture
def lent(tmp_path: Path) -> Path:
    file = tmp_path / "uniques.toml"
    file.write_text(CATALOG)
    return file


@pytest.fixture
def doubled(shop: Shop) -> Shop:
    """The shop, two customers of one name."""
    shop.execute("UPDATE customers SET name = 'Ann' WHERE id <= 2")
    return shop


def test_an_audit_names_values_keys_and_the_command(doubled: Shop, lent: Path) -> None:
    said = run("audit", doubled.alias, "--catalog", lent)

    assert said.code == 1
    assert "(Ann) in 2 rows, id 1, 2" in said.out
    assert f"manage.py integrity_deduplicate {doubled.alias} --unique customers.name" in said.out
    assert "1 of 1 unique checked." in said.out


def test_a_verification_lists_uniques_and_what_is_wrong(doubled: Shop, lent: Path) -> None:
    said = run("verify", doubled.alias, "--catalog", lent, "--format", "json")
    found = said.json

    assert said.code == 1
    assert {"duplicate_rows", "unique_missing"} <= {each["code"] for each in found["problems"]}


def test_what_could_not_be_looked_at_wins_over_what_was_found(doubled: Shop, lent: Path) -> None:
    lent.write_text(
        CATALOG + '\n[[unique]]\ntable = "orders"\ncolumns = ["customer_id"]\nwhere = "nonsense >"\n'
    )

    for command in ("audit", "verify"):
        said = run(command, doubled.alias, "--catalog", lent)
        assert said.code == 2, said.out
        assert "nonsense" in said.out
