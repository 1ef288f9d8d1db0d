"""The page of a target: how it is, how its tables hang together, what was found and what happened."""

import re
import shutil
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from integrity import models, store, tasks
from integrity.admin.pictures import graph as graphs
from tests import factories
from tests.admin.conftest import Shop, SignIn
from tests.servers import EmptyTarget

COMPOSITE = """
CREATE TABLE lines (order_id integer, line_no integer, PRIMARY KEY (order_id, line_no));
CREATE TABLE shipments (id integer PRIMARY KEY, order_id integer, line_no integer);
CREATE TABLE tree (id integer PRIMARY KEY, parent_id integer REFERENCES tree (id));
INSERT INTO shipments VALUES (1, 7, 7);
ALTER TABLE shipments ADD FOREIGN KEY (order_id, line_no) REFERENCES lines (order_id, line_no) NOT VALID;
"""


def page_of(client: Client, alias: str = "shop") -> str:
    return client.get(
        reverse("admin:integrity_target_change", args=[store.target_row(alias).pk])
    ).content.decode()


@pytest.mark.django_db(transaction=True)
def test_broken_and_kept_references_lead_to_their_findings(audited: Shop, everything: Client) -> None:
    lines, orders = audited.finding("lines.order_id"), audited.finding()
    store.store_decision([lines], "keep", reason="museum")
    page = page_of(everything)
    picture = page.split('class="integrity-graph ')[1].split("</svg>")[0]
    for finding, kind, mark in ((orders, "broken", "✕ 3"), (lines, "kept", "‖ 1")):
        edge = f'class="integrity-edge integrity-{kind}" href="/admin/integrity/orphanfinding/{finding.pk}/change/"'
        assert edge in picture
        assert mark in picture
    target = store.target_row("shop").pk
    assert f"/admin/integrity/orphanfinding/?target__id__exact={target}&amp;table_name=orders" in picture
    assert "orders.customer_id → customers.id: broken, 3 orphans" in picture
    table = page.split("integrity-relations-table")[1].split("</table>")[0]
    assert "orders.customer_id" in table
    assert "<td>none</td>" in table, "no foreign key"
    assert "3 orders refer to 2 customers that do not exist</a><br><code>orders.customer_id</code>" in page
    assert "1 finding waits for a decision." in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.engine("postgresql")
@pytest.mark.newest_postgres_only
def test_a_broken_reference_that_is_enforced_for_new_rows_says_both(
    empty_target: EmptyTarget, everything: Client
) -> None:
    empty_target.execute_script(COMPOSITE)
    tasks.audit_and_store("target")
    table = page_of(everything, "target").split("integrity-relations-table")[1].split("</table>")[0]
    lines = table.split("<tr>")
    (broken,) = [line for line in lines if "<code>shipments.order_id,line_no</code>" in line]
    (tree,) = [line for line in lines if "<code>tree.parent_id</code>" in line]
    assert "integrity-broken" in broken
    assert "<td>for new rows</td>" in broken
    assert "integrity-enforced" in tree


@pytest.mark.django_db(transaction=True)
def test_the_page_needs_no_target(audited: Shop, everything: Client) -> None:
    audited.file.unlink()
    shutil.rmtree(audited.root)
    assert "integrity-edge integrity-broken" in page_of(everything)


