"""Hours in which a target may be migrated: over midnight, in the site's time zone, and never too short."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from integrity import models
from integrity.database.session import Target
from integrity.management.window import Window, window
from integrity.operations.migration_states import migration_status
from tests.commands import run
from tests.factories import MigrationRunFactory, TargetFactory
from tests.management.conftest import Shop


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("02:00-04:30", ["02:00", "04:29"], ["01:59", "04:30", "14:00"]),
        ("22:00-05:30", ["22:00", "23:59", "00:00", "05:29"], ["05:30", "21:59", "12:00"]),
        (" 22:00 - 24:00 ", ["22:00", "23:59"], ["00:00", "21:59"]),
        ("00:00-24:00", ["00:00", "12:00", "23:59"], []),
    ],
)
def test_a_window_holds_these_hours(text: str, inside: list[str], outside: list[str]) -> None:
    found = window(text)
    assert all(found.holds(time.fromisoformat(each)) for each in inside)
    assert not any(found.holds(time.fromisoformat(each)) for each in outside)


@pytest.mark.parametrize(
    "text", ["", "22:00", "22-05", "25:00-05:00", "05:00-05:00", "at night", "24:00-05:00"]
)
def test_what_is_no_window_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=r"22:00-05:30"):
        window(text)


def test_it_is_known_how_long_a_window_is_still_open() -> None:
    night = Window(time(22), time(5, 30))
    at = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
    assert night.left(at) == timedelta(hours=6, minutes=30)
    assert night.left(at + timedelta(hours=6)) == timedelta(minutes=30)


def test_the_night_in_which_summer_time_begins_is_an_hour_shorter() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert Window(time(22), time(5)).left(datetime(2026, 3, 28, 23, 0, tzinfo=berlin)) == timedelta(hours=5)


database = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]


def around(now: datetime, *, before: int, after: int) -> str:
    """A window from some minutes before to some minutes after a moment."""
    ends = [now - timedelta(minutes=before), now + timedelta(minutes=after)]
    return "-".join(f"{each:%H:%M}" for each in ends)


class TestCommand:
    pytestmark = database

    @pytest.fixture
    def written(self, shop: Shop) -> Shop:
        shop.execute("DELETE FROM orders WHERE customer_id >= 90; DELETE FROM lines WHERE order_id >= 10")
        assert run("makemigrations", shop.alias).code == 0
        return shop

    def test_outside_of_it_nothing_is_begun(self, written: Shop) -> None:
        before = written.state()
        refused = run("migrate", written.alias, "--window", around(timezone.now(), before=-60, after=120))
        assert refused.code == 2
        assert "outside of the window" in refused.err
        assert "(UTC)" in refused.err
        assert "Run it again within these hours" in refused.err
        assert written.state() == before

    def test_within_it_everything_is_applied(self, written: Shop) -> None:
        ran = run("migrate", written.alias, "--window", around(timezone.now(), before=60, after=60))
        assert ran.code == 0, ran.err

    def test_hours_are_those_of_the_sites_time_zone(self, written: Shop, settings: Any) -> None:
        settings.TIME_ZONE = "Asia/Tokyo"
        in_utc = around(timezone.now().astimezone(UTC), before=60, after=60)
        refused = run("migrate", written.alias, "--window", in_utc)
        assert refused.code == 2
        assert "(JST)" in refused.err

    def test_what_took_longer_than_is_left_is_not_begun_and_what_came_before_stands(
        self, written: Shop
    ) -> None:
        names = [each.name for each in migration_status(Target(written.alias))]
        MigrationRunFactory(
            target=TargetFactory(alias=written.alias), migration=names[1], seconds=3 * 3600 + 60
        )
        refused = run("migrate", written.alias, "--window", around(timezone.now(), before=60, after=60))
        assert refused.code == 2
        assert f"{names[1]} took 3 h 1 min on target" in refused.err
        assert "ends in" in refused.err
        states = [str(each.state) for each in migration_status(Target(written.alias))]
        assert states == ["applied", "pending", "pending"]

    @pytest.mark.parametrize("facts", [{"state": "failed"}, {"direction": "backward"}])
    def test_only_what_succeeded_in_this_direction_says_how_long_it_takes(
        self, written: Shop, facts: dict[str, str]
    ) -> None:
        names = [each.name for each in migration_status(Target(written.alias))]
        target = TargetFactory(alias=written.alias)
        MigrationRunFactory(target=target, migration=names[0], seconds=9_999, **facts)
        MigrationRunFactory(target=TargetFactory(alias="other"), migration=names[0], seconds=9_999)
        ran = run("migrate", written.alias, "--window", around(timezone.now(), before=60, after=60))
        assert ran.code == 0, ran.err

    def test_a_target_of_the_same_catalog_says_so_too(
        self, written: Shop, settings: Any, monkeypatch: Any
    ) -> None:
        name = migration_status(Target(written.alias))[0].name
        monkeypatch.setattr("integrity.tasks.migrating.catalog_of", lambda alias: "one for all")
        MigrationRunFactory(target=TargetFactory(alias="default"), migration=name, seconds=9_999)
        refused = run("migrate", written.alias, "--window", around(timezone.now(), before=60, after=60))
        assert refused.code == 2
        assert "2 h 46 min on default" in refused.err
        assert not models.MigrationRun.objects.filter(target__alias=written.alias).exists()
