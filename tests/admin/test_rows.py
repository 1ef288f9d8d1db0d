"""Rows of a target on pages: for those who may see them, and never more than was asked."""

import csv
import html
import io
import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from integrity import tasks
from integrity.admin.rows import keys, views
from integrity.exceptions import TimedOut
from tests.admin.conftest import Shop, SignIn
from tests.factories import OrphanFindingFactory

pytestmark = pytest.mark.django_db(transaction=True)

SEES = ("view_sample_rows",)


def address(shop: Shop, page: str = "rows", **query: Any) -> str:
    """The address of a page about the orders without a customer."""
    listed = {name: json.dumps(value) if isinstance(value, list) else value for name, value in query.items()}
    url = reverse(f"admin:integrity_orphanfinding_{page}", args=[shop.finding().pk])
    return f"{url}?{urlencode(listed)}"


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def file_of(answer: Any) -> list[list[str]]:
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content, newline="")))


def test_rows_are_shown_with_what_refers_to_them(audited: Shop, sign_in: SignIn) -> None:
    answer = sign_in(*SEES).get(address(audited))

    assert answer.status_code == 200
    assert [row["name"] for row in answer.context["rows"]] == ["4", "5", "6"]
    assert [row["referring"] for row in answer.context["rows"]] == [2, 0, 0]
    assert "lost" in text(answer)
    assert "lines.order_id" in text(answer)
    assert 'name="row"' not in text(answer), "who may not decide chooses nothing"
    assert "Download CSV" not in text(answer), "who may not download is offered nothing"
    assert "no-store" in answer["Cache-Control"]


def test_a_page_of_rows_asks_the_site_few_questions(
    audited: Shop, everything: Client, django_assert_max_num_queries: Any
) -> None:
    pages = [address(audited, page) for page in ("rows", "keys", "referring", "parents")]
    OrphanFindingFactory.create_batch(30, target=audited.finding().target)
    for url in pages:
        with django_assert_max_num_queries(8):
            everything.get(url)


def test_a_part_of_a_page_is_only_that(audited: Shop, sign_in: SignIn) -> None:
    part = text(sign_in(*SEES).get(address(audited, fragment="1")))

    assert "<html" not in part
    assert "fragment=1" not in part, "its links lead to whole pages"
    assert "lost" in part


@pytest.mark.parametrize("page", ["rows", "keys", "parents", "referring", "rows_csv"])
def test_who_may_not_see_rows_sees_none(audited: Shop, sign_in: SignIn, page: str) -> None:
    others = ("reassign_finding", "download_csv", "keep_finding")
    assert sign_in(*others).get(address(audited, page)).status_code == 403
    User.objects.all().delete()
    client = sign_in("view_sample_rows", *others)
    User.objects.get().user_permissions.remove(Permission.objects.get(codename="view_orphanfinding"))
    assert client.get(address(audited, page)).status_code == 403
    needs = {"parents": "reassign_finding", "rows_csv": "download_csv"}.get(page)
    assert not needs or sign_in("view_sample_rows").get(address(audited, page)).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        {"after": "forged"},
        {"before": "a:b:c"},
        {"key": "x"},
        {"key": "[1]"},
        {"key": "[]"},
        {"key": "[" * 9_000},
        {"key": ["1", "2"]},
    ],
)
def test_what_was_never_offered_is_a_bad_request(audited: Shop, sign_in: SignIn, query: Any) -> None:
    client = sign_in(*SEES)
    assert client.get(address(audited, **query)).status_code == 400
    assert client.get(address(audited, fragment="1", **query)).status_code == 400


def test_one_missing_key_has_a_page_and_is_decided_about(audited: Shop, everything: Client) -> None:
    answer = everything.get(address(audited, key=["90"]))
    assert [row["name"] for row in answer.context["rows"]] == ["4", "5"]
    decisions = answer.context["decisions"]
    assert decisions[0]["decision"] == "delete", "what is suggested comes first"
    asking = next(each for each in decisions if each["asks"])
    assert set(parse_qs(urlsplit(asking["url"]).query)["key"]) == {'["90"]'}
    assert 'name="key" value="["90"]"' in text(answer), "what asks for nothing is posted"
    keys = everything.get(address(audited, "keys"))
    assert [(each["text"], each["rows"], each["share"]) for each in keys.context["keys"]] == [
        ("90", 2, 67), ("91", 1, 33)
    ]  # fmt: skip


def test_chosen_rows_lead_to_the_decision_about_them(audited: Shop, everything: Client) -> None:
    url = reverse("admin:integrity_orphanfinding_rows_chosen", args=[audited.finding().pk, "delete"])
    posted = {"_selected_action": audited.finding().pk, "row": ['["4"]', '["6"]']}
    answer = everything.post(url, posted)
    assert (answer.status_code, answer["Location"]) == (
        307, reverse("admin:integrity_orphanfinding_decide", args=["delete"])
    )  # fmt: skip
    empty = everything.post(url, {"_selected_action": audited.finding().pk}, follow=True)
    assert "Choose rows first" in text(empty), "nobody decides about all by mistake"
    assert everything.get(url).status_code == 405
    assert everything.post(url.replace("delete", "restore_parent"), posted).status_code == 404


