"""Targets know how their tables hang together, and how many findings wait for a decision or a repair."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def count_decisions(apps: Any, schema_editor: Any) -> None:
    """Counts for targets that are known already; each audit and each decision counts again."""
    using = schema_editor.connection.alias
    open_orphans = apps.get_model("integrity", "Finding").objects.using(using)
    open_orphans = open_orphans.filter(code="orphaned_rows", state="open").order_by()
    for target in apps.get_model("integrity", "Target").objects.using(using):
        mine = open_orphans.filter(target=target.pk)
        target.undecided = mine.filter(decided="").count()
        target.decided = mine.exclude(decided="").count()
        target.save(using=using, update_fields=["undecided", "decided"])


class Migration(migrations.Migration):
    dependencies = [
        ("integrity", "0010_indexes_of_triage"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReferenceMap",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "target",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reference_map",
                        to="integrity.target",
                        verbose_name="target",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="integrity.auditrun",
                        verbose_name="audit run",
                    ),
                ),
                ("references", models.JSONField(blank=True, default=list, verbose_name="references")),
                ("left_out", models.PositiveIntegerField(default=0, verbose_name="left out")),
            ],
            options={
                "verbose_name": "map of references",
                "verbose_name_plural": "maps of references",
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="target",
            name="undecided",
            field=models.PositiveIntegerField(
                default=0,
                help_text="Open orphan findings about which nobody decided.",
                verbose_name="undecided",
            ),
        ),
        migrations.AddField(
            model_name="target",
            name="decided",
            field=models.PositiveIntegerField(
                default=0,
                help_text="Open orphan findings whose decision is not carried out.",
                verbose_name="decided",
            ),
        ),
        migrations.AddIndex(
            model_name="backup",
            index=models.Index(fields=["target", "-id"], name="integrity_backup_by_target"),
        ),
        migrations.AddIndex(
            model_name="migrationrun",
            index=models.Index(fields=["target", "-id"], name="integrity_migration_by_target"),
        ),
        migrations.AddIndex(
            model_name="repairrun",
            index=models.Index(fields=["target", "state", "-id"], name="integrity_repair_by_target"),
        ),
        migrations.RunPython(count_decisions, migrations.RunPython.noop),
    ]
