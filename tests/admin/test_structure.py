"""From findings to schema fixes, to migrations, to what stands in the target, and back."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from integrity import models, tasks
from integrity.plans import Request
from integrity.references import Resolution
from integrity.repairs import Options
from tests.admin.conftest import Shop, SignIn

pytestmark = pytest.mark.django_db(transaction=True)


def show_fixes(client: Client) -> Any:
    """Ask for the schema fixes of all findings about structure."""
    chosen = models.Finding.objects.filter(code__in=["missing_foreign_key", "missing_index"])
    data = {"action": "schema_fixes", "_selected_action": [finding.pk for finding in chosen]}
    return client.post(reverse("admin:integrity_finding_changelist"), data, follow=True)


def post_shown(client: Client, shown: Any, **more: Any) -> Any:
    """Post the form that was shown."""
    keys = [each.key for each in shown.context["chosen"]]
    data = {"chosen": "yes", "fix": keys, "digest": shown.context["digest"], **more}
    return client.post(reverse("admin:integrity_schema_fixes", args=["shop"]), data, follow=True)


def migrations_page(shop: Shop) -> str:
    target = models.Target.objects.get(alias=shop.alias)
    return reverse("admin:integrity_target_migrations", args=[target.pk])


def migrate(client: Client, shop: Shop, **wanted: Any) -> models.Job:
    """Preview, post exactly what was shown, and wait for it."""
    url = migrations_page(shop)
    shown = client.get(url, wanted)
    client.post(url, {**wanted, "digest": shown.context["planned"].digest})
    assert tasks.wait_for_jobs(30)
    job = models.Job.objects.first()
    assert job is not None
    return job


@pytest.fixture
def written(audited: Shop, everything: Client, settings: Any) -> Shop:
    """The shop with its schema fixes written as migrations."""
    settings.INTEGRITY = {**settings.INTEGRITY, "WRITES_MIGRATIONS": True}
    post_shown(everything, show_fixes(everything))
    return audited


def test_fixes_are_shown_by_phase_with_their_sql(audited: Shop, everything: Client) -> None:
    text = show_fixes(everything).content.decode()
    for said in (
        "Phase 1",
        "Phase 2",
        "Phase 3",
        "CREATE INDEX",
        "fk_orders_customer",
        "An order is somebody",
    ):
        assert said in text
    assert "Deleting a row of customers deletes the rows of orders" in text
    assert not (audited.root / "shop" / "migrations").exists()


def test_what_was_shown_is_written(written: Shop) -> None:
    names = sorted(path.name for path in (written.root / "shop" / "migrations").glob("0*.py"))
    assert names == ["0001_indexes.py", "0002_foreign_keys.py", "0003_validate.py"]
    assert "Wrote migrations: 0001_indexes.py" in LogEntry.objects.get().change_message


def test_what_is_written_already_leads_to_the_migrations(written: Shop, everything: Client) -> None:
    response = show_fixes(everything)
    assert response.redirect_chain[-1][0] == migrations_page(written)


def test_where_files_may_not_be_written_they_are_offered(
    audited: Shop, everything: Client, settings: Any
) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "WRITES_MIGRATIONS": False}
    shown = show_fixes(everything)
    assert "Write these migrations" not in shown.content.decode()
    response = post_shown(everything, shown, patch="yes")
    assert "attachment" in response["Content-Disposition"]
    assert "class Migration(CatalogMigration)" in response.content.decode()
    assert post_shown(everything, shown).status_code == 403, "a forged POST is refused"
    assert not (audited.root / "shop" / "migrations").exists()


def test_a_catalog_that_changed_since_is_not_written(
    audited: Shop, everything: Client, settings: Any
) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "WRITES_MIGRATIONS": True}
    shown = show_fixes(everything)
    catalog = audited.root / "shop" / "catalog.toml"
    catalog.write_text(catalog.read_text().replace('"An order is somebody\'s"', '"Another reason"'))
    assert "changed since this was shown" in post_shown(everything, shown).content.decode()
    assert not (audited.root / "shop" / "migrations").exists()


def test_migrations_are_applied_phase_by_phase_and_reversed(written: Shop, everything: Client) -> None:
    assert migrate(everything, written, phase=1).state == "finished"
    assert written.rows("SELECT count(*) FROM sqlite_master WHERE name = 'orders_customer_idx'") == [(1,)]
    run = models.MigrationRun.objects.get()
    assert (run.migration, run.direction, run.phase, run.actor) == ("0001_indexes", "forward", 1, "boss")
    text = everything.get(migrations_page(written)).content.decode()
    assert "Apply up to phase 2" in text
    assert "Apply up to phase 1" not in text

    assert migrate(everything, written, to="zero").state == "finished"
    assert written.rows("SELECT count(*) FROM sqlite_master WHERE name = 'orders_customer_idx'") == [(0,)]
    assert models.MigrationRun.objects.filter(direction="backward").count() == 1


def test_one_button_runs_all_that_is_pending_after_a_preview(written: Shop, everything: Client) -> None:
    written.execute("DELETE FROM orders WHERE customer_id NOT IN (SELECT id FROM customers)")
    written.execute("DELETE FROM lines WHERE order_id NOT IN (SELECT id FROM orders)")
    page = migrations_page(written)
    assert "Run migrations…" in everything.get(page).content.decode()
    preview = everything.get(page, {"run": "all"})
    steps, digest = preview.context["said"], preview.context["planned"].digest
    assert "+0003_validate" in steps
    assert not models.Job.objects.exists()

    everything.post(page, {"run": "all", "digest": digest})
    tasks.wait_for_jobs()
    job = models.Job.objects.get()
    assert job.state == "finished", job.error
    assert steps in LogEntry.objects.latest("pk").change_message
    assert "Run migrations…" not in everything.get(page).content.decode()


def test_nobody_starts_migrations_while_others_are_under_way(written: Shop, everything: Client) -> None:
    page = migrations_page(written)
    digest = everything.get(page, {"run": "all"}).context["planned"].digest
    target = models.Target.objects.get(alias="shop")
    models.Job.objects.create(target=target, kind="migrate", state="running")
    answer = everything.post(page, {"run": "all", "digest": digest}, follow=True)
    assert "Migrations are under way already" in answer.content.decode()
    assert models.Job.objects.count() == 1


def test_the_sql_is_shown_before_it_runs(written: Shop, everything: Client) -> None:
    text = everything.get(migrations_page(written), {"phase": 1}).content.decode()
    assert "CREATE INDEX &quot;orders_customer_idx&quot;" in text
    assert not models.Job.objects.exists()


def test_a_phase_whose_precondition_fails_says_which_rows(written: Shop, everything: Client) -> None:
    job = migrate(everything, written, phase=3)
    assert job.state == "failed"
    assert "orders.customer_id" in job.error
    failed = models.MigrationRun.objects.get(state="failed")
    assert (failed.migration, failed.error) == ("0003_validate", job.error)
    assert "in the way" in everything.get(migrations_page(written)).content.decode()


def test_what_changed_since_it_was_shown_is_not_done(written: Shop, everything: Client) -> None:
    response = everything.post(migrations_page(written), {"phase": 1, "digest": "another"}, follow=True)
    assert "changed since this was shown" in response.content.decode()
    assert not models.Job.objects.exists()


def test_applying_and_writing_have_permissions_of_their_own(written: Shop, sign_in: SignIn) -> None:
    client = sign_in("write_migrations")
    assert client.get(migrations_page(written)).status_code == 200
    assert "Apply up to" not in client.get(migrations_page(written)).content.decode()
    assert client.get(migrations_page(written), {"phase": 1}).status_code == 403
    assert client.post(migrations_page(written), {"phase": 1, "digest": "any"}).status_code == 403
    client = sign_in("apply_migrations")
    assert client.post(reverse("admin:integrity_schema_fixes", args=["shop"])).status_code == 403


def test_a_target_without_migrations_leads_to_its_findings(audited: Shop, everything: Client) -> None:
    text = everything.get(migrations_page(audited)).content.decode()
    assert "has no migrations yet" in text


def test_rows_and_structure_are_taken_back_together(written: Shop, everything: Client) -> None:
    before = written.rows("SELECT * FROM orders")
    plan = tasks.plan_and_store("shop", [Request(resolution=Resolution.DELETE)])
    tasks.repair_and_store("shop", plan, options=Options(approved=True))
    assert migrate(everything, written, phase=3).state == "finished"
    run = models.RepairRun.objects.get()
    url = reverse("admin:integrity_repairrun_roll_back", args=[run.pk])
    everything.post(url, {"state": run.state, "how": ""})
    assert tasks.wait_for_jobs(30)
    alone = models.Job.objects.first()
    assert alone is not None
    assert alone.state == "failed"
    assert "would be orphans again" in alone.error
    everything.post(url, {"state": run.state, "how": "with_migrations"})
    assert tasks.wait_for_jobs(30)
    together = models.Job.objects.first()
    assert together is not None
    assert (together.state, together.error) == ("finished", "")
    assert len(together.result["migrations"]) == 3
    assert written.rows("SELECT * FROM orders") == before


REQUIRED = """
[target]
tables = 7

[[required_table]]
table = "presets"
primary_key = ["id"]
columns = [{ name = "id", type = "integer" }]

[[required_table]]
table = "customers"
columns = [{ name = "nick", type = "text", null = false, default = "'none'" }]
"""


def test_a_missing_table_and_a_missing_column_are_shown_and_written(
    shop: Shop, everything: Client, settings: Any
) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "WRITES_MIGRATIONS": True}
    catalog = shop.root / "shop" / "catalog.toml"
    catalog.write_text(f"{catalog.read_text()}\n{REQUIRED}")
    tasks.audit_and_store(shop.alias)
    found = models.Finding.objects.filter(code__in=["missing_table", "missing_column", "table_count"])
    data = {"action": "schema_fixes", "_selected_action": [finding.pk for finding in found]}
    changelist = everything.get(reverse("admin:integrity_finding_changelist")).content.decode()
    assert "the catalog expects 7" in changelist
    shown = everything.post(reverse("admin:integrity_finding_changelist"), data, follow=True)

    text = shown.content.decode()
    assert "CREATE TABLE" in text
    assert "ADD COLUMN" in text
    post_shown(everything, shown)
    assert (shop.root / "shop" / "migrations" / "0001_tables.py").exists()
