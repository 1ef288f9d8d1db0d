"""A finding's page says in plain words what is wrong, why, and when the orphans were created."""

import pytest
from django.urls import reverse

from integrity import models
from integrity.admin.triage.wording import what_is_wrong
from tests import factories
from tests.admin.conftest import SignIn

pytestmark = pytest.mark.django_db

CAUSES = [
    {"kind": "format_mismatch", "rows": 12, "missing_keys": 3, "confidence": "certain",
     "evidence": {"differences": {"case": 12}}, "sentence": ""},
    {"kind": "unexplained", "rows": 5, "missing_keys": 5, "confidence": "none", "evidence": {},
     "sentence": ""},
]  # fmt: skip
CREATED = {
    "column": "created_at", "first": "2026-03-03 10:00:00", "last": "2026-03-05 11:00:00",
    "table_first": "2024-01-01 00:00:00", "table_last": "2026-03-05 12:00:00",
    "months": [{"month": "2026-03", "rows": 17}], "newest_tenth": 17, "still_growing": True,
    "timeline": {"unit": "day", "stretches": [
        {"start": "2026-03-03", "rows": 5}, {"start": "2026-03-04", "rows": 12},
    ]},
}  # fmt: skip


def page(sign_in: SignIn, *may: str, **evidence: object) -> str:
    made = factories.OrphanFindingFactory.create(evidence=evidence)
    url = reverse("admin:integrity_orphanfinding_change", args=[made.pk])
    return sign_in(*may).get(url).content.decode()


def test_a_findings_page_says_in_plain_words_what_is_wrong_and_why(sign_in: SignIn) -> None:
    shown = page(sign_in, causes=CAUSES, created=CREATED)

    assert "<h1>17 orders refer to 9 customers that do not exist</h1>" in shown
    assert "The same key exists in another spelling (case)." in shown
    assert "Nothing that is known explains them." in shown
    assert "They were created from March 3, 2026 to March 5, 2026." in shown
    assert "More keep coming." in shown
    assert "<svg" in shown
    assert "Most of them, 12, were created in the stretch that begins with 4 Mar 2026." in shown


def test_a_finding_of_an_older_audit_has_a_page_too(sign_in: SignIn) -> None:
    assert "No audit has said yet why these rows are orphans." in page(sign_in)


def test_a_cause_of_which_less_is_known_is_named(sign_in: SignIn) -> None:
    assert "Another spelling" in page(sign_in, causes=[{"kind": "format_mismatch", "rows": 17}])
    assert "Something new" in page(sign_in, causes=[{"kind": "something_new", "rows": 17}])


@pytest.mark.parametrize(
    ("table", "rows", "parent", "keys", "sentence"),
    [
        ("orders", 1, "customers", 1, "1 order refers to 1 customer that does not exist"),
        ("order_lines", 4_000, "orders", 1, "4,000 order lines refer to 1 order that does not exist"),
        ("addresses", 1, "countries", 2, "1 address refers to 2 countries that do not exist"),
        ("user_profile", 2, "auth_user", 1, "2 rows of user_profile refer to 1 row of auth_user that does "),
        ("Order Details", 1, "status", 1, "1 row of Order Details refers to 1 row of status that does not"),
        ("orders", 3, "customers", 0, "3 orders break their reference"),
    ],
)
def test_a_sentence_names_the_things_and_their_numbers(
    table: str, rows: int, parent: str, keys: int, sentence: str
) -> None:
    made = models.Finding(
        code="orphaned_rows", table_name=table, rows=rows, referenced_table=parent, missing_keys=keys
    )
    assert what_is_wrong(made).startswith(sentence)
