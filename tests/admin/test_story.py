"""The whole story in a real browser, on each engine, with the pictures that README and docs show.

``SCREENSHOTS=docs/images`` (``make pictures``) takes the pictures; without it the pages are driven all the same.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from integrity import models, tasks
from tests.admin import bookshop
from tests.browser import settle, sign_in, watched
from tests.servers import EmptyTarget

pytestmark = [pytest.mark.browser, pytest.mark.newest_postgres_only, pytest.mark.alias("bookshop")]

PARTS = 4
SIZES = {"wide": (1280, 860), "narrow": (400, 860)}
NARROW = ("overview", "finding")
"""What is shown on a phone, too; all pages fit one."""
RUN = "Run exactly this plan"


@pytest.fixture
def target(empty_target: EmptyTarget, tmp_path: Path, settings: Any, transactional_db: None) -> EmptyTarget:
    """The bookshop, audited every month while it lost more and more, but not today."""
    folder = tmp_path / "catalogs" / empty_target.alias
    folder.mkdir(parents=True)
    (folder / "catalog.toml").write_text(bookshop.CATALOG)
    settings.INTEGRITY = {
        "CATALOG_ROOT": folder.parent,
        "BACKUP_ROOT": tmp_path / "backups",
        "WRITES_MIGRATIONS": True,
        "TYPED_ROWS": 100,
    }
    empty_target.execute_script(bookshop.STRUCTURE)
    for number in range(PARTS):
        empty_target.execute_script(bookshop.part(number, PARTS))
        if number < PARTS - 1:
            _audited(empty_target.alias, timedelta(days=30 * (PARTS - number - 1)))
    return empty_target


def _audited(alias: str, ago: timedelta) -> None:
    run = tasks.audit_and_store(alias, actor="cron").run
    when = timezone.now() - ago
    models.AuditRun.objects.filter(pk=run).update(started_at=when, finished_at=when)


@dataclass
class Pictures:
    """Takes each page light and dark, wide and narrow."""

    page: Page
    folder: Path | None

    def take(self, name: str, *, whole: bool = False) -> None:
        """Look at a page in each way; no page is wider than its screen."""
        settle(self.page)
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width, (name, size)
            for scheme in ("light", "dark") if size == "wide" or name in NARROW else ():
                self._take(f"{name}-{size}-{scheme}.png", scheme, whole)
        self.page.set_viewport_size({"width": SIZES["wide"][0], "height": SIZES["wide"][1]})
        self.page.emulate_media(color_scheme="light")

    def _take(self, name: str, scheme: Any, whole: bool) -> None:
        if self.folder is None:
            return
        self.page.emulate_media(color_scheme=scheme)
        settle(self.page)
        self.page.screenshot(path=self.folder / name, full_page=whole)


@pytest.fixture
def pictures(page: Page, target: EmptyTarget) -> Pictures:
    """Kept only where somebody asked for them, and then those of PostgreSQL."""
    folder = os.environ.get("SCREENSHOTS") if target.vendor == "postgresql" else None
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    return Pictures(page, Path(folder) if folder else None)


@pytest.fixture
def page(page: Page, live_server: LiveServer) -> Iterator[Page]:
    """A page of Olga, who may do everything; nothing goes wrong on it unnoticed."""
    with watched(page):
        sign_in(page, live_server, "olga")
        yield page


def go(page: Page, place: str) -> None:
    """Follow the way around that every page has."""
    page.get_by_role("navigation", name="Referential integrity").get_by_role("link", name=place).click()


def watch(page: Page) -> None:
    """Wait for the end of a job; its page renews itself."""
    expect(page.locator("#run-now")).to_have_text("What came of it")
    expect(page.locator(".integrity-run-now .integrity-badge")).to_contain_text("finished")


def run_plan(page: Page) -> None:
    """Type the number of rows where that is asked for, and run the plan that is shown."""
    expect(page.get_by_role("button", name=RUN)).to_be_visible()
    type_rows(page)
    page.get_by_role("button", name=RUN).click()
    watch(page)


def type_rows(page: Page) -> None:
    """Type the number of rows where a page asks for it."""
    page.wait_for_load_state()
    if (label := page.locator("label[for=id_rows]")).count():
        page.fill("#id_rows", "".join(letter for letter in label.inner_text() if letter.isdigit()))


def test_from_an_audit_to_a_repair_and_back(page: Page, target: EmptyTarget, pictures: Pictures) -> None:
    orders, lines = (f"SELECT * FROM {table} ORDER BY id" for table in ("orders", "order_lines"))
    before = target.rows(orders), target.rows(lines)

    page.goto("/admin/integrity/")
    page.get_by_role("link", name="bookshop", exact=True).click()
    page.get_by_role("button", name="Audit now").first.click()
    watch(page)
    go(page, "Overview")
    pictures.take("overview")
    page.get_by_role("link", name="bookshop", exact=True).click()
    pictures.take("target")

    go(page, "Orphans")
    pictures.take("triage")
    page.get_by_role("link", name="orders.customer_id").click()
    expect(page.locator("#content h1")).to_have_text("215 orders refer to 23 customers that do not exist")
    expect(page.locator("#content")).to_contain_text("One missing key alone stands for 84 % of them")
    expect(page.locator("input[name=row]").first).to_be_visible()
    pictures.take("finding", whole=True)

    page.get_by_role("link", name="Decide for the key 417").click()
    page.locator("#decide").get_by_role("button", name="Delete to quarantine").click()
    expect(page.locator(".integrity-what")).to_contain_text("rows of orders are taken out")
    pictures.take("preview")
    run_plan(page)
    pictures.take("run")
    assert (target.rows(orders), target.rows(lines)) != before

    go(page, "Quarantine")
    expect(page.locator("input[name=row]").first).to_be_visible()
    pictures.take("quarantine")
    page.get_by_role("link", name="Restore the whole run…").click()
    pictures.take("roll_back")
    type_rows(page)
    page.get_by_role("button", name="Roll this run back").click()
    watch(page)
    pictures.take("proof")
    assert (target.rows(orders), target.rows(lines)) == before


@pytest.mark.engine("postgresql")
def test_from_decisions_to_keys_that_are_enforced(
    page: Page, target: EmptyTarget, pictures: Pictures
) -> None:
    _audited(target.alias, timedelta())
    shop = models.Target.objects.get(alias=target.alias).pk

    go(page.goto("/admin/integrity/") and page, "Migrations")
    pictures.take("migrations-of-all")
    page.get_by_role("link", name="bookshop").first.click()
    page.get_by_role("link", name="See what it needs, and make migrations of it.").click()
    pictures.take("schema_fixes")
    page.get_by_role("button", name="Write these migrations").click()
    pictures.take("migrations")
    page.get_by_role("link", name="Apply up to phase 2…").click()
    pictures.take("migrate")
    page.get_by_role("button", name="Do exactly this").click()
    watch(page)
    pictures.take("migrated")

    page.goto(reverse("admin:integrity_target_migrations", args=[shop]) + "?phase=3")
    expect(page.locator("#content")).to_contain_text("will not begin as things are")
    pictures.take("blocked", whole=True)
    page.get_by_role("link", name="Decide about books.isbn").click()
    pictures.take("duplicates", whole=True)
    page.get_by_role("button", name="Show what will happen").click()
    run_plan(page)

    go(page, "Orphans")
    expect(page).to_have_url(re.compile("/orphanfinding/"))
    settle(page)
    page.check("#action-toggle")
    page.select_option("select[name=action]", label="Each as suggested…")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("button", name=RUN)).to_be_visible()
    pictures.take("suggested", whole=True)
    run_plan(page)
    for label, decision in (
        ("order_lines.book_id", "Set NULL"),
        ("invoices.order_id", "Delete to quarantine"),
    ):
        go(page, "Orphans")
        page.get_by_role("link", name=label).click()
        page.locator("#decide").get_by_role("button", name=decision).click()
        run_plan(page)

    go(page, "Migrations")
    page.get_by_role("link", name="bookshop").first.click()
    page.get_by_role("link", name="Apply up to phase 3…").click()
    page.get_by_role("button", name="Do exactly this").click()
    watch(page)
    go(page, "Overview")
    page.get_by_role("link", name="bookshop", exact=True).click()
    expect(page.locator("#content")).to_contain_text("healthy")
    pictures.take("healed", whole=True)
