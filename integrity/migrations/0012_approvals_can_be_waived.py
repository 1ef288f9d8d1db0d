"""An approval can be waived at the command line, and that is noted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrity", "0011_maps_of_references"),
    ]

    operations = [
        migrations.AlterField(
            model_name="approval",
            name="state",
            field=models.CharField(
                choices=[
                    ("asked", "waits for approval"),
                    ("approved", "approved"),
                    ("refused", "refused"),
                    ("waived", "waived at the command line"),
                ],
                default="asked",
                max_length=10,
                verbose_name="state",
            ),
        ),
    ]
