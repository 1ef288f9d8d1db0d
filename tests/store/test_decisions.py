"""What people decide becomes requests for a plan, as long as it stands."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.utils import timezone

from integrity import models, store
from integrity.database.identifiers import TableName, parse_path
from integrity.plans import DuplicateRequest, DuplicateStep, Plan
from integrity.references import Resolution
from integrity.references.uniques import Duplicates, UniqueRule
from tests.factories import FindingFactory, TargetFactory
from tests.store.conftest import orphans, result

pytestmark = pytest.mark.django_db

TODAY = date(2030, 6, 1)


@pytest.fixture
def finding() -> models.Finding:
    made: models.Finding = FindingFactory.create(target=TargetFactory(alias="shop"))
    return made


def test_a_decision_becomes_a_request(finding: models.Finding) -> None:
    assert store.store_decision([finding], "reassign", actor="ada", to=["7"], reason="merged") == 1
    (request,) = store.decisions_for("shop")
    assert request.reference == parse_path("orders.customer_id")
    assert (request.resolution, request.to, request.reason) == (Resolution.REASSIGN, ("7",), "merged")


def test_the_latest_decision_counts(finding: models.Finding) -> None:
    store.store_decision([finding], "delete")
    store.store_decision([finding], "set_null")
    assert [request.resolution for request in store.decisions_for("shop")] == [Resolution.SET_NULL]


def test_what_is_withdrawn_stands_no_more_and_brings_back_nothing_before_it(finding: models.Finding) -> None:
    store.store_decision([finding], "set_null")
    store.store_decision([finding], "delete")
    store.store_decision([finding], "keep", keys=[("71",), ("72",), ("73",)])
    store.store_decision([finding], "reassign", keys=[("72",)], rows=[("5",)], to=["1"])
    keep = models.Resolution.objects.get(decision="keep")

    assert store.withdraw_decision(finding, keep.pk, actor="ada")
    assert not store.withdraw_decision(finding, keep.pk, actor="ada")
    left = [(str(each.resolution), each.keys, each.rows) for each in store.decisions_for("shop")]
    assert left == [("delete", (), ()), ("reassign", (("72",),), ()), ("reassign", (), (("5",),))]
    assert store.withdraw_decisions(finding, rows=[("5",), ("6",)]) == 1
    assert store.withdraw_decisions(finding) == 2
    assert store.decisions_for("shop") == []
    finding.refresh_from_db()
    assert (finding.state, finding.decided, finding.target.undecided) == ("open", "", 1)


def test_a_decision_about_keys_or_rows_stands_beside_the_one_about_the_rest(
    finding: models.Finding,
) -> None:
    store.store_decision([finding], "keep", rows=[("5",), ("6",)], reason="invoices")
    store.store_decision([finding], "set_null", keys=[("71",), ("72",)])
    store.store_decision([finding], "delete", keys=[("72",)])
    store.store_decision([finding], "delete")
    store.store_decision([finding], "reassign", rows=[("6",)], to=["1"])

    assert [(str(each.resolution), each.keys, each.rows) for each in store.decisions_for("shop")] == [
        ("delete", (), ()),
        ("set_null", (("71",),), ()),
        ("delete", (("72",),), ()),
        ("keep", (), (("5",),)),
        ("reassign", (), (("6",),)),
    ]
    assert all(each.standing for each in store.decisions_for("shop"))
    assert len(store.exceptions_for("shop", ["orders.customer_id"])) == 4
    assert store.exceptions_for("shop", ["lines.order_id"]) == []


def test_keeping_some_rows_keeps_no_finding(finding: models.Finding) -> None:
    store.store_decision([finding], "keep", rows=[("5",)], until=TODAY)
    finding.refresh_from_db()
    assert (finding.state, finding.decided) == ("open", "")
    assert store.kept_until("shop", on=TODAY) == {}
    (part,) = store.kept_parts("shop", on=TODAY)["orders.customer_id"]
    assert (part.rows, part.until) == ((("5",),), "2030-06-01")
    tomorrow = TODAY + timedelta(days=1)
    assert store.kept_parts("shop", on=tomorrow) == {}
    assert store.decisions_for("shop", on=tomorrow) == []


def test_deciding_about_some_rows_leaves_the_others_kept(finding: models.Finding) -> None:
    store.store_decision([finding], "keep", reason="history")
    store.store_decision([finding], "delete", keys=[("71",)])
    finding.refresh_from_db()
    assert finding.state == "kept"
    assert store.kept_until("shop") == {"orders.customer_id": None}


def test_a_plan_is_decided_once_with_its_scopes_and_its_hash(
    finding: models.Finding, plan: Callable[..., Plan]
) -> None:
    made = plan(Resolution.SET_NULL, chosen_rows=(("5",),))
    assert store.store_decisions(made, actor="ada") == 1
    assert store.store_decisions(made, actor="bob") == 0, "it stands already"
    (decided,) = models.Resolution.objects.all()
    assert (decided.rows, decided.plan_hash, decided.decided_by) == ([["5"]], made.hash, "ada")
    assert store.store_decisions(plan(Resolution.KEEP)) == 0, "kept because nobody decided"


@pytest.mark.usefixtures("finding")
def test_what_a_relinking_means_is_what_its_plan_says(plan: Callable[..., Plan]) -> None:
    made = plan(Resolution.RELINK, mapping=((("71",), (1,)), (("72",), (2,))))
    store.store_plan(made)
    store.store_decisions(made)
    (request,) = store.decisions_for("shop")
    assert request.mapping is not None
    pairs, mistakes = request.mapping.pairs(made.orphan_steps[0].reference)
    assert [(pair.old, pair.new) for pair in pairs] == [(("71",), ("1",)), (("72",), ("2",))]
    assert mistakes == []


def test_what_becomes_of_duplicates_is_what_its_plan_says() -> None:
    target = TargetFactory(alias="shop")
    finding = FindingFactory.create(target=target, code="duplicate_rows", label="customers.email")
    rule = UniqueRule(TableName("main", "customers"), ("email",))
    step = DuplicateStep(1, rule, Duplicates.MERGE, 2, 3, "1 = 1", survivor="newest", fill=True)
    made = Plan("shop", "sqlite", "f" * 64, (step,))
    store.store_plan(made)
    assert store.store_decisions(made) == 1
    wanted = DuplicateRequest(parse_path("customers.email"), Duplicates.MERGE, "newest", fill=True)
    assert store.duplicate_decisions_for("shop") == [replace(wanted, standing=True)]
    store.store_decision([finding], "keep")
    assert [str(each.action) for each in store.duplicate_decisions_for("shop")] == ["keep"]


def test_keeping_marks_the_finding_and_deciding_otherwise_opens_it(finding: models.Finding) -> None:
    store.store_decision([finding], "keep", reason="history")
    finding.refresh_from_db()
    assert finding.state == "kept"
    store.store_decision([finding], "delete")
    finding.refresh_from_db()
    assert finding.state == "open"


def test_an_expired_keep_is_not_applied(finding: models.Finding) -> None:
    store.store_decision([finding], "keep", reason="history", until=TODAY)
    assert store.kept_until("shop", on=TODAY) == {"orders.customer_id": TODAY}
    assert len(store.decisions_for("shop", on=TODAY)) == 1
    tomorrow = TODAY + timedelta(days=1)
    assert store.kept_until("shop", on=tomorrow) == {}
    assert store.decisions_for("shop", on=tomorrow) == []


def test_an_audit_opens_what_was_kept_until_yesterday() -> None:
    store.store_audit(result(orphans()))
    finding = models.Finding.objects.get()
    store.store_decision([finding], "keep", until=timezone.localdate() - timedelta(days=1))
    store.store_audit(result(orphans()))
    finding.refresh_from_db()
    assert finding.state == "open"


def test_a_keep_without_end_has_no_day(finding: models.Finding) -> None:
    store.store_decision([finding], "keep", reason="history")
    assert store.kept_until("shop") == {"orders.customer_id": None}


def test_a_decision_about_resolved_orphans_is_not_applied_to_new_ones() -> None:
    store.store_audit(result(orphans()))
    store.store_decision(models.Finding.objects.all(), "delete")
    store.store_audit(result())
    assert store.decisions_for("shop") == []
    store.store_audit(result(orphans(rows=1)))
    assert store.decisions_for("shop") == []


def test_decisions_of_other_targets_are_not_mixed_in(finding: models.Finding) -> None:
    store.store_decision([finding], "delete")
    assert store.decisions_for("barn") == []


def test_what_a_plan_keeps_for_a_reason_is_a_decision(
    finding: models.Finding, plan: Callable[..., Plan]
) -> None:
    assert store.store_kept(plan(Resolution.KEEP), actor="ada") == 0, "kept because nobody decided"
    assert store.store_kept(plan(Resolution.KEEP, reason="history", until="2030-06-01"), actor="ada") == 1
    assert store.kept_until("shop", on=TODAY) == {"orders.customer_id": TODAY}
