"""The overview finds what is under way for each target by index."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrity", "0013_worst_findings_of_targets"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["target", "state", "-id"], name="integrity_job_by_target"),
        ),
    ]
