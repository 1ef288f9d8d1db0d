"""What the documents say is what the code does: every command, option, setting, code and check is in them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.core.management import get_commands, load_command_class
from django.dispatch import Signal

from integrity import conf, signals, tasks, urls
from integrity.checks import ALERT_WORDS
from integrity.detectors import all_detectors
from integrity.metrics import METRICS
from integrity.references import catalog_reading
from integrity.scripts.checks.base import all_checks
from integrity.views.migrating import WORDS

CHECKOUT = Path(__file__).resolve().parents[2]
COMMANDS = sorted(name for name, app in get_commands().items() if app == "integrity")
DJANGO_OPTIONS = {
    "--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color",
    "--force-color", "--noinput",
}  # fmt: skip


def text(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


def options(command: str) -> set[str]:
    parser = load_command_class("integrity", command).create_parser("manage.py", command)
    found = {each for action in parser._actions for each in action.option_strings if each.startswith("--")}
    return found - DJANGO_OPTIONS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_each_of_its_options_is_documented(command: str) -> None:
    documented = text("docs/commands.md")
    assert command in documented
    assert not {option for option in options(command) if f"{option}" not in documented}


def test_no_command_or_option_is_documented_that_does_not_exist() -> None:
    documented = text("docs/commands.md") + text("README.md")
    known = set().union(*(options(command) for command in COMMANDS))
    assert set(re.findall(r"\bintegrity_[a-z]+\b", documented)) <= {
        *COMMANDS,
        "integrity_journal",
        "integrity_project",
    }
    assert set(re.findall(r"--[a-z][a-z-]+", text("docs/commands.md"))) <= known


def test_every_setting_is_documented_and_no_other() -> None:
    source = Path(conf.__file__).read_text(encoding="utf-8")
    settings = set(re.findall(r'_setting\(\s*"([A-Z_]+)"', source))
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", text("docs/settings.md"), re.MULTILINE))
    assert documented == settings


def test_every_code_that_an_audit_can_find_is_documented() -> None:
    documented = text("docs/commands.md")
    assert not [each.code for each in all_detectors() if f"`{each.code}`" not in documented]


def test_every_check_of_scripts_is_documented_and_no_other() -> None:
    documented = re.findall(
        r"^\| `(\w+)` \| (?:error|warning|info|by )", text("docs/scripts.md"), re.MULTILINE
    )
    assert sorted(documented) == [each.code for each in all_checks()]
    assert not [each.code for each in all_checks() if not each.title]


@pytest.mark.parametrize("entry", sorted(catalog_reading.ENTRIES))
def test_every_word_of_a_catalog_is_documented(entry: str) -> None:
    documented = text("docs/catalog.md")
    assert f"[{entry}]" in documented
    assert not {word for word in catalog_reading.ENTRIES[entry] if f"`{word}`" not in documented}


def test_links_between_documents_lead_somewhere() -> None:
    for name in ("README.md", *(f"docs/{path.name}" for path in (CHECKOUT / "docs").glob("*.md"))):
        for link in re.findall(r"\]\(([^)#:]+)\)", text(name)):
            assert ((CHECKOUT / name).parent / link).exists(), f"{name} links to {link}"


def test_every_metric_is_documented_with_its_type_and_labels_and_no_other() -> None:
    rows = re.findall(r"^\| `(integrity_\w+)` \| (\w+) \| (.*?) \|", text("docs/monitoring.md"), re.MULTILINE)
    documented = {(name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert documented == {(each.exposed, each.kind, each.labels) for each in METRICS}


def test_rules_and_queries_in_the_documents_use_metrics_that_exist() -> None:
    named = set(re.findall(r"\b(integrity_[a-z_]+)(?=\[|\{|\b ==|\b offset)", text("docs/monitoring.md")))
    assert named
    assert named <= {each.exposed for each in METRICS}


def test_every_signal_is_documented_and_no_other() -> None:
    known = {name for name, each in vars(signals).items() if isinstance(each, Signal)}
    section = text("docs/monitoring.md").partition("## Signals")[2].partition("## Alerts")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == known


def test_every_word_of_the_alerts_is_documented() -> None:
    section = text("docs/monitoring.md").partition("## Alerts")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(ALERT_WORDS)


def test_every_endpoint_and_each_word_of_its_body_is_documented() -> None:
    documented = text("docs/endpoints.md")
    addresses = {str(each.pattern).split("<")[0] for each in urls.urlpatterns}
    assert not {each for each in addresses if f"integrity/{each}" not in documented}
    assert not {word for word in WORDS if f"`{word}`" not in documented}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("page", "data"), [("health", tasks.health), ("status", tasks.status), ("stats", tasks.stats)]
)
def test_every_key_of_a_document_is_in_its_example(page: str, data: Callable[[], Any]) -> None:
    section = text("docs/endpoints.md").partition(f"\n## {page}\n")[2].partition("\n## ")[0]
    assert not {key for key in keys(data()) if f'"{key}"' not in section}


def keys(data: Any) -> set[str]:
    if isinstance(data, dict):
        return set(data).union(*(keys(each) for each in data.values()))
    return set().union(*(keys(each) for each in data)) if isinstance(data, list) else set()


def test_every_permission_of_the_admin_is_documented_in_one_table_and_no_other() -> None:
    table = re.findall(r"^\| (`.*?) \|", section(text("docs/admin.md"), "Who may do what"), re.MULTILINE)
    documented = [name for row in table for name in re.findall(r"`(\w+)`", row)]
    known = set()
    for model in apps.get_app_config("integrity").get_models():
        known |= {name for name, _ in model._meta.permissions}
        within_another = model._meta.model_name in ("querytiming", "worker")  # on the page of something else
        if admin.site.is_registered(model) or within_another:
            known.add(get_permission_codename("view", model._meta))
    assert sorted(documented) == sorted(known)


def test_pictures_in_documents_are_there() -> None:
    for name in ("README.md", *(f"docs/{each.name}" for each in (CHECKOUT / "docs").glob("*.md"))):
        for picture in re.findall(r'\bsrc(?:set)?="([^"]+)"', text(name)):
            assert ((CHECKOUT / name).parent / picture).is_file(), f"{name} shows {picture}"


def test_links_to_a_heading_lead_to_one() -> None:
    for name in (path.name for path in (CHECKOUT / "docs").glob("*.md")):
        for page, heading in re.findall(r"\]\(([\w-]*(?:\.md)?)#([\w-]+)\)", text(f"docs/{name}")):
            headings = re.findall(r"^#+ (.*)$", text(f"docs/{page or name}"), re.MULTILINE)
            assert heading in {_anchor(each) for each in headings}, f"{name} links to {page}#{heading}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")


def section(document: str, heading: str) -> str:
    return document.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
