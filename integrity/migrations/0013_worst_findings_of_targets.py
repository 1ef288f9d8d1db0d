"""The page of a target finds its worst findings by index, however many others have."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrity", "0012_approvals_can_be_waived"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                fields=["target", "state", "badness", "-rows", "-id"], name="integrity_finding_worst_of"
            ),
        ),
    ]
