"""What was looked at around a migration, on its page."""

import pytest
from django.test import Client
from django.urls import reverse

from integrity.admin.advice import without_commands
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


@pytest.mark.parametrize(
    ("printed", "on_a_page"),
    [
        (
            "Resolve them first: manage.py integrity_cleanup shop --reference 'a.b' --action …. New rows are bound.",
            "Resolve them first. New rows are bound.",
        ),
        ("Make a new plan with: manage.py integrity_plan shop.", "Make a new plan."),
        ("manage.py integrity_plan shop", ""),
        ("Wait for its end; manage.py integrity_log shows how far it is.", "Wait for its end."),
        ("Find what did it (manage.py integrity_verify shop), and ask.", "Find what did it, and ask."),
        ("Wait, or\nask. Else give --force.", "Wait, or\nask."),
        ("integrity_journal is not ours. Empty integrity_journal.", "integrity_journal is not ours. Empty integrity_journal."),
        ("The rows a; b; c break a -- rule.", "The rows a; b; c break a -- rule."),
    ],
)  # fmt: skip
def test_advice_names_no_command_on_a_page(printed: str, on_a_page: str) -> None:
    assert without_commands(printed) == on_a_page
