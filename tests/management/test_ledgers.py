"""What other tools say that they ran is shown beside Django's ledger."""

import pytest

from tests.commands import run, run_json
from tests.management.conftest import Shop
from tests.references.test_ledgers import NUMBERED

pytestmark = [pytest.mark.newest_postgres_only, pytest.mark.django_db]


def test_the_list_shows_them_beside_djangos(shop: Shop) -> None:
    shop.execute(NUMBERED)
    shop.execute("CREATE TABLE alembic_version (version_num text);")
    run("makemigrations", shop.alias)

    listed = run("migrate", shop.alias, "--list")
    data = run_json("migrate", shop.alias, "--list")

    assert listed.code == 0
    assert "0001_indexes" in listed.out
    assert "name it in the catalog's [ledger]" in listed.out
    assert "Alembic" in listed.out
    assert "left alone" in listed.out
    assert [(each["tool"], each["entries"]) for each in data["ledgers"]] == [
        ("Alembic", 0),
        ("numbered scripts", 2),
    ]


def test_they_are_shown_where_the_catalog_has_no_migrations(shop: Shop) -> None:
    assert run("migrate", shop.alias, "--list").code == 2

    shop.execute(NUMBERED)
    listed = run("migrate", shop.alias, "--list")

    assert listed.code == 0
    assert "numbered scripts" in listed.out
    assert run("migrate", shop.alias, "--check").code == 2


def test_targets_say_who_else_migrates_them(shop: Shop) -> None:
    shop.execute(NUMBERED)

    ran = run("targets")

    assert "target is migrated by other tools as well: numbered scripts" in ran.out
    (state,) = [each for each in run("targets", "--format", "json").json if each["target"] == "target"]
    assert len(state["ledgers"]) == 1


def test_a_ledger_is_no_damage(shop: Shop) -> None:
    before = {each["fingerprint"] for each in run("audit", shop.alias, "--format", "json").json["findings"]}
    shop.execute(NUMBERED)

    after = {each["fingerprint"] for each in run("audit", shop.alias, "--format", "json").json["findings"]}

    assert after == before
