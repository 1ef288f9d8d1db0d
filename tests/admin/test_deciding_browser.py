"""Deciding by keyboard alone, and with an impatient mouse."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from integrity import models, tasks
from tests.admin.conftest import Shop

pytestmark = pytest.mark.browser


@pytest.fixture
def page(page: Page, audited: Shop) -> Iterator[Page]:
    """A page of somebody who may do everything, on which nothing goes wrong unnoticed."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    User.objects.create_superuser("boss", password="boss")
    page.goto("/admin/")
    page.fill("#id_username", "boss")
    page.fill("#id_password", "boss")
    page.keyboard.press("Enter")
    expect(page.locator("#user-tools")).to_be_visible()
    yield page
    assert problems == []


def test_a_large_plan_is_run_by_keyboard_and_once_however_often_it_is_clicked(
    page: Page, audited: Shop, settings: Any
) -> None:
    settings.INTEGRITY |= {"TYPED_ROWS": 4}
    chosen = f"?_selected_action={audited.finding().pk}"
    page.goto(f"/admin/integrity/orphanfinding/decide/reassign/{chosen}")
    expect(page.locator("#id_to")).to_be_hidden()
    page.get_by_label("the system row").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#id_to")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("77")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("customers has no row 77")
    expect(page.locator("#id_to")).to_be_focused()

    page.goto(f"/admin/integrity/orphanfinding/decide/delete/{chosen}")
    page.get_by_role("button", name="Show what will happen").press("Enter")
    page.get_by_label("Type that number").focus()
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That is not the number")
    typed = page.get_by_label("Type that number")
    expect(typed).to_be_focused()
    typed.fill("5")
    page.get_by_role("button", name="Run exactly this plan").dblclick()
    expect(page.locator("#run-now")).to_be_visible()
    assert tasks.wait_for_jobs(30)
    assert models.Job.objects.filter(kind="repair").count() == 1
    assert len(audited.rows("SELECT * FROM orders")) == 3
