"""The page of a finding about duplicates shows their values to whoever may see rows of a target."""

import pytest
from django.urls import reverse

from tests import factories
from tests.admin.conftest import SignIn

pytestmark = pytest.mark.django_db

SAMPLES = [
    {"value": ["1", "<b>shoes</b>"], "rows": 1200, "keys": [[1], [2]]},
    {"value": ["2", None], "rows": 2, "keys": []},
]


def page(sign_in: SignIn, *may: str, **evidence: object) -> str:
    made = factories.FindingFactory.create(code="duplicate_rows", evidence=evidence)
    url = reverse("admin:integrity_finding_change", args=[made.pk])
    return sign_in(*may).get(url).content.decode()


def test_values_rows_and_keys_are_shown(sign_in: SignIn) -> None:
    shown = page(sign_in, "view_sample_rows", samples=SAMPLES, key=["id"])

    assert "1, &lt;b&gt;shoes&lt;/b&gt;" in shown
    assert "1,200" in shown
    assert "1; 2 …" in shown
    assert "2, NULL" in shown


def test_values_are_not_shown_to_others(sign_in: SignIn) -> None:
    assert "shoes" not in page(sign_in, samples=SAMPLES, key=["id"])


def test_a_finding_without_samples_has_a_page_too(sign_in: SignIn) -> None:
    assert "more than once" not in page(sign_in, "view_sample_rows")
