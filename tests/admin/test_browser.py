"""What only a real browser tells of single pages; `test_story` tells the whole."""

from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from integrity import models, tasks
from tests.admin.conftest import Shop

pytestmark = pytest.mark.browser


def test_the_keyboard_is_enough_to_keep_orphans(boss: Page, audited: Shop) -> None:
    boss.goto(f"/admin/integrity/orphanfinding/decide/keep/?_selected_action={audited.finding().pk}")
    boss.get_by_label("Reason").focus()
    boss.keyboard.type("They are history")
    boss.keyboard.press("Tab")
    for _ in range(5):
        if boss.evaluate("document.activeElement.type") == "submit":
            break
        boss.keyboard.press("Tab")
    boss.keyboard.press("Enter")
    expect(boss.locator(".messagelist")).to_contain_text("The orphans are kept")


def test_buttons_stand_apart_and_names_stay_whole_on_a_narrow_screen(boss: Page, audited: Shop) -> None:
    folder = audited.root / "shop" / "migrations"
    folder.mkdir()
    for number in (1, 2, 3):
        (folder / f"000{number}_foreign_keys.py").write_text(
            "from integrity.operations import *\n\nclass Migration(CatalogMigration):\n    target = 'shop'\n"
            f"    phase = {number}\n    dependencies = []\n"
            f"    operations = [AddIndex(table='orders', columns=('note',), name='i{number}')]\n"
        )
    target = models.Target.objects.get(alias="shop")
    models.MigrationRun.objects.create(
        target=target, migration="0001_foreign_keys", state="failed", error="no " * 99
    )
    boss.set_viewport_size({"width": 400, "height": 800})
    boss.goto(f"/admin/integrity/migrationrun/targets/{target.pk}/")
    boxes = [each.bounding_box() for each in boss.locator(".integrity-buttons .button").all()]
    lines = sorted({(box["y"], box["height"]) for box in boxes if box})
    assert len(lines) > 1
    assert all(below > above + height for (above, height), (below, _) in pairwise(lines))
    heights = [each.bounding_box() for each in boss.locator(".integrity-runs code").all()]
    assert heights
    assert all(box and box["height"] < 24 for box in heights)
    expect(boss.locator(".integrity-runs .integrity-failed")).to_be_visible()


def test_every_badge_can_be_read_in_both_schemes(boss: Page, audited: Shop) -> None:
    contrast = """() => [...document.querySelectorAll('.integrity-badge')].map(badge => {
        const parse = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
        const light = colour => parse(colour).map(c => c / 255)
            .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
        const style = getComputedStyle(badge);
        const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05);
    })"""
    for scheme in ("light", "dark"):
        boss.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        boss.goto("/admin/integrity/finding/")
        found = boss.evaluate(contrast)
        assert len(found) >= 4
        assert min(found) >= 4.5, scheme


def test_jobs_of_the_browser_are_over(boss: Page, audited: Shop) -> None:
    job = tasks.start_job(audited.alias, "audit", actor="boss")
    boss.goto(f"/admin/integrity/job/{job.pk}/change/")
    expect(boss.locator(".integrity-run-now header")).to_contain_text("finished")
    assert models.Job.objects.get().state == "finished"
