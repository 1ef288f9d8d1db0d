"""A site with an admin of its own beside the default one: people stay where they are."""

import ast
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import path, resolve

from integrity import admin as pages
from integrity import models, templatetags
from integrity.admin import serving
from tests.admin.conftest import Shop
from tests.admin.places import addresses

office = admin.AdminSite("office")
office.site_url = None
pages.register(office)

urlpatterns = [path("elsewhere/", admin.site.urls), path("office/", office.urls)]

HERE, ELSEWHERE = "/office/", "/elsewhere/"


@pytest.fixture(autouse=True)
def two_sites(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


class Page(HTMLParser):
    """Collects where a page leads to."""

    def __init__(self, url: str, text: str) -> None:
        """Read it."""
        super().__init__()
        self.url, self.leads, self.links = url, list[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep every address; scripts find theirs in ``data-…``."""
        for name, value in attrs:
            data = name.startswith("data-") and (value or "").startswith("/")
            if value and (data or name in ("href", "action", "formaction", "src")):
                self.leads.append(urljoin(self.url, value).partition("#")[0])
                self.links += self.leads[-1:] if tag == "a" else []


def outside(found: list[str]) -> list[str]:
    """What leads out of the site that is open."""
    return [url for url in found if not url.startswith((HERE, "/static/"))]


def test_no_page_leads_out_of_the_site_that_serves_it(everything: Client, lived: Shop) -> None:
    begin = [url.replace(ELSEWHERE, HERE) for url in addresses(lived).values()]
    waiting, seen, known, wrong = [*begin], set[str](), set(begin), dict[str, Any]()
    for url in waiting:
        view = resolve(urlsplit(url).path).view_name
        if view in seen and url not in begin:
            continue
        seen.add(view)
        response = everything.get(url)
        if response.status_code == 302:
            leads = links = [response["Location"]]
        else:
            assert response.status_code == 200, url
            text = "" if response.streaming else response.content.decode()
            assert ELSEWHERE not in text, url
            shown = Page(url, text)
            leads, links = shown.leads, shown.links
        if found := outside(leads):
            wrong[url] = found
        fresh = [each for each in dict.fromkeys(links) if each.startswith(HERE + "integrity/")]
        waiting += [each for each in fresh if each not in known]
        known.update(fresh)
    assert wrong == {}
    assert len(seen) > 40, "most pages were reached"


def test_whoever_does_something_is_led_on_within_the_site(everything: Client, audited: Shop) -> None:
    finding = audited.finding()
    job = models.Job.objects.create(target=finding.target, kind="audit")
    selected = {"_selected_action": [finding.pk]}
    done: dict[str, dict[str, Any]] = {
        f"target/{finding.target_id}/start/audit/": {},
        "target/": {"action": "back_up", "_selected_action": [finding.target_id]},
        f"job/{job.pk}/stop/": {},
        f"orphanfinding/{finding.pk}/note/": {"text": "Ask the accountant"},
        "orphanfinding/": selected | {"action": "set_null"},
        "orphanfinding/decide/keep/": selected | {"answered": "yes", "reason": "History"},
        "finding/": selected | {"action": "schema_fixes"},
    }
    for place, sent in done.items():
        response = everything.post(f"{HERE}integrity/{place}", sent)
        assert response.status_code == 302, place
        assert outside([urljoin(HERE, response["Location"])]) == [], place


def test_links_lead_to_the_default_site_again_where_no_page_is_served(
    everything: Client, audited: Shop
) -> None:
    everything.get(f"{HERE}integrity/orphanfinding/")
    everything.get(f"{HERE}integrity/orphanfinding/x/change/")
    assert serving.reverse("admin:index") == ELSEWHERE


@pytest.mark.parametrize("package", [pages, templatetags], ids=lambda package: package.__name__)
def test_no_page_makes_an_address_without_its_site(package: ModuleType) -> None:
    makers = {"reverse", "reverse_lazy", "redirect", "resolve_url"}
    for file in Path(str(package.__file__)).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("django."):
                found = makers.intersection(each.name for each in node.names)
                assert not found, f"{file.name} takes {found} from Django: import reverse from admin.serving"
