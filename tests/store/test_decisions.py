"""What people decide becomes requests for a plan, as long as it stands."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.utils import timezone

from integrity import models, store
from integrity.database.identifiers import parse_path
from integrity.plans import Plan
from integrity.references import Resolution
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
