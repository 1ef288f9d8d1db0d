"""The shop's hot queries at the record's own load, 10,000 order items: measured before and after the indexes.

What is asserted is work, which is the same on a busy machine, and that no query is called slower.
"""

from typing import Any

import pytest
from django.db import connections

from fixtures import commerce
from integrity import models
from integrity.verification import measuring
from tests.commands import run, run_json
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.django_db(transaction=True)

WON = {"order_detail", "variant_lookup", "category_by_slug"}
"""What the record promises to get faster, and a table of this size shows."""


@pytest.fixture
def shop(empty_target: EmptyTarget, monkeypatch: pytest.MonkeyPatch) -> EmptyTarget:
    monkeypatch.setattr(measuring, "ROUNDS", 60)
    connections.databases["target"]["CATALOG"] = "commerce"
    commerce.build(empty_target.url, rows=10_000)
    if empty_target.vendor != SQLITE:
        empty_target.execute_script("VACUUM ANALYZE")
    return empty_target


def test_queries_get_faster_by_the_indexes_and_none_gets_slower(shop: EmptyTarget) -> None:
    ran = run("migrate", "target", "--phase", 1, "--queries", "--query-seconds", 8, "--format", "json")
    assert ran.code == 0, ran.err + ran.out
    found: dict[str, Any] = {each["name"]: each for each in ran.json["measured"]["queries"]}
    unit = "steps" if shop.vendor == SQLITE else "pages"

    assert len(found) >= 7
    assert not [name for name, each in found.items() if each["regressed"] or each["after"]["error"]]
    for name in WON:
        before, after = found[name]["before"], found[name]["after"]
        assert before["access"] == "scan", name
        assert after["access"].startswith("index idx_"), name
        assert after[unit] * 2 < before[unit], name
        assert before["draws"] > 1, name
    kept = found["orders_of_customer"]
    assert kept["before"]["access"] == kept["after"]["access"]
    assert kept["before"][unit] == kept["after"][unit]


def test_an_index_dropped_by_hand_fails_the_verification(shop: EmptyTarget) -> None:
    run_json("migrate", "target", "--phase", 1)
    options = ("--queries", "--query-seconds", 4, "--no-flows", "--format", "json")
    assert "query_lost_index" not in {
        each["code"] for each in run("verify", "target", *options).json["problems"]
    }
    shop.execute_script("DROP INDEX idx_order_items_variant")
    ran = run("verify", "target", *options)

    assert ran.code == 1
    lost = [each for each in ran.json["problems"] if each["code"] == "query_lost_index"]
    assert [each["object"] for each in lost] == ["variant_lookup"]
    assert models.QueryRun.objects.count() == 2
