"""What was found and decided before triage knew of it is known to it after the migration."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from integrity import models
from tests import factories

pytestmark = pytest.mark.django_db

say_why_and_what = import_module("integrity.migrations.0010_indexes_of_triage").say_why_and_what


def test_findings_of_before_say_their_cause_what_is_suggested_and_what_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(import_module("integrity.migrations.0010_indexes_of_triage"), "BATCH", 2)
    causes = [{"kind": "unexplained", "rows": 1}, {"kind": "import", "rows": 16}]
    evidence = {"causes": causes, "suggested_resolution": "delete"}
    told, bare, gone = (factories.FindingFactory.create(evidence=each) for each in (evidence, {}, evidence))
    models.Finding.objects.filter(pk=gone.pk).update(state="resolved")
    factories.ResolutionFactory.create(finding=told, decision="keep")
    factories.ResolutionFactory.create(finding=told, decision="set_null")
    factories.ResolutionFactory.create(finding=told, decision="delete", keys=[["90"]])

    say_why_and_what(apps, connection.schema_editor())

    found = {each.pk: (each.cause, each.suggested, each.decided) for each in models.Finding.objects.all()}
    assert found == {
        told.pk: ("import", "delete", "set_null"),
        bare.pk: ("", "", ""),
        gone.pk: ("", "", ""),
    }
