"""Who is told what: in the log, by mail, once for a burst, and never in the way."""

import logging
import threading
import time
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.mail.backends.base import BaseEmailBackend

from integrity import alerts, models, signals
from integrity.alerts.mail import bursts
from integrity.checks import check_alerts
from integrity.database.violations import Violation, ViolationKind
from integrity.metrics.watching import Occurrence
from integrity.operations.executor import StepEvent, StepState
from integrity.verification.comparing import QueryComparison
from integrity.verification.measurement import QueryMeasurement

FAILED = StepEvent("0003_validate", 3, False, 3, 3, StepState.FAILED, 1.5, "3 rows break orders.customer_id")
BOTH = {"ALERTS": {"log": True, "mail": ["dba@example.org"]}}


@pytest.fixture(autouse=True)
def quiet_before() -> None:
    """Nothing was mailed before."""
    bursts.forget()
    cache.clear()


def fail_migration(target: str = "shop") -> None:
    signals.migration_failed.send_robust(models.MigrationRun, target=target, result=FAILED)


def violate(*, handled: bool = False, constraint: str = "uq_tags_store_slug", target: str = "shop") -> None:
    violation = Violation(ViolationKind.UNIQUE, "tags", constraint, target)
    occurrence = Occurrence(violation, "tags:create", handled)
    signals.constraint_violated.send_robust(Occurrence, target=target, result=occurrence)


def mailed() -> list[Any]:
    assert alerts.wait_for_mails()
    return mail.outbox


def test_nobody_is_told_unless_the_settings_say_so(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.INTEGRITY = {}
    fail_migration()
    violate()
    assert mailed() == []
    assert caplog.records == []


def test_a_failed_migration_is_in_the_log_and_in_the_mail(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.INTEGRITY = BOTH
    fail_migration()
    [record] = caplog.records
    assert (record.name, record.levelno) == ("integrity.alerts", logging.ERROR)
    assert "Migration 0003_validate of shop failed: 3 rows break" in record.getMessage()
    facts = record.integrity  # type: ignore[attr-defined]
    assert (facts["alert"], facts["target"], facts["phase"]) == ("migration_failed", "shop", 3)
    [letter] = mailed()
    assert letter.to == ["dba@example.org"]
    assert letter.subject.endswith("Migration 0003_validate of shop failed")
    assert "3 rows break orders.customer_id" in letter.body


def test_a_query_that_got_slower_is_told(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.INTEGRITY = BOTH
    now = QueryMeasurement("order detail", "orders")
    slower = QueryComparison("order detail", None, now, 1.5, True, "it takes 1.50 times as long", "time")
    signals.query_slower.send_robust(models.QueryRun, target="shop", result=slower)
    assert "order detail of shop got slower: it takes 1.50 times as long" in caplog.text
    assert len(mailed()) == 1


def test_a_violation_that_a_view_handles_is_for_the_log_alone(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.INTEGRITY = BOTH
    violate(handled=True)
    assert [each.levelno for each in caplog.records] == [logging.WARNING]
    assert mailed() == []
    violate()
    assert "uq_tags_store_slug on tags in tags:create" in mailed()[0].body.replace("Unique", "unique")


def test_a_burst_is_one_mail_and_the_next_says_how_many_more(settings: Any) -> None:
    settings.INTEGRITY = BOTH
    for number in range(50):
        violate(constraint=f"c{number}")
    assert len(mailed()) == 1
    bursts._until.clear()
    cache.clear()
    violate()
    assert "49 more of this kind since the last mail" in mailed()[1].body


def test_kinds_and_targets_have_bursts_of_their_own(settings: Any) -> None:
    settings.INTEGRITY = BOTH
    for target in ("shop", "old"):
        violate(target=target)
        fail_migration(target)
    assert len(mailed()) == 4


def test_another_process_that_mailed_already_is_heeded(settings: Any) -> None:
    settings.INTEGRITY = BOTH
    violate()
    mailed()
    bursts.forget()  # as in another process, with the same cache
    violate()
    assert len(mailed()) == 1


def test_without_a_time_between_them_each_is_mailed(settings: Any) -> None:
    settings.INTEGRITY = {"ALERTS": {"mail": ["dba@example.org"], "mail_seconds": 0}}
    violate()
    violate()
    assert len(mailed()) == 2


@pytest.mark.parametrize("admins", [[("Ada", "ada@example.org")], ["ada@example.org"]])
def test_true_means_the_admins_of_the_site(settings: Any, admins: list[Any]) -> None:
    settings.ADMINS = admins
    settings.INTEGRITY = {"ALERTS": {"mail": True}}
    fail_migration()
    assert mailed()[0].to == ["ada@example.org"]


class Dead(BaseEmailBackend):
    """A mail server that takes its time, and then fails."""

    answered = threading.Event()

    def send_messages(self, messages: Any) -> int:
        self.answered.wait(60)
        raise OSError("no route to host")


def test_a_dead_mail_server_neither_delays_nor_fails_the_request(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "tests.alerts.test_alerts.Dead"
    settings.INTEGRITY = BOTH
    Dead.answered.clear()
    began = time.monotonic()
    violate()
    assert time.monotonic() - began < 60
    Dead.answered.set()
    mailed()
    assert "could not be mailed" in caplog.text


def test_a_name_with_a_new_line_makes_no_header(settings: Any) -> None:
    settings.INTEGRITY = BOTH
    fail_migration("shop\nBcc: everybody@example.org")
    assert "\n" not in mailed()[0].subject


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mails": ["a@example.org"]}, "'mails'"),
        (True, "not a dictionary"),
        ({"mail": True}, "ADMINS is empty"),
    ],
)
def test_alerts_that_nobody_would_get_are_warned_of(settings: Any, given: Any, said: str) -> None:
    settings.INTEGRITY = {"ALERTS": given}
    [warning] = check_alerts()
    assert warning.id == "integrity.W004"
    assert said in warning.msg
    settings.INTEGRITY = BOTH
    assert check_alerts() == []
