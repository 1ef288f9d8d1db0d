"""Choosing schema fixes in a real browser: what a choice becomes is shown at once, and only that is written."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from tests.admin.conftest import Shop

pytestmark = pytest.mark.browser


def test_what_a_choice_becomes_is_shown_at_once_and_only_that_is_written(
    boss: Page, audited: Shop, settings: Any
) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "WRITES_MIGRATIONS": True}
    boss.goto(reverse("admin:integrity_schema_fixes", args=["shop"]))
    expect(boss.get_by_role("button", name="Show what these become")).to_be_hidden()

    for box in reversed(boss.locator("#integrity-choice [name=fix]").all()):  # what others need comes first
        box.uncheck()
    expect(boss.locator("#integrity-preview")).to_contain_text("Choose at least one change.")
    boss.get_by_label("Foreign key fk_lines_order on all rows").check()
    expect(boss.get_by_label("Foreign key fk_lines_order on new rows")).to_be_checked()
    expect(boss.locator("#integrity-preview")).to_contain_text("2 changes")

    boss.get_by_role("button", name="Write these migrations").click()
    expect(boss.locator(".messagelist")).to_contain_text("0001_foreign_keys.py, 0002_validate.py")
    text = (audited.root / "shop" / "migrations" / "0001_foreign_keys.py").read_text()
    assert "fk_lines_order" in text
    assert "fk_orders_customer" not in text


def test_an_answer_to_an_older_choice_ticks_nothing_again(boss: Page, audited: Shop) -> None:
    boss.goto(reverse("admin:integrity_schema_fixes", args=["shop"]))
    lines, orders = (
        boss.get_by_label(f"Foreign key {name} on all rows")
        for name in ("fk_lines_order", "fk_orders_customer")
    )
    held: list[Route] = []
    boss.route("**/*chosen=yes*", lambda asked: asked.continue_() if held else held.append(asked))
    with boss.expect_request("**/*chosen=yes*"):
        lines.uncheck()
    orders.uncheck()
    expect(boss.locator("#integrity-preview input[type=submit]:enabled")).to_have_count(0)
    with boss.expect_response("**/*chosen=yes*") as answered:
        held[0].continue_()
    answered.value.finished()
    expect(boss.locator("#integrity-preview input[type=submit]:disabled")).to_have_count(0)
    expect(lines).not_to_be_checked()
    expect(orders).not_to_be_checked()
