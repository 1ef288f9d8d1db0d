"""Rows in a real browser: what is slow comes later, and everything is done with the keyboard."""

import pytest
from playwright.sync_api import Page, expect

from integrity import models, store
from tests.admin.conftest import Shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_rows_come_into_the_page_of_a_finding_and_some_of_them_are_chosen(boss: Page, audited: Shop) -> None:
    audited.execute(
        "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 49) "
        "INSERT INTO orders SELECT i, 90, 'x' FROM n"
    )
    boss.goto(f"/admin/integrity/orphanfinding/{audited.finding().pk}/change/")
    rows = boss.locator(".integrity-rows form tbody tr")
    expect(rows).to_have_count(25)
    delete = boss.get_by_role("group", name="Decide about the chosen rows").get_by_role(
        "button", name="Delete"
    )
    expect(delete).to_be_disabled()
    boss.get_by_role("link", name="Next page").press("Enter")
    expect(rows).to_have_count(18)
    expect(boss.get_by_role("heading", name="Rows as they are now")).to_be_focused()
    assert boss.url.endswith("/change/"), "the page stays"
    boss.get_by_label("Choose row 49").check()
    delete.press("Enter")
    boss.wait_for_url("**/plan/**")
    plan = store.load_plan(audited.alias, models.StoredPlan.objects.get().hash)
    assert [(step.chosen_rows, step.rows) for step in plan.changing_steps if step.chosen_rows] == [
        ((("49",),), 1)
    ]


def test_a_row_is_found_by_its_name_with_the_keyboard_alone(boss: Page, audited: Shop) -> None:
    boss.goto(f"/admin/integrity/orphanfinding/decide/reassign/?_selected_action={audited.finding().pk}")
    boss.get_by_label("another row").check()
    field = boss.get_by_role("combobox")
    field.press_sequentially("gra")
    expect(boss.get_by_role("option")).to_have_text(["2 · Grace"])
    expect(field).to_have_attribute("aria-expanded", "true")
    field.press("ArrowDown")
    expect(boss.get_by_role("option", selected=True)).to_have_text("2 · Grace")
    field.press("Enter")
    expect(field).to_have_value("2")
    expect(field).to_have_attribute("aria-expanded", "false")
    expect(boss.locator(".integrity-autocomplete-chosen")).to_have_text("2 · Grace")
    field.fill("nobody")
    expect(boss.locator(".integrity-autocomplete-note")).to_have_text("No row is found by that.")


def test_an_answer_that_comes_late_takes_nothing_from_under_the_hand(boss: Page, audited: Shop) -> None:
    boss.goto(f"/admin/integrity/orphanfinding/decide/reassign/?_selected_action={audited.finding().pk}")
    boss.get_by_label("another row").check()
    field, chosen = boss.get_by_role("combobox"), boss.get_by_role("option", selected=True)
    field.press_sequentially("gra")
    expect(boss.get_by_role("option")).to_have_text(["2 · Grace"])
    field.press("ArrowDown")
    boss.get_by_role("option").evaluate("each => { each.dataset.old = 'yes'; }")
    field.press("c")
    expect(boss.locator("[role=option][data-old]")).to_have_count(0)
    expect(chosen).to_have_text("2 · Grace")
    boss.route("**/*term=grace", lambda asked: None)
    with boss.expect_request("**/*term=grace"):
        field.press("e")
    with boss.expect_event("requestfailed"):
        field.press("Enter")
    expect(field).to_have_value("2")
    expect(field).to_have_attribute("aria-expanded", "false")
