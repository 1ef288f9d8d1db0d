"""A site with an admin of its own beside the default one: people stay where they are."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import path, reverse

from integrity import models
from integrity.admin import AuditRunAdmin, JobAdmin, TargetAdmin
from tests.factories import TargetFactory

office = admin.AdminSite("office")
office.register(models.Target, TargetAdmin)
office.register(models.AuditRun, AuditRunAdmin)
office.register(models.Job, JobAdmin)

urlpatterns = [path("admin/", admin.site.urls), path("office/", office.urls)]


@pytest.fixture(autouse=True)
def two_sites(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.mark.django_db
def test_the_places_of_the_app_are_those_of_the_site_that_is_open(admin_client: Client) -> None:
    text = admin_client.get(reverse("office:integrity_auditrun_changelist")).content.decode()
    assert '<a href="/office/integrity/job/">Jobs</a>' in text
    assert 'href="/admin/' not in text
    assert "Quarantine" not in text, "this site does not have it"


@pytest.mark.django_db
def test_a_job_that_was_asked_for_is_shown_where_it_was_asked_for(rf: Any) -> None:
    job = models.Job.objects.create(target=TargetFactory.create(), kind="audit")
    response = TargetAdmin(models.Target, office).started(rf.post("/"), job)
    assert response["Location"] == f"/office/integrity/job/{job.pk}/change/"
