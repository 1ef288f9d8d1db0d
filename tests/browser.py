"""The browser that tests of pages drive. No package index carries one, so it may be missing."""

import shutil
import sys
from pathlib import Path

import pytest

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHTS = Path.home() / ".cache" / "ms-playwright"
HOW_TO_BRING_IT = "apt-get install chromium, or: .venv/bin/playwright install chromium"


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


if __name__ == "__main__":
    if not find_chromium():
        sys.stderr.write(f"No Chromium found; tests of pages will be skipped. Bring it: {HOW_TO_BRING_IT}\n")
