"""Rows of a target on pages: for those who may see them, and never more than was asked."""

import pytest

from tests.admin.conftest import Shop, SignIn

pytestmark = pytest.mark.django_db(transaction=True)

SEES = ("view_orphanfinding", "view_sample_rows")


def rows_url(shop: Shop, more: str = "", **query: str) -> str:
    return f"/admin/integrity/orphanfinding/{shop.finding().pk}/rows/{more}"


def test_rows_are_shown_with_what_refers_to_them(audited: Shop, sign_in: SignIn) -> None:
    answer = sign_in(*SEES).get(rows_url(audited))
    text = answer.content.decode()

    assert answer.status_code == 200
    assert [row["name"] for row in answer.context["rows"]] == ["4", "5", "6"]
    assert [row["referring"] for row in answer.context["rows"]] == [2, 0, 0]
    assert "lost" in text
    assert "lines.order_id" in text
    assert 'name="row"' not in text, "who may not decide chooses nothing"


def test_rows_to_refer_to_are_found_by_key_and_by_name(audited: Shop, sign_in: SignIn) -> None:
    url = f"/admin/integrity/orphanfinding/{audited.finding().pk}/parents/"
    client = sign_in(*SEES, "reassign_finding")

    assert client.get(url, {"term": "gra"}).json()["results"] == [{"id": "2", "text": "2 · Grace"}]
    assert client.get(url, {"term": "1"}).json()["results"] == [{"id": "1", "text": "1 · Ada"}]
    assert [each["id"] for each in client.get(url).json()["results"]] == ["1", "2"]
    assert client.get(url, {"term": "%"}).json() == {"results": [], "more": False, "note": ""}
