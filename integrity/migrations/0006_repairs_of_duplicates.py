from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrity", "0005_checks_of_migrations"),
    ]

    operations = [
        migrations.AlterField(
            model_name="repairrun",
            name="kind",
            field=models.CharField(
                choices=[
                    ("cleanup", "cleanup"),
                    ("reassign", "reassign"),
                    ("deduplicate", "deduplicate"),
                    ("rollback", "rollback"),
                    ("migration", "repair by a migration"),
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
    ]
