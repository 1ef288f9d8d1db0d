"""What happened to a target, wherever on earth somebody looks."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland"])
def test_what_has_not_begun_comes_first_and_has_no_age(
    admin_client: Client, settings: Any, zone: str
) -> None:
    settings.TIME_ZONE = zone
    begun = factories.AuditRunFactory.create()
    factories.RepairRunFactory.create(target=begun.target, started_at=None, number=7)
    url = reverse("admin:integrity_target_change", args=[begun.target.pk])
    shown = admin_client.get(url).context["happenings"]
    assert [each.at for each in shown] == [None, begun.started_at]
    assert shown[0].ago == "–"
