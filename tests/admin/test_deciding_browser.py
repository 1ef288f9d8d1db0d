"""Deciding by keyboard alone, and with an impatient mouse."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from integrity import models, tasks
from tests.admin.conftest import Shop

pytestmark = pytest.mark.browser


def test_a_large_plan_is_run_by_keyboard_and_once_however_often_it_is_clicked(
    boss: Page, audited: Shop, settings: Any
) -> None:
    settings.INTEGRITY |= {"TYPED_ROWS": 4}
    chosen = f"?_selected_action={audited.finding().pk}"
    boss.goto(f"/admin/integrity/orphanfinding/decide/reassign/{chosen}")
    expect(boss.locator("#id_to")).to_be_hidden()
    boss.get_by_label("the system row").focus()
    boss.keyboard.press("ArrowDown")
    expect(boss.locator("#id_to")).to_be_visible()
    boss.keyboard.press("Tab")
    boss.keyboard.type("77")
    boss.keyboard.press("Enter")
    expect(boss.get_by_role("alert")).to_contain_text("customers has no row 77")
    expect(boss.locator("#id_to")).to_be_focused()

    boss.goto(f"/admin/integrity/orphanfinding/decide/delete/{chosen}")
    boss.get_by_role("button", name="Show what will happen").press("Enter")
    boss.get_by_label("Type that number").focus()
    boss.keyboard.type("4")
    boss.keyboard.press("Enter")
    expect(boss.get_by_role("alert")).to_contain_text("That is not the number")
    typed = boss.get_by_label("Type that number")
    expect(typed).to_be_focused()
    typed.fill("5")
    boss.get_by_role("button", name="Run exactly this plan").dblclick()
    expect(boss.locator("#run-now")).to_be_visible()
    assert tasks.wait_for_jobs(30)
    assert models.Job.objects.filter(kind="repair").count() == 1
    assert len(audited.rows("SELECT * FROM orders")) == 3
