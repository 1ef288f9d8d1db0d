"""What was looked at around a migration, on its page."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import MigrationRunFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_the_page_of_a_migration_shows_what_was_looked_at(client: Client) -> None:
    client.force_login(UserFactory())
    check = {"moment": "before", "what": "orphans", "subject": "orders.customer_id", "hint": "Clean up."}
    run = MigrationRunFactory(
        state="failed",
        checks=[
            check | {"verdict": "failed", "message": "3 rows break <script>"},
            check | {"verdict": "passed", "message": "no orphans"},
        ],
    )
    text = client.get(reverse("admin:integrity_migrationrun_change", args=[run.pk])).content.decode()
    assert "3 rows break &lt;script&gt;" in text
    assert '<script>"' not in text
    assert "Clean up." in text
    assert text.index("failed") < text.index("no orphans")


def test_a_run_without_checks_says_so(client: Client) -> None:
    client.force_login(UserFactory())
    run = MigrationRunFactory()
    text = client.get(reverse("admin:integrity_migrationrun_change", args=[run.pk])).content.decode()
    assert "Nothing was looked at" in text
