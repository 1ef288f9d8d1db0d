"""Orphans are relinked, their parents restored, and single missing keys decided for, from a command line."""

from pathlib import Path

import pytest

from integrity import models, store
from tests.commands import run, run_json
from tests.management.conftest import CATALOG, Shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

RESTORE = '\n[restore.customers]\nname = "Customer {key}"\n'


def test_single_missing_keys_go_different_ways(shop: Shop, tmp_path: Path) -> None:
    shop.write_catalog(CATALOG + RESTORE)
    file = tmp_path / "map.csv"
    file.write_text("old,new\n90,2\n", encoding="utf-8")
    wanted = (shop.alias, "--reference", "orders.customer_id", "--no-input")

    relinked = run_json("cleanup", *wanted, "--action", "relink", "--map", file)
    restored = run_json("cleanup", *wanted, "--action", "restore_parent", "--missing", "91")

    assert sum(each["updated"] for each in relinked["rows"].values()) == 2
    assert sum(each["inserted"] for each in restored["rows"].values()) == 1
    assert shop.target.rows("SELECT name FROM customers WHERE id = 91") == [("Customer 91",)]
    assert shop.target.rows("SELECT customer_id FROM orders WHERE id = 11") == [(2,)]


def test_what_was_decided_is_withdrawn_with_a_reason_and_nothing_else_is_done(shop: Shop) -> None:
    run("audit", shop.alias)
    finding = models.OrphanFinding.objects.get(label="orders.customer_id")
    store.store_decision([finding], "delete")
    store.store_decision([finding], "keep", keys=[("90",)], reason="invoices")
    named = (shop.alias, "--reference", "orders.customer_id", "--withdraw", "not any more")

    assert run_json("cleanup", *named, "--missing", "90")["withdrawn"] == {"orders.customer_id": 1}
    assert run_json("cleanup", *named)["withdrawn"] == {"orders.customer_id": 1}
    assert store.decisions_for(shop.alias) == []
    for wrong in (
        named,
        (*named, "--action", "keep"),
        (shop.alias, "--withdraw", "all"),
        ("no_such", *named[1:]),
    ):
        assert run("cleanup", *wrong).code == 2
    assert models.Resolution.objects.count() == 4


def test_chosen_rows_go_their_own_way_and_what_was_decided_is_run(shop: Shop) -> None:
    wanted = (shop.alias, "--reference", "orders.customer_id")
    run("audit", shop.alias)
    finding = models.OrphanFinding.objects.get(label="orders.customer_id")
    before = shop.target.rows("SELECT count(*) FROM orders")[0][0]

    assert "No orphan of orders.customer_id: 1" in run(
        "plan", *wanted, "--action", "delete", "--row", "1"
    ).err.replace("'", "")
    assert "Nothing stands decided" in run("plan", shop.alias, "--decided").err
    run_json("cleanup", *wanted, "--no-input", "--action", "delete", "--row", "10")
    assert shop.target.rows("SELECT count(*) FROM orders")[0][0] == before - 1

    store.store_decision([finding], "keep", rows=[("11",)], reason="an invoice")
    store.store_decision([finding], "delete")
    whole = run("plan", *wanted, "--action", "set_null").out
    assert "orders.customer_id (1 chosen row)" in whole, "an exception stands"
    assert "orders.customer_id (the others)" in whole
    done = run_json("cleanup", shop.alias, "--decided", "--no-input")
    assert sum(each["deleted"] for each in done["rows"].values()) >= 1
    assert shop.target.rows("SELECT id FROM orders WHERE customer_id > 50") == [(11,)]
    assert len(store.decisions_for(shop.alias)) == 2, "what stood decided was not decided again"
    assert "--decided runs" in run("plan", shop.alias, "--decided", "--action", "delete").err


def test_options_without_what_they_belong_to_are_refused(shop: Shop, tmp_path: Path) -> None:
    assert "--reference" in run("plan", shop.alias, "--missing", "90").err
    assert "--reference" in run("plan", shop.alias, "--row", "10").err
    ran = run("plan", shop.alias, "--action", "relink", "--map", tmp_path / "none.csv")
    assert ran.code == 2
    assert "one --reference" in ran.err
    named = run(
        "plan", shop.alias, "--action", "relink", "--reference", "orders.customer_id", "--map", "none.csv"
    )
    assert named.code == 2
    assert "cannot be read" in named.err
