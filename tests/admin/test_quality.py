"""What every page owes to whoever cannot see well, has no mouse, a narrow screen, or another language."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from django.test import Client
from django.utils import translation
from django.utils.html import escape
from playwright.sync_api import Page

from integrity import models
from tests.admin.conftest import Shop
from tests.admin.places import addresses
from tests.browser import settle

AXE = AXE_FILE_PATH.read_text()
CONTRAST = {"runOnly": ["color-contrast"]}
"""What the dark scheme may break; the rest is the same in both."""
WHOLE = "html, .results, .integrity-scroll:has(> .integrity-stacked)"
"""What nobody has to scroll sideways on a narrow screen: pages, lists, and tables whose rows become cards."""


@pytest.mark.browser
def test_every_page_can_be_read_heard_and_fits_a_narrow_screen(boss: Page, lived: Shop) -> None:
    wrong: dict[str, Any] = {}
    for name, url in addresses(lived).items():
        boss.emulate_media(color_scheme="light")
        boss.set_viewport_size({"width": 1280, "height": 900})
        answer = boss.goto(url)
        assert answer is not None
        assert answer.status == 200, name
        assert answer.header_value("content-security-policy")
        settle(boss)
        boss.evaluate(AXE)
        serious = _serious(boss)
        boss.emulate_media(color_scheme="dark")
        settle(boss)
        serious += _serious(boss, CONTRAST)
        boss.set_viewport_size({"width": 400, "height": 800})
        width = max(boss.evaluate(f"[...document.querySelectorAll('{WHOLE}')].map(each => each.scrollWidth)"))
        if serious or width > 400:
            wrong[name] = (serious, width)
    assert wrong == {}


def _serious(page: Page, options: dict[str, Any] | None = None) -> list[Any]:
    """What axe finds on a page that keeps somebody from using it."""
    asked = {"resultTypes": ["violations"], **(options or {})}
    return [
        (each["id"], [node["html"][:160] for node in each["nodes"][:3]])
        for each in page.evaluate("asked => axe.run(asked)", asked)["violations"]
        if each["impact"] in ("serious", "critical")
    ]


# -- another language -------------------------------------------------------------------------

_DATA = ("code", "pre", "script", "style", "title", "time", "svg", "option")


class Untranslated(HTMLParser):
    """Collects words that went past the translation: what is translated stands in marks here."""

    def __init__(self) -> None:
        """Begin outside of everything."""
        super().__init__()
        self.found: list[str] = []
        self.inside: list[str] = []
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at what is said in attributes, and go in."""
        given = dict(attrs)
        if tag not in ("br", "input", "img", "link", "meta", "hr", "col", "wbr"):
            data = tag in _DATA or given.get("translate") == "no"
            self.inside.append("data" if data or "data" in self.inside else tag)
        for name in ("title", "aria-label", "placeholder", "alt"):
            if tag not in ("a",) and "data" not in self.inside:
                self.look(re.sub(r"⟦.*⟧", " ", given.get(name) or "", flags=re.DOTALL))

    def handle_endtag(self, tag: str) -> None:
        """Come out again."""
        if self.inside:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        """Keep what stands in no marks; a text may go on after a tag."""
        said = ""
        for letter in data:
            self.depth += letter == "⟦"
            said += letter if not self.depth else ""
            self.depth -= letter == "⟧"
        if "data" not in self.inside:
            self.look(said)

    def look(self, text: str) -> None:
        """Remember the words of a text."""
        self.found += re.findall(r"[^\W\d_]{3,}(?:\s+[^\W\d_]{2,})*", text)


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text that goes through the translation comes back in marks."""
    real = translation._trans
    for name in ("gettext", "pgettext", "ngettext", "npgettext"):
        function = getattr(real, name)

        def mark(*args: Any, function: Any = function) -> str:
            said = function(*args)
            return f"⟦{said}⟧" if said.strip() else said

        monkeypatch.setattr(real, name, mark)


@pytest.mark.usefixtures("marked")
def test_every_text_can_be_translated(everything: Client, lived: Shop) -> None:
    left: dict[str, list[str]] = {}
    for name, url in addresses(lived).items():
        page = everything.get(url, follow=True).content.decode()
        parser = Untranslated()
        parser.feed(_without_data(page[page.index("<body") :]))
        if found := [each for each in parser.found if each not in NAMES]:
            left[name] = found
    assert left == {}


NAMES = ("main", "note", "lost", "CASCADE", "SQLite")
"""A schema, a column, values, SQL, a product."""


def _without_data(page: str) -> str:
    """Leave out what the site was told: names of a target, and what an audit says of them."""
    told = {"shop", "boss", "sqlite", "default", "Search", "They are history", "Ask the accountant"}
    told |= {models.ORPHANED_ROWS}
    for each in models.Finding.objects.all():
        told |= {each.message, each.suggestion, each.label, each.referenced_table, *each.referenced_columns}
        told |= {each.table_name, *each.columns, each.evidence.get("rationale", "")}
    for text in sorted(filter(None, told), key=len, reverse=True):
        page = re.sub(rf"(?<![\w-]){re.escape(escape(text))}(?![\w-])", "", page)
    return page
