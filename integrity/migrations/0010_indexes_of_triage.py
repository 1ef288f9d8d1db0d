"""Lists of findings read by indexes what they show, and each finding says what was decided about it."""

from collections.abc import Iterator
from typing import Any

from django.db import migrations, models

BATCH = 500


def say_why_and_what(apps: Any, schema_editor: Any) -> None:
    """Takes what explains most of the orphans, what is suggested and what was decided from what is known."""
    using = schema_editor.connection.alias
    findings = apps.get_model("integrity", "Finding").objects.using(using)
    orphans = findings.filter(code="orphaned_rows").exclude(state="resolved")
    for batch in _batches(orphans.order_by("pk")):
        decided = _decided(apps.get_model("integrity", "Resolution").objects.using(using), batch)
        for finding in batch:
            found = sorted(finding.evidence.get("causes") or [], key=lambda each: -each["rows"])
            finding.cause = found[0]["kind"] if found else ""
            finding.suggested = finding.evidence.get("suggested_resolution") or ""
            finding.decided = decided.get(finding.pk, "")
        findings.bulk_update(batch, ["cause", "suggested", "decided"])


def _batches(orphans: Any) -> Iterator[list[Any]]:
    last = 0
    while batch := list(orphans.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        yield batch


def _decided(resolutions: Any, batch: list[Any]) -> dict[int, str]:
    made = resolutions.filter(finding__in=batch, decided_at__gte=models.F("finding__opened_at"))
    return {each.finding_id: each.decision for each in made.order_by("pk") if not (each.keys or each.rows)}


class Migration(migrations.Migration):
    dependencies = [
        ("integrity", "0009_plans_know_who_ran_them"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="finding",
            name="integrity_finding_by_state",
        ),
        migrations.RemoveIndex(
            model_name="finding",
            name="integrity_finding_by_rows",
        ),
        migrations.RemoveIndex(
            model_name="finding",
            name="integrity_finding_by_table",
        ),
        migrations.RemoveIndex(
            model_name="finding",
            name="integrity_finding_by_cause",
        ),
        migrations.AddField(
            model_name="finding",
            name="badness",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(severity="error", then=models.Value(0)),
                    models.When(severity="warning", then=models.Value(1)),
                    default=models.Value(2),
                ),
                output_field=models.PositiveSmallIntegerField(verbose_name="severity"),
            ),
        ),
        migrations.AddField(
            model_name="finding",
            name="decided",
            field=models.CharField(blank=True, max_length=20, verbose_name="decision"),
        ),
        migrations.AddField(
            model_name="finding",
            name="trend",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(previous_rows__isnull=True, then=models.Value("new")),
                    models.When(rows__gt=models.F("previous_rows"), then=models.Value("growing")),
                    models.When(rows__lt=models.F("previous_rows"), then=models.Value("shrinking")),
                    default=models.Value("same"),
                ),
                output_field=models.CharField(
                    choices=[
                        ("new", "new"),
                        ("growing", "growing"),
                        ("shrinking", "shrinking"),
                        ("same", "unchanged"),
                    ],
                    max_length=10,
                    verbose_name="trend",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                fields=["target", "state", "code", "-rows", "-id"], name="integrity_finding_of_target"
            ),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(fields=["code", "state", "-rows", "-id"], name="integrity_finding_rows"),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(fields=["code", "state", "label"], name="integrity_finding_label"),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                fields=["code", "state", "decided", "-rows", "-id"], name="integrity_finding_decided"
            ),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                fields=["code", "state", "cause", "-rows", "-id"], name="integrity_finding_cause"
            ),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                fields=["code", "state", "trend", "-rows", "-id"], name="integrity_finding_trend"
            ),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                fields=["code", "state", "badness", "-rows", "-id"], name="integrity_finding_badness"
            ),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(fields=["state", "badness", "-rows", "-id"], name="integrity_finding_worst"),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                fields=["table_name", "state", "code", "-rows", "-id"], name="integrity_finding_table"
            ),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(fields=["referenced_table", "state", "code"], name="integrity_finding_parent"),
        ),
        migrations.RunPython(say_why_and_what, migrations.RunPython.noop),
    ]
