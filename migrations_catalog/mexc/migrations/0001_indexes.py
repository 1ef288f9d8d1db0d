"""mexc: indexes (phase 1 of 3).

Each is built in one transaction; other writers wait meanwhile.

Apply it with: manage.py integrity_migrate mexc --phase 1
"""

from integrity.operations import AddIndex, CatalogMigration


class Migration(CatalogMigration):
    """4 schema fixes."""

    target = "mexc"
    phase = 1
    changes_rows = False
    dependencies = []
    operations = [
        # Faster queries on user-specific data
        AddIndex(
            table="api_credentials",
            columns=("user_id",),
            name="api_credentials_user_idx",
        ),
        # Better index coverage for common queries
        AddIndex(
            table="monitored_listings",
            columns=("symbol_name",),
            name="monitored_listings_symbol_name_idx",
        ),
        # Faster queries on user-specific data
        AddIndex(
            table="workflow_system_status",
            columns=("user_id",),
            name="workflow_system_status_user_idx",
        ),
        # Faster queries on user-specific data
        AddIndex(
            table="workflow_activity",
            columns=("user_id",),
            name="workflow_activity_user_idx",
        ),
    ]
