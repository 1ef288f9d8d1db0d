from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrity", "0006_repairs_of_duplicates"),
    ]

    operations = [
        migrations.AddField(
            model_name="migrationrun",
            name="operations",
            field=models.JSONField(blank=True, default=list, verbose_name="operations"),
        ),
    ]
