"""The browser that tests of pages drive. No package index carries one, so it may be missing."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHTS = Path.home() / ".cache" / "ms-playwright"
HOW_TO_BRING_IT = "apt-get install chromium, or: .venv/bin/playwright install chromium"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""Works as root and in a container, and asks nobody outside for anything."""

PATIENCE = 60_000
"""Milliseconds until a page that does not become what is expected is a failure: only those wait so long."""


def find_chromium() -> Path | None:
    """Return a Chromium: the system's, or the one that Playwright downloaded."""
    for command in COMMANDS:
        if path := shutil.which(command):
            return Path(path)
    return max(PLAYWRIGHTS.glob("chromium-*/chrome-linux*/chrome"), default=None)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The path of a Chromium; without one the test is skipped, and the skip counted."""
    if not (path := find_chromium()):
        pytest.skip(f"no Chromium: {HOW_TO_BRING_IT}")
    return path


@pytest.fixture(scope="session")
def browser(chromium: Path) -> Iterator[Browser]:
    """A running Chromium.

    Playwright keeps an event loop in the test's thread, which Django takes for asynchronous code of ours.
    """
    expect.set_options(timeout=PATIENCE)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        running = playwright.chromium.launch(executable_path=chromium, args=QUIET, timeout=3 * PATIENCE)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A page of the site that runs on the test database; ``page.goto("/admin/")`` is enough."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@pytest.fixture
def boss(page: Page, live_server: LiveServer) -> Iterator[Page]:
    """A page of somebody who may do everything, on which nothing goes wrong unnoticed."""
    with watched(page):
        sign_in(page, live_server, "boss")
        yield page


def sign_in(page: Page, live_server: LiveServer, name: str) -> None:
    """Make a page somebody's who may do everything, as the form for it would, at once."""
    client = Client()
    client.force_login(get_user_model().objects.create_superuser(name, password=name))
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url, "httpOnly": True}]
    )


@contextmanager
def watched(page: Page) -> Iterator[None]:
    """Errors of scripts and breaches of the policy fail the test, at its end."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    page.on("console", lambda said: problems.append(f"{page.url}: {said.text}") if _breach(said) else None)
    yield
    assert problems == []


def _breach(said: ConsoleMessage) -> bool:
    """Whether a page of ours, and not what examines it, was kept from something."""
    return "Security Policy" in said.text and bool(said.location["url"])


def settle(page: Page) -> None:
    """Wait until all is there that a page fetches by itself, and no colour fades into another."""
    page.wait_for_load_state()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.evaluate(
        """() => {
            for (const each of document.getAnimations()) {
                if (each.effect.getComputedTiming().endTime !== Infinity) each.finish();
            }
        }"""
    )


if __name__ == "__main__":
    if not find_chromium():
        sys.stderr.write(f"No Chromium found; tests of pages will be skipped. Bring it: {HOW_TO_BRING_IT}\n")
