"""commerce: indexes (phase 1 of 3).

Harmless at any time: each is built while others read and write. Building waits for transactions that are
open, so not beside one that takes hours.

Apply it with: manage.py integrity_migrate commerce --phase 1
"""

from integrity.operations import AddIndex, AddUnique, CatalogMigration


class Migration(CatalogMigration):
    """4 schema fixes."""

    target = "commerce"
    phase = 1
    changes_rows = False
    dependencies = []
    operations = [
        # Order item lookups by order
        AddIndex(
            table="order_items",
            columns=("order_id", "product_id"),
            name="idx_order_items_order_product",
        ),
        # Variant-based queries
        AddIndex(
            table="order_items",
            columns=("variant_id",),
            name="idx_order_items_variant",
        ),
        # Category slug lookups per store
        AddIndex(
            table="categories",
            columns=("store_id", "slug"),
            name="idx_categories_store_slug",
        ),
        # fk_products_category refers to a category and its store together
        # A row of categories that repeats store_id, id is refused.
        AddUnique(
            table="categories",
            columns=("store_id", "id"),
            name="uq_categories_store_id",
        ),
    ]
