"""What was taken out is looked through, downloaded and put back, by those who may, and by no forgery."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from playwright.sync_api import Page, expect

from integrity import models, tasks
from integrity.admin.quarantine.browsing import numbers
from integrity.plans import Request
from integrity.references import Resolution
from integrity.repairs import Options, Selection
from integrity.repairs.quarantine import Place
from tests.admin.conftest import CATALOG, SHOP, Shop, SignIn
from tests.servers import EmptyTarget

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "admin:integrity_quarantine"
RESTORE = "admin:integrity_quarantine_restore"
CSV = "admin:integrity_quarantine_csv"
LOOK = ("view_repairrun", "view_sample_rows")


@pytest.fixture
def repaired(audited: Shop) -> Shop:
    """The shop after its orphans, and the lines of their orders, were taken out."""
    plan = tasks.plan_and_store("shop", [Request(resolution=Resolution.DELETE)])
    tasks.repair_and_store("shop", plan, options=Options(approved=True, actor="ann"))
    return audited


def text(client: Client, name: str = PAGE, **query: Any) -> str:
    response = client.get(reverse(name), query)
    assert response.status_code == 200
    return response.content.decode()


def choices(client: Client, **query: Any) -> list[str]:
    """What the checkboxes of a page say."""
    response = client.get(reverse(PAGE), {"target": "shop"} | query)
    runs = response.context["runs"]
    return [row.choice for run in runs for shelf in run["shelves"] for row in shelf.rows]


def test_every_column_is_shown_with_reason_run_and_who(repaired: Shop, sign_in: SignIn) -> None:
    page = text(sign_in(*LOOK))
    assert "Quarantine of shop" in page
    for part in ("Run 1", "cleanup by ann", "orders.customer_id", "lines.order_id", "lost"):
        assert part in page
    assert "Restore chosen rows" not in page
    assert "Restore chosen rows" in text(sign_in(*LOOK, "roll_back_repair"))


def test_without_the_right_to_see_rows_there_are_numbers_only(repaired: Shop, sign_in: SignIn) -> None:
    page = text(sign_in("view_repairrun"))
    assert "lost" not in page
    assert "Run 1" in page
    tasks.roll_back_and_store("shop", 1, selection=Selection(references=("lines.order_id",)))
    assert [
        (each["name"], each["deleted"], each["back"]) for each in numbers(models.Target.objects.get())
    ] == [
        ("lines", 3, 3),
        ("orders", 3, 0),
    ]
    assert sign_in("view_repairrun", "download_csv").get(reverse(CSV), {"target": "shop"}).status_code == 403


def test_nobody_without_the_right_sees_the_page(repaired: Shop, client: Client, sign_in: SignIn) -> None:
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert client.get(reverse(PAGE)).status_code == 403
    assert sign_in(*LOOK).get(reverse(RESTORE), {"target": "shop", "run": 1}).status_code == 403


SEARCHES: list[tuple[dict[str, str], str, str]] = [
    ({"table": "lines"}, "lines.order_id", "lost"),
    ({"reason": "orders.customer_id"}, "lost", "<code>lines.order_id</code></td>"),
    ({"q": "LOST"}, "lost", "<code>lines.order_id</code></td>"),
    ({"key": "6"}, "91", ">90<"),
    ({"q": "nowhere"}, "Nothing in the quarantine is like that", "<tbody>"),
    ({"run": "9"}, "Nothing in the quarantine is like that", "<tbody>"),
    ({"run": "x"}, "Enter a whole number", "Nothing in the quarantine"),
    ({"what": "changed"}, "No repair that stands changed a value", "<tbody>"),
    ({"key": "1\r2"}, "Write the values of a key apart by commas", "<tbody>1"),
]


def test_a_search_narrows(repaired: Shop, sign_in: SignIn) -> None:
    client = sign_in(*LOOK)
    for query, there, gone in SEARCHES:
        page = text(client, target="shop", **query)
        assert there in page, query
        assert gone not in page, query


def test_a_forged_place_is_refused(repaired: Shop, sign_in: SignIn) -> None:
    client = sign_in(*LOOK)
    for query in ({"after": "x"}, {"before": "WzFd"}):
        assert client.get(reverse(PAGE), {"target": "shop"} | query).status_code == 400


def test_an_unknown_target_is_not_found(repaired: Shop, sign_in: SignIn) -> None:
    for name in ("nobody", "sh\0op"):
        assert sign_in(*LOOK).get(reverse(PAGE), {"target": name}).status_code == 404


def test_it_opens_when_the_target_is_down(repaired: Shop, everything: Client) -> None:
    repaired.file.rename(repaired.file.with_suffix(".away"))
    page = text(everything)
    assert "There is no file" in page
    assert "What the site remembers" in page
    run = reverse("admin:integrity_repairrun_change", args=[models.RepairRun.objects.get().pk])
    assert everything.get(run).status_code == 200
    restore = text(everything, RESTORE, target="shop", run=1)
    assert "There is no file" in restore
    assert 'name="confirm"' not in restore


def test_chosen_rows_come_back_with_what_belongs_to_them(repaired: Shop, everything: Client) -> None:
    (order,) = choices(everything, table="orders", key="4")
    form = {"target": "shop", "run": "1", "row": [order]}
    preview = everything.post(reverse(RESTORE), form).content.decode()
    assert "2 rows by lines.order_id" in preview
    assert "Put 1 row back" in preview
    assert not models.Job.objects.exists(), "nothing happens before it is confirmed"

    together = form | {"relatives": "1"}
    assert "Put 3 rows back" in everything.post(reverse(RESTORE), together).content.decode()
    wish = together | {"confirm": "1", "state": "finished", "expected": "3", "how": ""}
    response = everything.post(reverse(RESTORE), wish)
    assert tasks.wait_for_jobs(30)

    job = models.Job.objects.get()
    assert response["Location"] == reverse("admin:integrity_job_change", args=[job.pk])
    assert (job.kind, job.state) == ("rollback", "finished")
    assert repaired.rows("SELECT id, customer_id, note FROM orders WHERE id > 3") == [(4, 90, "lost")]
    assert repaired.rows("SELECT id FROM lines ORDER BY id") == [(1,), (2,), (3,)]
    assert models.RepairRun.objects.get(number=1).state == "partly_rolled_back"
    back = models.RepairRun.objects.get(kind="rollback")
    assert back.proof["rows_equal"]
    assert back.rows_refused == 0
    assert (
        "Asked for 3 rows back"
        in LogEntry.objects.get(object_id=str(models.RepairRun.objects.get(number=1).pk)).change_message
    )


def test_the_same_wish_twice_is_refused(repaired: Shop, everything: Client) -> None:
    (order,) = choices(everything, table="orders", key="6")
    wish = {
        "target": "shop", "run": "1", "row": order, "confirm": "1", "state": "finished", "expected": "1",
    }  # fmt: skip
    everything.post(reverse(RESTORE), wish)
    assert tasks.wait_for_jobs(30)
    again = everything.post(reverse(RESTORE), wish | {"state": "partly_rolled_back"}, follow=True)
    assert "It changed since this was shown" in again.content.decode()
    assert models.Job.objects.count() == 1


def test_many_rows_come_back_only_where_their_number_is_typed(
    repaired: Shop, everything: Client, settings: Any
) -> None:
    settings.INTEGRITY = settings.INTEGRITY | {"TYPED_ROWS": 2}
    wish = {"target": "shop", "run": "1", "table": "orders", "confirm": "1", "state": "finished"}
    assert "Type 3, the number of rows" in text(everything, RESTORE, target="shop", run=1, table="orders")
    for wrong in ({}, {"rows": "4"}):
        assert "Number of rows" in everything.post(reverse(RESTORE), wish | wrong).content.decode()
    assert not models.Job.objects.exists()
    everything.post(reverse(RESTORE), wish | {"rows": "3"})
    assert tasks.wait_for_jobs(30)
    assert len(repaired.rows("SELECT * FROM orders")) == 6


def test_conflicts_stand_side_by_side(repaired: Shop, everything: Client, sign_in: SignIn) -> None:
    repaired.execute("INSERT INTO orders VALUES (4, 1, 'mine now')")
    query = {"target": "shop", "run": 1, "table": "orders"}
    page = text(everything, RESTORE, **query)
    assert "Made again since" in page
    assert "mine now" in page
    assert "differs" in page
    assert "Put 2 rows back" in page, "what is refused is not promised"
    assert "Taken out as orphans of it" in page
    assert "is not recorded" in page
    numbers = text(sign_in("view_repairrun", "roll_back_repair"), RESTORE, **query)
    assert "mine now" not in numbers
    everything.post(
        reverse(RESTORE), query | {"confirm": "1", "state": "finished", "expected": "3", "how": ""}
    )
    assert tasks.wait_for_jobs(30)
    assert repaired.rows("SELECT note FROM orders WHERE id = 4") == [("mine now",)]
    assert models.RepairRun.objects.get(kind="rollback").rows_refused == 1


FORGED = (
    "", "x", "[]", '["runs", 1]', '["run2_orders", 1]', '["run1_orders", "1"]', '["run1_orders", -1]', "[" * 500,
)  # fmt: skip


def test_a_forged_choice_is_refused(repaired: Shop, everything: Client) -> None:
    for row in FORGED:
        wish = {"target": "shop", "run": "1", "row": row, "confirm": "1", "state": "finished"}
        assert everything.post(reverse(RESTORE), wish).status_code == 400, row
    assert not models.Job.objects.exists()


def test_a_run_that_is_not_known_is_not_found(repaired: Shop, everything: Client) -> None:
    for query in ({"run": "2"}, {"run": "x"}, {"run": "1", "target": "other"}, {}):
        assert everything.post(reverse(RESTORE), {"target": "shop"} | query).status_code == 404, query


def test_no_row_of_a_table_without_any_is_put_back(repaired: Shop, everything: Client) -> None:
    query = {"target": "shop", "run": "1", "table": "customers"}
    assert everything.get(reverse(RESTORE), query).status_code == 400


def test_a_masked_column_stays_masked_everywhere(repaired: Shop, everything: Client) -> None:
    file = repaired.root / "shop" / "catalog.toml"
    file.write_text(file.read_text() + '\n[mask]\ncolumns = ["orders.note"]\n')
    repaired.execute("INSERT INTO orders VALUES (4, 1, 'mine now')")
    for page in (text(everything), text(everything, RESTORE, target="shop", run=1, table="orders")):
        assert "(masked)" in page
        assert "lost" not in page
        assert "mine now" not in page
    assert "Nothing in the quarantine is like that" in text(everything, target="shop", q="lost")
    assert "lost" not in downloaded(everything)


def downloaded(client: Client, **query: Any) -> str:
    response = client.get(reverse(CSV), {"target": "shop", **query})
    assert response["Content-Type"].startswith("text/csv")
    return b"".join(response).decode("utf-8-sig")


def test_a_download_has_every_column_whole(repaired: Shop, sign_in: SignIn) -> None:
    client = sign_in(*LOOK, "download_csv")
    lines = downloaded(client).splitlines()
    assert lines[0] == "run,table,because of,action,at,id,order_id,customer_id,note"
    assert len(lines) == 7
    assert any(line.startswith("1,orders,orders.customer_id,delete,") for line in lines)
    assert len(downloaded(client, table="lines").splitlines()) == 4
    assert LogEntry.objects.filter(change_message__contains="Downloaded the quarantine").count() == 2


def test_a_hundred_thousand_rows_are_paged_in_as_few_queries(repaired: Shop, everything: Client) -> None:
    query = {"target": "shop", "table": "orders"}
    with CaptureQueriesContext(connection) as few:
        everything.get(reverse(PAGE), query)
    repaired.execute(
        "WITH n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 101000) "
        "INSERT INTO integrity_journal_run1_orders SELECT i, _integrity_image, _integrity_action, "
        "_integrity_step, _integrity_batch, _integrity_order, NULL, _integrity_leaf, i, _integrity_reason, "
        "_integrity_at, NULL, i, customer_id, note FROM n, integrity_journal_run1_orders WHERE _integrity_seq = 1"
    )
    page = everything.get(reverse(PAGE), query | {"after": str(Place(1, "run1_orders", 90_000))})
    with CaptureQueriesContext(connection) as many:
        further = everything.get(reverse(PAGE) + page.context["further"])
    assert len(many) == len(few) <= 20
    assert page.context["page"].rows == further.context["page"].rows == 50
    back = everything.get(reverse(PAGE) + further.context["back"])
    assert back.context["page"].shelves == page.context["page"].shelves


ODD = """
CREATE TABLE "the % parents" (id integer PRIMARY KEY);
CREATE TABLE "odd ""t" ("a.b" integer, "%s" text, p integer, "select" {bytes}, PRIMARY KEY ("a.b", "%s"));
CREATE TABLE "<b>third</b>" (id integer PRIMARY KEY, x integer, y text);
INSERT INTO "odd ""t" VALUES (1, 'x<i>', 7, {blob}), (1, 'y', 7, NULL), (2, 'x<i>', NULL, NULL);
INSERT INTO "<b>third</b>" VALUES (1, 1, 'x<i>'), (2, 1, 'y'), (3, 2, 'x<i>'), (4, NULL, NULL);
"""
ODD_CATALOG = """
[[reference]]
from = '"odd ""t".p'
to = '"the % parents".id'
on_delete = "CASCADE"
[[reference]]
from = '"<b>third</b>".x,y'
to = '"odd ""t"."a.b","%s"'
on_delete = "CASCADE"
"""


@pytest.mark.newest_postgres_only
def test_odd_tables_are_shown_escaped_and_come_back_equal(
    empty_target: EmptyTarget, everything: Client, tmp_path: Path, settings: Any
) -> None:
    sqlite = empty_target.vendor == "sqlite"
    folder = tmp_path / "catalogs" / "target"
    folder.mkdir(parents=True)
    (folder / "catalog.toml").write_text(ODD_CATALOG)
    settings.INTEGRITY = {"CATALOG_ROOT": folder.parent}
    kinds = {"bytes": "blob", "blob": "x'00ff'"} if sqlite else {"bytes": "bytea", "blob": "'\\x00ff'"}
    empty_target.execute_script(ODD.replace("{bytes}", kinds["bytes"]).replace("{blob}", kinds["blob"]))
    tables = ('"odd ""t"', '"<b>third</b>"')
    before = [sorted(empty_target.rows(f"SELECT * FROM {each}"), key=str) for each in tables]
    plan = tasks.plan_and_store("target", [Request(suggested=True)])
    tasks.repair_and_store("target", plan, options=Options(approved=True))
    assert [len(empty_target.rows(f"SELECT * FROM {each}")) for each in tables] == [1, 2]

    page = text(everything, target="target")
    assert "<b>third</b>" not in page
    assert "x<i>" not in page
    assert "2 bytes" in page
    assert "2 bytes" not in text(everything, target="target", key="1, y")
    everything.post(
        reverse(RESTORE),
        {"target": "target", "run": "1", "row": choices(everything, target="target", key="1,y"),
         "relatives": "1", "confirm": "1", "state": "finished", "expected": "2"},
    )  # fmt: skip
    assert tasks.wait_for_jobs(30)
    assert [len(empty_target.rows(f"SELECT * FROM {each}")) for each in tables] == [2, 3]
    everything.post(
        reverse(RESTORE),
        {"target": "target", "run": "1", "confirm": "1", "state": "partly_rolled_back", "expected": "2"},
    )
    assert tasks.wait_for_jobs(30)
    assert [sorted(empty_target.rows(f"SELECT * FROM {each}"), key=str) for each in tables] == before
    back = models.RepairRun.objects.filter(kind="rollback").first()
    assert back is not None
    assert back.proof["rows_equal"]
    assert all(table["table_equal"] for table in back.proof["tables"].values())


@pytest.mark.engine("postgresql")
@pytest.mark.newest_postgres_only
def test_a_foreign_key_in_the_way_is_named_with_the_ways_around_it(
    empty_target: EmptyTarget, everything: Client, sign_in: SignIn, tmp_path: Path, settings: Any
) -> None:
    folder = tmp_path / "catalogs" / "target"
    folder.mkdir(parents=True)
    (folder / "catalog.toml").write_text(CATALOG.partition("[[index]]")[0])
    settings.INTEGRITY = {"CATALOG_ROOT": folder.parent}
    empty_target.execute_script(SHOP)
    plan = tasks.plan_and_store("target", [Request(suggested=True)])
    tasks.repair_and_store("target", plan, options=Options(approved=True))
    empty_target.execute_script(
        "ALTER TABLE orders ADD CONSTRAINT orders_fk FOREIGN KEY (customer_id) REFERENCES customers"
    )
    query = {"target": "target", "run": "1", "table": "orders"}
    page = text(everything, RESTORE, **query)
    assert "orders.customer_id is enforced by orders_fk: 3 rows would be orphans again." in page
    assert 'value="unvalidate"' in page
    assert 'id="id_how_2"' in page
    assert 'id="id_how_3"' not in page, "alone they are refused"
    limited = sign_in("roll_back_repair")
    assert 'value="with_migrations"' not in text(limited, RESTORE, **query)
    wish = query | {"confirm": "1", "state": "finished", "expected": "3"}
    assert limited.post(reverse(RESTORE), wish | {"how": "with_migrations"}).status_code == 403
    limited.post(reverse(RESTORE), wish | {"how": "unvalidate"})
    assert tasks.wait_for_jobs(30)
    assert empty_target.rows("SELECT count(*) FROM orders") == [(6,)]
    assert empty_target.rows("SELECT convalidated FROM pg_constraint WHERE conname = 'orders_fk'") == [
        (False,)
    ]


@pytest.mark.browser
def test_ticked_rows_are_counted_on_the_button_and_put_back(boss: Page, repaired: Shop) -> None:
    boss.goto(f"{reverse(PAGE)}?target=shop&table=orders")
    button = boss.locator("[data-choosing-button]")
    expect(button).to_be_disabled()
    boss.get_by_role("checkbox", name="Choose orders 4").check()
    boss.get_by_role("checkbox", name="Choose orders 6").click(modifiers=["Shift"])
    expect(button).to_have_text("Restore chosen rows… (3)")
    button.click()
    boss.get_by_role("button", name="Put 3 rows back").click()
    expect(boss.locator("#content")).to_contain_text("finished")
    assert len(repaired.rows("SELECT * FROM orders")) == 6
