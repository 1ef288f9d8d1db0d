"""commerce: foreign keys for new rows (phase 2 of 3).

Orphans that stand stay, new ones cannot appear. The delete actions act from here on: what deleting a row will
do stands above each key. Not before everybody who deletes rows knows.

Apply it with: manage.py integrity_migrate commerce --phase 2
"""

from integrity.operations import AddForeignKey, CatalogMigration


class Migration(CatalogMigration):
    """16 schema fixes."""

    target = "commerce"
    phase = 2
    changes_rows = False
    dependencies = [
        ("catalog_commerce", "0001_indexes"),
    ]
    operations = [
        # A product belongs to its store and goes with it
        # Deleting a row of stores deletes the rows of products that refer to it by store_id.
        AddForeignKey(
            table="products",
            columns=("store_id",),
            to="stores",
            to_columns=("id",),
            name="fk_products_store",
            on_delete="CASCADE",
        ),
        # A variant belongs to its store and goes with it
        # Deleting a row of stores deletes the rows of product_variants that refer to it by store_id.
        AddForeignKey(
            table="product_variants",
            columns=("store_id",),
            to="stores",
            to_columns=("id",),
            name="fk_product_variants_store",
            on_delete="CASCADE",
        ),
        # A category belongs to its store and goes with it
        # Deleting a row of stores deletes the rows of categories that refer to it by store_id.
        AddForeignKey(
            table="categories",
            columns=("store_id",),
            to="stores",
            to_columns=("id",),
            name="fk_categories_store",
            on_delete="CASCADE",
        ),
        # A tag belongs to its store and goes with it
        # Deleting a row of stores deletes the rows of tags that refer to it by store_id.
        AddForeignKey(
            table="tags",
            columns=("store_id",),
            to="stores",
            to_columns=("id",),
            name="fk_tags_store",
            on_delete="CASCADE",
        ),
        # An order belongs to its store and goes with it
        # Deleting a row of stores deletes the rows of orders that refer to it by store_id.
        AddForeignKey(
            table="orders",
            columns=("store_id",),
            to="stores",
            to_columns=("id",),
            name="fk_orders_store",
            on_delete="CASCADE",
        ),
        # A customer is a customer of one store and goes with it
        # Deleting a row of stores deletes the rows of store_customers that refer to it by store_id.
        AddForeignKey(
            table="store_customers",
            columns=("store_id",),
            to="stores",
            to_columns=("id",),
            name="fk_store_customers_store",
            on_delete="CASCADE",
        ),
        # A product's category is one of the same store; move its products before deleting a category
        # Deleting a row of categories is refused while rows of products refer to it by store_id,
        # category_id.
        AddForeignKey(
            table="products",
            columns=("store_id", "category_id"),
            to="categories",
            to_columns=("store_id", "id"),
            name="fk_products_category",
            on_delete="NO ACTION",
        ),
        # Categories below one that is deleted come to the top
        # Deleting a row of categories sets parent_id to NULL in the rows of categories that refer to it.
        AddForeignKey(
            table="categories",
            columns=("parent_id",),
            to="categories",
            to_columns=("id",),
            name="fk_categories_parent",
            on_delete="SET NULL",
        ),
        # A variant is a variant of something
        # Deleting a row of products deletes the rows of product_variants that refer to it by product_id.
        AddForeignKey(
            table="product_variants",
            columns=("product_id",),
            to="products",
            to_columns=("id",),
            name="fk_product_variants_product",
            on_delete="CASCADE",
        ),
        # Tags of a product go with it
        # Deleting a row of products deletes the rows of product_tags that refer to it by product_id.
        AddForeignKey(
            table="product_tags",
            columns=("product_id",),
            to="products",
            to_columns=("id",),
            name="fk_product_tags_product",
            on_delete="CASCADE",
        ),
        # A tag that is deleted is taken off its products
        # Deleting a row of tags deletes the rows of product_tags that refer to it by tag_id.
        AddForeignKey(
            table="product_tags",
            columns=("tag_id",),
            to="tags",
            to_columns=("id",),
            name="fk_product_tags_tag",
            on_delete="CASCADE",
        ),
        # An order stays on record when its customer is deleted
        # Deleting a row of store_customers sets customer_id to NULL in the rows of orders that refer to it.
        AddForeignKey(
            table="orders",
            columns=("customer_id",),
            to="store_customers",
            to_columns=("id",),
            name="fk_orders_customer",
            on_delete="SET NULL",
        ),
        # An item is a part of its order
        # Deleting a row of orders deletes the rows of order_items that refer to it by order_id.
        AddForeignKey(
            table="order_items",
            columns=("order_id",),
            to="orders",
            to_columns=("id",),
            name="fk_order_items_order",
            on_delete="CASCADE",
        ),
        # What was sold stays on record when the product is deleted; its title and price are in the item
        # Deleting a row of products sets product_id to NULL in the rows of order_items that refer to it.
        AddForeignKey(
            table="order_items",
            columns=("product_id",),
            to="products",
            to_columns=("id",),
            name="fk_order_items_product",
            on_delete="SET NULL",
        ),
        # What was sold stays on record when the variant is deleted
        # Deleting a row of product_variants sets variant_id to NULL in the rows of order_items that refer
        # to it.
        AddForeignKey(
            table="order_items",
            columns=("variant_id",),
            to="product_variants",
            to_columns=("id",),
            name="fk_order_items_variant",
            on_delete="SET NULL",
        ),
        # A payment pays an order
        # Deleting a row of orders deletes the rows of payments that refer to it by order_id.
        AddForeignKey(
            table="payments",
            columns=("order_id",),
            to="orders",
            to_columns=("id",),
            name="fk_payments_order",
            on_delete="CASCADE",
        ),
    ]
