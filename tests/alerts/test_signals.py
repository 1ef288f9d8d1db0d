"""The signals are sent when it happens, and after it is stored."""

from collections.abc import Iterator
from typing import Any

import pytest

from integrity import models, signals, tasks
from tests.commands import run
from tests.management.conftest import Shop, shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

__all__ = ["shop"]


@pytest.fixture
def told() -> Iterator[list[tuple[str, Any, int]]]:
    """What was told of migrations that failed, and how many were stored by then."""
    heard: list[tuple[str, Any, int]] = []

    def listen(sender: Any, target: str, result: Any, **kwargs: Any) -> None:
        heard.append((target, result, models.MigrationRun.objects.filter(state="failed").count()))

    signals.migration_failed.connect(listen)
    yield heard
    signals.migration_failed.disconnect(listen)


@pytest.mark.parametrize("options", [(), ("--no-checks",)])
def test_a_migration_that_is_refused_is_told_after_it_was_stored(
    shop: Shop, told: list[tuple[str, Any, int]], options: tuple[str, ...]
) -> None:
    assert run("makemigrations", shop.alias).code == 0
    assert run("migrate", shop.alias, *options).code == 2
    [(target, step, stored)] = told
    assert (target, step.name[:4], stored) == (shop.alias, "0003", 1)
    assert "break" in step.error


def test_a_migration_that_a_page_asked_for_is_told_too(shop: Shop, told: list[tuple[str, Any, int]]) -> None:
    assert run("makemigrations", shop.alias).code == 0
    tasks.start_job(shop.alias, models.JobKind.MIGRATE, {})
    assert tasks.wait_for_jobs(60)
    assert [step.name[:4] for _, step, _ in told] == ["0003"]
    assert models.Job.objects.get().state == "failed"


def test_what_succeeds_is_no_failure(shop: Shop, told: list[tuple[str, Any, int]]) -> None:
    assert run("makemigrations", shop.alias).code == 0
    assert run("migrate", shop.alias, "--phase", "2").code == 0
    assert told == []
