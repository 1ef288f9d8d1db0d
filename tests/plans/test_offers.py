"""Every resolution is offered with a reason, and what cannot be done says why."""

from typing import Any

import pytest

from integrity.plans.offers import Because, Hindrance, How, Offer, offers, suggested
from integrity.references import Resolution

TABLE = {"kind": "", "null": ["customer_id"], "computed": [], "system_row": False, "template": False}


def evidence(
    on_delete: str = "NO ACTION", causes: dict[str, int] | None = None, **means: Any
) -> dict[str, Any]:
    found = [{"kind": kind, "rows": rows} for kind, rows in (causes or {}).items()]
    return {"on_delete": on_delete, "causes": found, "means": TABLE | means}


def offered(resolution: Resolution, **facts: Any) -> Offer:
    return next(each for each in offers(evidence(**facts), 10) if each.resolution is resolution)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, (None, "")),
        ({"on_delete": "CASCADE"}, ("delete", "cascade")),
        ({"on_delete": "SET NULL"}, ("set_null", "set_null")),
        ({"on_delete": "SET NULL", "null": []}, (None, "")),
        ({"on_delete": "CASCADE", "policy": "keep"}, ("keep", "policy")),
        ({"on_delete": "CASCADE", "causes": {"format_mismatch": 5}}, ("relink", "spelling")),
        ({"on_delete": "CASCADE", "causes": {"format_mismatch": 4}}, ("delete", "cascade")),
        ({"on_delete": "CASCADE", "causes": {"sentinel": 9}}, ("set_null", "sentinel")),
        ({"on_delete": "CASCADE", "causes": {"archived_parent": 9}}, (None, "")),
        ({"causes": {"archived_parent": 9}, "template": True}, ("restore_parent", "archived")),
        ({"on_delete": "CASCADE", "causes": {"another_owner": 9}}, (None, "")),
    ],
)
def test_the_facts_speak_for_one_resolution_or_for_none(facts: Any, expected: Any) -> None:
    found = evidence(**facts)
    first = offers(found, 10)[0]
    assert ((str(first.resolution) if first.recommended else None), str(first.because)) == expected
    assert suggested(found, 10) == expected[0]


@pytest.mark.parametrize(
    ("resolution", "facts", "hindrance", "named"),
    [
        (Resolution.SET_NULL, {"null": []}, Hindrance.NOT_NULL, ()),
        (Resolution.SET_NULL, {"null": [], "computed": ["c"]}, Hindrance.COMPUTED, ("c",)),
        (Resolution.RELINK, {"computed": ["c"]}, Hindrance.COMPUTED, ("c",)),
        (Resolution.RESTORE_PARENT, {}, Hindrance.NO_TEMPLATE, ()),
        (Resolution.DELETE, {"kind": "view"}, Hindrance.NOT_A_TABLE, ("view",)),
        (Resolution.KEEP, {"kind": "view"}, Hindrance.NOTHING, ()),
    ],
)
def test_what_cannot_be_done_says_why(
    resolution: Resolution, facts: Any, hindrance: Hindrance, named: tuple[str, ...]
) -> None:
    offer = offered(resolution, **facts)
    assert (offer.hindrance, offer.named, offer.recommended) == (hindrance, named, False)


def test_relinking_says_how_many_it_settles_and_by_what() -> None:
    by_form = offered(Resolution.RELINK, causes={"format_mismatch": 3})
    assert (by_form.how, by_form.rows) == (How.BY_FORM, 3)
    assert (offered(Resolution.RELINK).how, offered(Resolution.RELINK).rows) == (How.BY_MAPPING, 10)


def test_reassigning_says_to_which_row() -> None:
    assert offered(Resolution.REASSIGN).how is How.CHOSEN_ROW
    assert offered(Resolution.REASSIGN, system_row=True).how is How.SYSTEM_ROW


def test_the_evidence_of_an_older_audit_hinders_nothing() -> None:
    found = offers({"on_delete": "SET NULL"}, 10)
    assert {each.resolution for each in found} == set(Resolution)
    assert all(each.possible for each in found)
    assert found[0].because is Because.SET_NULL
