"""cts: columns removed (phase 3 of 3).

Not before every reader and writer of the column is gone. The values are copied into the target's journal
while others write; then writers wait for what was changed meanwhile, and readers for a moment. Reversing this
brings every value back.

Apply it with: manage.py integrity_migrate cts --phase 3
"""

from integrity.operations import CatalogMigration, RemoveColumn


class Migration(CatalogMigration):
    """1 schema fix."""

    target = "cts"
    phase = 3
    changes_rows = False
    dependencies = [
        ("catalog_cts", "0005_validate"),
    ]
    operations = [
        # Connections belong to the site; some of the users are gone, so that it could never be enforced
        # Its foreign key and its indexes go with it, and come back with it. Names what else uses the
        # column.
        RemoveColumn(
            table="exchange_connections",
            column="user_id",
            with_keys=True,
        ),
    ]
