"""commerce: JSON rewritten from the table that it repeats (phase 3 of 3).

Changes rows, in small batches: writers of the repeated table wait for each. Every old value is in the
target's journal, and reversing this gives back those that nobody changed since.

Apply it with: manage.py integrity_migrate commerce --phase 3
"""

from integrity.operations import CatalogMigration, RepairMirror


class Migration(CatalogMigration):
    """1 repair."""

    target = "commerce"
    phase = 3
    changes_rows = True
    dependencies = [
        ("catalog_commerce", "0003_validate"),
    ]
    operations = [
        # The orders table says which orders a customer has; the column repeats it, and no longer quite
        # Any number of rows: each copy of the shop has its own.
        RepairMirror(
            table="store_customers",
            column="orders",
            repeats="orders.customer_id",
            to=("id",),
            elements=(("id", "id"), ("number", "order_number")),
            only_in_json="journal",
        ),
    ]