@pytest.mark.django_db(transaction=True)
def test_without_graphviz_the_same_is_a_table(
    audited: Shop, everything: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    page = page_of(everything)
    assert "integrity-graph-frame" not in page
    assert 'integrity-relations-table" open' in page
    assert "django-referential-integrity[graph]" in page


@pytest.mark.django_db(transaction=True)
def test_before_an_audit_the_page_says_what_to_do(shop: Shop, everything: Client) -> None:
    page = page_of(everything)
    assert "Nobody has looked at it yet." in page
    assert "An audit finds out." in page


@pytest.mark.django_db
def test_what_was_not_looked_at_is_said_and_drawn_so(sign_in: SignIn) -> None:
    target = factories.TargetFactory.create(alias="closed")
    gaps = [{"reference": "a.b_id", "reason": "no right to read b"}, {"check": "x", "reason": "too slow"}]
    run = factories.AuditRunFactory.create(target=target, complete=False, coverage={"skipped": gaps})
    reference = {"table": ["main", "a"], "columns": ["b_id"], "to": ["main", "b"], "to_columns": ["id"]}
    models.ReferenceMap.objects.create(
        target=target, run=run, references=[reference | {"constraint": "all rows"}]
    )
    page = page_of(sign_in(), "closed")
    assert "<code>a.b_id</code> no right to read b" in page
    assert "integrity-edge integrity-unchecked" in page
    assert "a.b_id → b.id: not checked" in page


@pytest.mark.django_db
def test_what_happened_is_told_in_one_list(client: Client, sign_in: SignIn) -> None:
    target = factories.TargetFactory.create(alias="gone")
    factories.AuditRunFactory.create(target=target, orphans_count=12)
    factories.RepairRunFactory.create(target=target, number=3)
    factories.MigrationRunFactory.create(target=target, migration="0002_fk")
    factories.JobFactory.create(target=target, kind="backup", state="finished")
    factories.JobFactory.create(target=target, kind="audit", state="finished")
    page = page_of(sign_in(), "gone")
    told = page.split("integrity-history")[2].split("</table>")[0]
    for words in ("12 orphans", "Run 3: cleanup", "Migration 0002_fk", "Job: backup"):
        assert words in told
    assert "Job: audit" not in told, "its run tells it"


@pytest.mark.django_db
def test_who_may_see_only_targets_sees_no_finding(client: Client) -> None:
    finding = factories.FindingFactory.create(message="17 secret rows")
    somebody = factories.UserFactory.create()
    seeing = somebody.user_permissions.get(codename="view_target")
    somebody.user_permissions.set([seeing])
    client.force_login(somebody)
    page = page_of(client, finding.target.alias)
    assert "17 secret rows" not in page
    assert "You may not see findings." in page
    somebody.user_permissions.clear()
    client.force_login(somebody)
    assert client.get(f"/admin/integrity/target/{finding.target_id}/change/").status_code == 403
    assert client.get("/admin/integrity/target/99999/change/").status_code == 403


@pytest.mark.django_db
def test_many_findings_and_runs_need_no_more_queries(
    sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    target = factories.TargetFactory.create()
    run = factories.AuditRunFactory.create(target=target)
    for model, build in (
        (models.AuditRun, factories.AuditRunFactory),
        (models.RepairRun, factories.RepairRunFactory),
        (models.MigrationRun, factories.MigrationRunFactory),
    ):
        model.objects.bulk_create([build.build(target=target) for _ in range(300)])  # type: ignore[attr-defined]
    models.Finding.objects.bulk_create(
        factories.FindingFactory.build(
            target=target,
            first_seen_run=run,
            last_seen_run=run,
            table_name=f"t{n}",
            label=f"t{n}.customer_id",
        )
        for n in range(600)
    )
    client = sign_in("audit_target")
    with django_assert_max_num_queries(20):
        page = page_of(client, target.alias)
    assert page.count('class="integrity-node') <= 60
    assert "are not listed." in page


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_what_happened_is_seen_whole_beside_the_other_cards(boss: Page) -> None:
    target = factories.TargetFactory.create()
    factories.MigrationRunFactory.create(target=target, migration="0002_foreign_keys_of_orders_and_lines")
    factories.AuditRunFactory.create(target=target, narrowed=True, orphans_count=1_200_000)
    boss.goto(f"/admin/integrity/target/{target.pk}/change/")
    table = boss.locator(".integrity-happenings")
    expect(table).to_contain_text("1,200,000 orphans, of some references")
    assert table.evaluate("each => each.scrollWidth <= each.parentElement.clientWidth")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_from_the_overview_through_the_picture_to_a_finding_without_a_mouse(
    boss: Page, audited: Shop
) -> None:
    boss.goto("/admin/integrity/")
    boss.get_by_role("link", name="shop", exact=True).focus()
    boss.keyboard.press("Enter")
    edge = boss.get_by_role("link", name="orders.customer_id → customers.id: broken, 3 orphans")
    expect(edge).to_be_visible()
    edge.focus()
    boss.keyboard.press("Enter")
    expect(boss).to_have_url(re.compile(rf"/orphanfinding/{audited.finding().pk}/change/"))