def test_what_is_impossible_for_a_finding_is_not_offered_for_its_rows(
    audited: Shop, everything: Client
) -> None:
    by_label = {label: audited.finding(label).pk for label in ("orders.customer_id", "lines.order_id")}
    shown = {
        label: text(everything.get(reverse("admin:integrity_orphanfinding_rows", args=[pk])))
        for label, pk in by_label.items()
    }

    assert "Delete to quarantine…" in shown["lines.order_id"]
    assert "Set NULL…" in shown["orders.customer_id"]
    assert "Set NULL…" not in shown["lines.order_id"], "the column is NOT NULL"


def test_whoever_may_not_decide_cannot_choose_rows(audited: Shop, sign_in: SignIn) -> None:
    url = reverse("admin:integrity_orphanfinding_rows_chosen", args=[audited.finding().pk, "delete"])
    assert sign_in(*SEES, "keep_finding").post(url, {"row": ['["4"]']}).status_code == 403


def test_all_rows_come_as_a_file_and_the_log_says_so(audited: Shop, everything: Client) -> None:
    audited.execute("UPDATE orders SET note = '=HYPERLINK(1)' WHERE id = 4")
    answer = everything.get(address(audited, "rows_csv"))
    rows = file_of(answer)

    assert rows == [
        ["id", "customer_id", "note"], ["4", "90", "'=HYPERLINK(1)"], ["5", "90", "lost"], ["6", "91", "lost"]
    ]  # fmt: skip
    assert "shop-orders.customer_id-orphans-" in answer["Content-Disposition"]
    assert "CSV" in LogEntry.objects.get().get_change_message()
    assert len(file_of(everything.get(address(audited, "rows_csv", key=["91"])))) == 2


def test_a_large_file_is_read_piece_by_piece(audited: Shop, everything: Client) -> None:
    audited.execute(
        "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 2509) "
        "INSERT INTO orders SELECT i, 90, 'x' FROM n"
    )
    assert [row[0] for row in file_of(everything.get(address(audited, "rows_csv")))[1:]] == [
        "4", "5", "6", *map(str, range(10, 2510))
    ]  # fmt: skip


def test_what_refers_to_all_orphans_is_counted_on_demand(audited: Shop, sign_in: SignIn) -> None:
    client = sign_in(*SEES)
    part = text(client.get(address(audited, "referring", reference="lines.order_id", fragment="1")))
    assert "2 rows" in part
    whole = text(client.get(address(audited, "referring", reference="lines.order_id")))
    assert "2 rows refer to these orphans by <code>lines.order_id</code>." in whole
    assert client.get(address(audited, "referring", reference="nothing")).status_code == 400


def test_a_target_that_is_down_leaves_the_pages_open(audited: Shop, everything: Client) -> None:
    audited.file.unlink()
    for page in ("rows", "keys", "referring"):
        answer = everything.get(address(audited, page))
        assert answer.status_code == 200
        assert "There is no file" in text(answer)
    assert everything.get(address(audited, "parents")).json()["results"] == []
    assert "There is no file" in text(everything.get(address(audited, "rows_csv"), follow=True))


def test_masked_rows_are_shown_without_their_values(audited: Shop, everything: Client) -> None:
    with (audited.root / "shop" / "catalog.toml").open("a") as catalog:
        catalog.write('[mask]\ncolumns = ["orders.note", "customers.id"]\n')
    for page in ("rows", "keys"):
        shown = text(everything.get(address(audited, page)))
        assert "lost" not in shown
        assert "(masked)" in shown
    assert file_of(everything.get(address(audited, "rows_csv")))[1] == ["4", "(masked)", "(masked)"]
    assert everything.get(address(audited, "parents", term="1")).json()["results"] == []
    guessed = everything.get(address(audited, "rows", key='["90"]'))
    assert (guessed.status_code, "are masked" in text(guessed)) == (400, True), "nobody guesses them"


def test_a_resolved_finding_offers_no_decision(audited: Shop, everything: Client) -> None:
    audited.execute("DELETE FROM orders WHERE customer_id > 80")
    tasks.audit_and_store(audited.alias)
    shown = text(everything.get(address(audited)))
    assert "No orphans are left" in shown
    assert everything.get(address(audited, "keys")).context["keys"] == []


def test_rows_to_refer_to_are_found_by_key_and_by_name(audited: Shop, sign_in: SignIn) -> None:
    url = address(audited, "parents")
    client = sign_in(*SEES, "reassign_finding")

    assert client.get(url, {"term": "gra"}).json()["results"] == [{"id": "2", "text": "2 · Grace"}]
    assert client.get(url, {"term": "1"}).json()["results"] == [{"id": "1", "text": "1 · Ada"}]
    assert [each["id"] for each in client.get(url).json()["results"]] == ["1", "2"]
    assert client.get(url, {"term": "%"}).json() == {"results": [], "more": False, "note": ""}


def test_where_looking_takes_too_long_single_keys_are_offered(
    audited: Shop, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object, **__: object) -> None:
        raise TimedOut("Looking took longer than 5 seconds", where="shop")

    monkeypatch.setattr(views, "orphan_rows", slow)
    monkeypatch.setattr(keys, "missing_keys", slow)
    client = sign_in(*SEES)
    rows = client.get(address(audited))
    assert [each["text"] for each in rows.context["keys"]] == ["90", "91"]
    kept = client.get(address(audited, "keys"))
    assert [(each["text"], each["rows"]) for each in kept.context["keys"]] == [("90", 2), ("91", 1)]
    assert "that the last audit found" in text(kept)
