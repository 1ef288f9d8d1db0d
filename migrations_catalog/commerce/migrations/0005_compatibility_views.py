"""commerce: views for old readers of a column that goes (phase 3 of 3).

Harmless at any time: nothing that stands is changed. Deploy it alone, then let old readers read the view.

Apply it with: manage.py integrity_migrate commerce --phase 3
"""

from integrity.operations import CatalogMigration, CreateCompatibilityView


class Migration(CatalogMigration):
    """1 schema fix."""

    target = "commerce"
    phase = 3
    changes_rows = False
    dependencies = [
        ("catalog_commerce", "0004_rewrite_mirrors"),
    ]
    operations = [
        # The orders table says which orders a customer has; the column repeats it, and no longer quite
        # Let old readers of store_customers read store_customers_with_orders before orders goes.
        CreateCompatibilityView(
            view="store_customers_with_orders",
            table="store_customers",
            column="orders",
            repeats="orders.customer_id",
            to=("id",),
            elements=(("id", "id"), ("number", "order_number")),
        ),
    ]
