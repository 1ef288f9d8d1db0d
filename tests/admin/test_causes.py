"""A finding's page says why there are orphans, and when they were created."""

import pytest
from django.urls import reverse

from tests import factories
from tests.admin.conftest import SignIn

pytestmark = pytest.mark.django_db

CAUSES = [
    {"kind": "format_mismatch", "rows": 12, "missing_keys": 3, "confidence": "certain", "evidence": {},
     "sentence": "12 rows: the parent exists in another spelling (case 12)"},
    {"kind": "unexplained", "rows": 5, "missing_keys": 5, "confidence": "none", "evidence": {},
     "sentence": "5 rows: unexplained"},
]  # fmt: skip
CREATED = {
    "column": "created_at", "first": "2026-03-03 10:00:00", "last": "2026-03-05 11:00:00",
    "table_first": "2024-01-01 00:00:00", "table_last": "2026-03-05 12:00:00",
    "months": [{"month": "2026-03", "rows": 17}], "newest_tenth": 17, "still_growing": True,
}  # fmt: skip


def page(sign_in: SignIn, **evidence: object) -> str:
    made = factories.OrphanFindingFactory.create(evidence=evidence)
    url = reverse("admin:integrity_orphanfinding_change", args=[made.pk])
    return sign_in().get(url).content.decode()


def test_a_findings_page_says_why_and_when(sign_in: SignIn) -> None:
    shown = page(sign_in, causes=CAUSES, created=CREATED)

    assert "12 rows: the parent exists in another spelling (case 12)" in shown
    assert "5 rows: unexplained" in shown
    assert "2026-03-03 10:00:00 to 2026-03-05 11:00:00, still growing" in shown
    assert "most in 2026-03: 17" in shown


def test_a_finding_of_an_older_audit_has_a_page_too(sign_in: SignIn) -> None:
    assert "unexplained" not in page(sign_in)
