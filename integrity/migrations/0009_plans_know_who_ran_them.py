"""Plans know the job that ran them last."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrity", "0008_triage"),
    ]

    operations = [
        migrations.AddField(
            model_name="storedplan",
            name="job",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="integrity.job",
                verbose_name="run by",
            ),
        ),
    ]
