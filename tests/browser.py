"""The browser that tests of pages drive. No package index carries one, so it may be missing."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
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
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        running = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A page of the site that runs on the test database; ``page.goto("/admin/")`` is enough."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


if __name__ == "__main__":
    if not find_chromium():
        sys.stderr.write(f"No Chromium found; tests of pages will be skipped. Bring it: {HOW_TO_BRING_IT}\n")
