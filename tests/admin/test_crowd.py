"""No page needs more than twenty queries, and none works harder because much is remembered."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrity import models
from tests.admin.crowd import effort, make_crowd

pytestmark = pytest.mark.django_db

MOST_QUERIES = 20
MOST_STEPS = 60
"""Thousands of steps beyond those of a small site: a look at 100,000 findings takes ten times as many."""


KEPT = {
    "target": models.Target,
    "auditrun": models.AuditRun,
    "repairrun": models.RepairRun,
    "resolution": models.Resolution,
    "backup": models.Backup,
}


def _list(name: str, query: str = "") -> Callable[[models.Finding], str]:
    return lambda finding: reverse(f"admin:integrity_{name}_changelist") + query


def _page(name: str) -> Callable[[models.Finding], str]:
    model = KEPT.get(name)

    def address(finding: models.Finding) -> str:
        found = model.objects.order_by("pk").first() if model else finding
        assert found is not None
        return reverse(f"admin:integrity_{name}_change", args=[found.pk])

    return address


ADDRESSES: dict[str, Callable[[models.Finding], str]] = {
    "the overview": lambda finding: reverse("admin:app_list", args=["integrity"]),
    "all migrations": lambda finding: reverse("admin:integrity_migrations"),
    "the triage list": _list("orphanfinding"),
    "the triage list by name": _list("orphanfinding", "?o=1"),
    "its second page": _list("orphanfinding", "?p=2"),
    "what was resolved": _list("orphanfinding", "?state__exact=resolved"),
    "all findings": _list("finding"),
    "findings of a target": lambda finding: (
        reverse("admin:integrity_finding_changelist") + f"?target__id__exact={finding.target_id}"
    ),
    "a finding for triage": _page("orphanfinding"),
    "a finding": _page("finding"),
    "a target": _page("target"),
    "targets": _list("target"),
    "audits": _list("auditrun"),
    "an audit": _page("auditrun"),
    "repairs": _list("repairrun"),
    "quarantines": lambda finding: reverse("admin:integrity_quarantine") + "?target=",
    "a quarantine": lambda finding: f"{reverse('admin:integrity_quarantine')}?target={finding.target.alias}",
    "a repair": _page("repairrun"),
    "jobs": _list("job"),
    "migration runs": _list("migrationrun"),
    "decisions": _list("resolution"),
    "a decision": _page("resolution"),
    "plans": _list("storedplan"),
    "backups": _list("backup"),
    "a backup": _page("backup"),
}


@pytest.fixture
def boss(client: Client, admin_user: object) -> Client:
    """Somebody who sees every part of every page."""
    client.force_login(admin_user)  # type: ignore[arg-type]
    return client


def test_no_page_grows_with_what_is_remembered(boss: Client) -> None:
    finding = make_crowd(200, 20)
    before = {name: _measured(boss, address(finding)) for name, address in ADDRESSES.items()}
    finding = make_crowd(100_000, 1_000)
    after = {name: _measured(boss, address(finding)) for name, address in ADDRESSES.items()}
    assert {name: queries for name, (queries, _) in after.items() if queries > MOST_QUERIES} == {}
    grown = {name: (before[name][1], steps) for name, (_, steps) in after.items()}
    assert {name: each for name, each in grown.items() if each[1] > each[0] + MOST_STEPS} == {}


def _measured(client: Client, url: str) -> tuple[int, int]:
    """Queries, and thousands of steps, of a page that opens."""
    assert client.get(url).status_code == 200, url
    with CaptureQueriesContext(connection) as queries, effort() as counted:
        client.get(url)
    return len(queries), counted.steps
