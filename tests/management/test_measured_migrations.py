"""Migrations are applied with their queries measured before and after."""

from typing import Any

import pytest

from integrity import models
from integrity.management.commands import integrity_migrate
from integrity.tasks import measure_and_store
from tests.commands import run, run_json
from tests.management.conftest import CATALOG, Shop

pytestmark = [pytest.mark.django_db, pytest.mark.newest_postgres_only]

MORE = """
WITH RECURSIVE s (n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM s WHERE n < 20000)
INSERT INTO lines SELECT n, n % 4000, 'many' FROM s;
"""
QUERY = """
[[query]]
name = "order_detail"
sql = "SELECT * FROM lines WHERE order_id = :order_id ORDER BY id"
parameters = { order_id = "SELECT order_id FROM lines ORDER BY id" }
table = "lines"
index = "lines_order_idx"
"""


@pytest.fixture
def written(shop: Shop) -> Shop:
    shop.execute(MORE)
    shop.write_catalog(CATALOG + QUERY)
    run_json("makemigrations", shop.alias, "--phase", 1)
    return shop


def test_queries_are_measured_before_and_after(written: Shop) -> None:
    ran = run("migrate", written.alias, "--queries", "--query-seconds", 2, "--no-input")
    assert ran.code == 0, ran.err
    assert "order_detail: scan → index lines_order_idx" in ran.out
    before, after = models.QueryRun.objects.order_by("pk")
    assert (before.occasion, after.occasion, after.baseline) == ("before", "after", before)
    assert (before.migrations, len(after.migrations)) == ([], 1)
    assert not models.QueryTiming.objects.filter(regressed=True).exists()


def test_the_document_has_what_was_measured(written: Shop) -> None:
    (query,) = run_json("migrate", written.alias, "--queries", "--query-seconds", 2)["measured"]["queries"]
    assert (query["before"]["indexed"], query["after"]["indexed"], query["faster"]) == (False, True, True)


def test_where_nothing_is_to_be_done_nothing_is_measured(written: Shop) -> None:
    run_json("migrate", written.alias)
    again = run_json("migrate", written.alias, "--queries")
    assert again["measured"] is None
    assert not models.QueryRun.objects.exists()


def test_to_take_an_index_back_makes_its_query_slower_and_is_no_failure(written: Shop) -> None:
    run_json("migrate", written.alias)
    ran = run("migrate", written.alias, "zero", "--queries", "--query-seconds", 2, "--no-input")
    assert ran.code == 0, ran.err
    assert "it stopped using its index" in ran.out


def test_what_was_migrated_is_said_also_when_measuring_fails_afterwards(
    written: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measuring(alias: str, *, occasion: models.Occasion, **wishes: Any) -> Any:
        if occasion is models.Occasion.AFTER:
            raise KeyboardInterrupt
        return measure_and_store(alias, occasion=occasion, **wishes)

    monkeypatch.setattr(integrity_migrate, "measure_and_store", measuring)
    ran = run("migrate", written.alias, "--queries", "--query-seconds", 1, "--no-input")
    assert ran.code == 2
    assert "0001_indexes" in ran.out
    assert "Stopped by Ctrl-C" in ran.err


def test_a_query_that_does_not_run_any_more_is_told(written: Shop) -> None:
    renamed = 'ALTER TABLE lines RENAME COLUMN label TO "name"'
    run_json("migrate", written.alias, "--phase", 1)
    written.write_catalog(CATALOG + QUERY.replace("SELECT *", "SELECT label"))
    run("verify", written.alias, "--queries", "--query-seconds", 1)
    written.execute(renamed)
    ran = run("verify", written.alias, "--queries", "--query-seconds", 1)
    assert ran.code == 2
    assert "BROKEN" in ran.out
