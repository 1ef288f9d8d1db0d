"""Choosing schema fixes in a real browser: what a choice becomes is shown at once, and only that is written."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.admin.conftest import Shop

pytestmark = pytest.mark.browser


def test_what_a_choice_becomes_is_shown_at_once_and_only_that_is_written(
    page: Page, audited: Shop, settings: Any
) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "WRITES_MIGRATIONS": True}
    User.objects.create_superuser("boss", password="boss")
    page.goto(reverse("admin:login") + "?next=" + reverse("admin:integrity_schema_fixes", args=["shop"]))
    page.fill("#id_username", "boss")
    page.fill("#id_password", "boss")
    page.click("[type=submit]")
    expect(page.get_by_role("button", name="Show what these become")).to_be_hidden()

    for box in page.locator("#integrity-choice [name=fix]").all():
        box.uncheck()
    expect(page.locator("#integrity-preview")).to_contain_text("Choose at least one change.")
    page.get_by_label("Foreign key fk_lines_order on all rows").check()
    expect(page.get_by_label("Foreign key fk_lines_order on new rows")).to_be_checked()
    expect(page.locator("#integrity-preview")).to_contain_text("2 changes")

    page.get_by_role("button", name="Write these migrations").click()
    expect(page.locator(".messagelist")).to_contain_text("0001_foreign_keys.py, 0002_validate.py")
    text = (audited.root / "shop" / "migrations" / "0001_foreign_keys.py").read_text()
    assert "fk_lines_order" in text
    assert "fk_orders_customer" not in text
