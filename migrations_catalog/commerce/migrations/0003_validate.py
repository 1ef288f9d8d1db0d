"""commerce: uniques and foreign keys for all rows (phase 3 of 3).

Checks the rows that stand, while others read and write. Not while orphans are left: it stops and says how
many, and the command that resolves them. A unique binds new rows from its first moment. Not while duplicates
are left: it stops, names them and the command that resolves them, and nothing stays of it.

Apply it with: manage.py integrity_migrate commerce --phase 3
"""

from integrity.operations import AddUnique, CatalogMigration, ValidateForeignKey


class Migration(CatalogMigration):
    """18 schema fixes."""

    target = "commerce"
    phase = 3
    changes_rows = False
    dependencies = [
        ("catalog_commerce", "0002_foreign_keys"),
    ]
    operations = [
        # A category's address in its store leads to one category
        # A row of categories that repeats store_id, slug is refused. Makes idx_categories_store_slug
        # redundant: integrity_makemigrations --drop-redundant drops it.
        AddUnique(
            table="categories",
            columns=("store_id", "slug"),
            name="uq_categories_store_slug",
        ),
        # A tag of a store is one tag
        # A row of tags that repeats store_id, slug is refused.
        AddUnique(
            table="tags",
            columns=("store_id", "slug"),
            name="uq_tags_store_slug",
        ),
        ValidateForeignKey(
            table="products",
            columns=("store_id",),
            to="stores",
            to_columns=("id",),
            name="fk_products_store",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="product_variants",
            columns=("store_id",),
            to="stores",
            to_columns=("id",),
            name="fk_product_variants_store",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="categories",
            columns=("store_id",),
            to="stores",
            to_columns=("id",),
            name="fk_categories_store",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="tags",
            columns=("store_id",),
            to="stores",
            to_columns=("id",),
            name="fk_tags_store",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="orders",
            columns=("store_id",),
            to="stores",
            to_columns=("id",),
            name="fk_orders_store",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="store_customers",
            columns=("store_id",),
            to="stores",
            to_columns=("id",),
            name="fk_store_customers_store",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="products",
            columns=("store_id", "category_id"),
            to="categories",
            to_columns=("store_id", "id"),
            name="fk_products_category",
            on_delete="NO ACTION",
        ),
        ValidateForeignKey(
            table="categories",
            columns=("parent_id",),
            to="categories",
            to_columns=("id",),
            name="fk_categories_parent",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="product_variants",
            columns=("product_id",),
            to="products",
            to_columns=("id",),
            name="fk_product_variants_product",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="product_tags",
            columns=("product_id",),
            to="products",
            to_columns=("id",),
            name="fk_product_tags_product",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="product_tags",
            columns=("tag_id",),
            to="tags",
            to_columns=("id",),
            name="fk_product_tags_tag",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="orders",
            columns=("customer_id",),
            to="store_customers",
            to_columns=("id",),
            name="fk_orders_customer",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="order_items",
            columns=("order_id",),
            to="orders",
            to_columns=("id",),
            name="fk_order_items_order",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="order_items",
            columns=("product_id",),
            to="products",
            to_columns=("id",),
            name="fk_order_items_product",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="order_items",
            columns=("variant_id",),
            to="product_variants",
            to_columns=("id",),
            name="fk_order_items_variant",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="payments",
            columns=("order_id",),
            to="orders",
            to_columns=("id",),
            name="fk_payments_order",
            on_delete="CASCADE",
        ),
    ]
