"""commerce: columns removed that repeat a table (phase 3 of 3).

Not before every reader and writer of the column is gone; who reads the view goes on. The values are copied
into the target's journal while others write; then writers wait for what was changed meanwhile, and readers
for a moment. Reversing this brings every value back.

Apply it with: manage.py integrity_migrate commerce --phase 3
"""

from integrity.operations import CatalogMigration, RemoveColumn


class Migration(CatalogMigration):
    """1 schema fix."""

    target = "commerce"
    phase = 3
    changes_rows = False
    dependencies = [
        ("catalog_commerce", "0005_compatibility_views"),
    ]
    operations = [
        # The orders table says which orders a customer has; the column repeats it, and no longer quite
        # Stops while the JSON says something else than the table, and names what uses the column unless it
        # is acknowledged.
        RemoveColumn(
            view="store_customers_with_orders",
            drift="table",
            table="store_customers",
            column="orders",
            repeats="orders.customer_id",
            to=("id",),
            elements=(("id", "id"), ("number", "order_number")),
            only_in_json="journal",
        ),
    ]
