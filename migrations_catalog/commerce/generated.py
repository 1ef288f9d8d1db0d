"""Models of commerce, one a table, as integrity_models found it.

Written anew by: manage.py integrity_models commerce. What is added here is lost:
methods, managers, __str__ and more go into models.py. The tables are not this site's,
nothing here is migrated. on_delete is what the rule says; where the database enforces
the rule, Django does the same before it, row by row, and sends its signals.
"""

from django.db import models
from django.db.models.expressions import RawSQL


class CategoryBase(models.Model):
    """A row of categories."""

    id = models.UUIDField(primary_key=True, db_default=RawSQL("gen_random_uuid()", []))
    store = models.ForeignKey("Store", models.CASCADE, related_name="categories")
    parent = models.ForeignKey(
        "self",
        models.SET_NULL,
        related_name="children",
        null=True,
        blank=True,
    )
    slug = models.CharField(max_length=40)
    name = models.TextField()
    position = models.IntegerField(db_default=RawSQL("0", []))
    created_at = models.DateTimeField(db_default=RawSQL("now()", []))

    class Meta:
        abstract = True
        managed = False
        app_label = "catalog_commerce"
        db_table = "categories"
        verbose_name = "category"
        verbose_name_plural = "categories"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["store", "id"],
                name="uq_categories_store_id",
            ),
            models.UniqueConstraint(
                fields=["store", "slug"],
                name="uq_categories_store_slug",
            ),
        ]
        indexes = [
            models.Index(fields=["parent"], name="categories_parent_idx"),
            models.Index(fields=["store", "slug"], name="idx_categories_store_slug"),
        ]


class OrderItemBase(models.Model):
    """A row of order_items."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey("Order", models.CASCADE, related_name="items")
    product = models.ForeignKey(
        "Product",
        models.SET_NULL,
        related_name="order_items",
        null=True,
        blank=True,
    )
    variant = models.ForeignKey(
        "ProductVariant",
        models.SET_NULL,
        related_name="order_items",
        null=True,
        blank=True,
    )
    title = models.TextField()
    quantity = models.IntegerField(db_default=RawSQL("1", []))
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
    created_at = models.DateTimeField(db_default=RawSQL("now()", []))

    class Meta:
        abstract = True
        managed = False
        app_label = "catalog_commerce"
        db_table = "order_items"
        verbose_name = "order item"
        verbose_name_plural = "order items"
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["order", "product"],
                name="idx_order_items_order_product",
            ),
            models.Index(fields=["variant"], name="idx_order_items_variant"),
            models.Index(fields=["product"], name="order_items_product_idx"),
        ]


class OrderBase(models.Model):
    """A row of orders."""

    id = models.UUIDField(primary_key=True, db_default=RawSQL("gen_random_uuid()", []))
    store = models.ForeignKey("Store", models.CASCADE, related_name="orders")
    customer = models.ForeignKey(
        "StoreCustomer",
        models.SET_NULL,
        related_name="orders",
        null=True,
        blank=True,
    )
    order_number = models.TextField()
    status = models.TextField(db_default=RawSQL("'pending'::text", []))
    total = models.DecimalField(max_digits=12, decimal_places=2)
    created_at = models.DateTimeField(db_default=RawSQL("now()", []))

    class Meta:
        abstract = True
        managed = False
        app_label = "catalog_commerce"
        db_table = "orders"
        verbose_name = "order"
        verbose_name_plural = "orders"
        default_permissions = ()
        indexes = [
            models.Index(fields=["customer"], name="orders_customer_idx"),
            models.Index(fields=["store"], name="orders_store_idx"),
        ]


class PaymentBase(models.Model):
    """A row of payments."""

    id = models.UUIDField(primary_key=True, db_default=RawSQL("gen_random_uuid()", []))
    order = models.ForeignKey("Order", models.CASCADE, related_name="payments")
    provider = models.TextField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    status = models.TextField(db_default=RawSQL("'pending'::text", []))
    created_at = models.DateTimeField(db_default=RawSQL("now()", []))

    class Meta:
        abstract = True
        managed = False
        app_label = "catalog_commerce"
        db_table = "payments"
        verbose_name = "payment"
        verbose_name_plural = "payments"
        default_permissions = ()
        indexes = [
            models.Index(fields=["order"], name="payments_order_idx"),
        ]


class ProductTagBase(models.Model):
    """A row of product_tags."""

    pk = models.CompositePrimaryKey("product_id", "tag_id")
    product = models.ForeignKey("Product", models.CASCADE, related_name="product_tags")
    tag = models.ForeignKey("Tag", models.CASCADE, related_name="product_tags")
    created_at = models.DateTimeField(db_default=RawSQL("now()", []))

    class Meta:
        abstract = True
        managed = False
        app_label = "catalog_commerce"
        db_table = "product_tags"
        verbose_name = "product tag"
        verbose_name_plural = "product tags"
        default_permissions = ()
        indexes = [
            models.Index(fields=["tag"], name="product_tags_tag_idx"),
        ]


class ProductVariantBase(models.Model):
    """A row of product_variants."""

    id = models.UUIDField(primary_key=True, db_default=RawSQL("gen_random_uuid()", []))
    store = models.ForeignKey("Store", models.CASCADE, related_name="product_variants")
    product = models.ForeignKey("Product", models.CASCADE, related_name="variants")
    sku = models.TextField()
    title = models.TextField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.IntegerField(db_default=RawSQL("0", []))
    created_at = models.DateTimeField(db_default=RawSQL("now()", []))

    class Meta:
        abstract = True
        managed = False
        app_label = "catalog_commerce"
        db_table = "product_variants"
        verbose_name = "product variant"
        verbose_name_plural = "product variants"
        default_permissions = ()
        indexes = [
            models.Index(fields=["product"], name="product_variants_product_idx"),
            models.Index(fields=["store"], name="product_variants_store_idx"),
        ]


class ProductBase(models.Model):
    """A row of products."""

    id = models.UUIDField(primary_key=True, db_default=RawSQL("gen_random_uuid()", []))
    store = models.ForeignKey("Store", models.CASCADE, related_name="products")
    # The rule is (store_id, category_id) to (store_id, id) of categories; one column
    # finds the row, so that a row which breaks the rule in the others is followed all
    # the same.
    category = models.ForeignKey(
        "Category",
        models.DO_NOTHING,
        related_name="products",
        null=True,
        blank=True,
    )
    name = models.TextField()
    description = models.TextField(db_default=RawSQL("''::text", []))
    price = models.DecimalField(max_digits=10, decimal_places=2)
    status = models.TextField(db_default=RawSQL("'draft'::text", []))
    created_at = models.DateTimeField(db_default=RawSQL("now()", []))

    class Meta:
        abstract = True
        managed = False
        app_label = "catalog_commerce"
        db_table = "products"
        verbose_name = "product"
        verbose_name_plural = "products"
        default_permissions = ()
        indexes = [
            models.Index(fields=["category"], name="products_category_idx"),
            models.Index(fields=["store"], name="products_store_idx"),
        ]


class StoreCustomerBase(models.Model):
    """A row of store_customers."""

    id = models.UUIDField(primary_key=True, db_default=RawSQL("gen_random_uuid()", []))
    store = models.ForeignKey("Store", models.CASCADE, related_name="customers")
    email = models.TextField()
    name = models.TextField(null=True, blank=True)
    phone = models.TextField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=RawSQL("now()", []))

    class Meta:
        abstract = True
        managed = False
        app_label = "catalog_commerce"
        db_table = "store_customers"
        verbose_name = "store customer"
        verbose_name_plural = "store customers"
        default_permissions = ()
        indexes = [
            models.Index(fields=["store"], name="store_customers_store_idx"),
        ]


class StoreBase(models.Model):
    """A row of stores."""

    id = models.UUIDField(primary_key=True, db_default=RawSQL("gen_random_uuid()", []))
    slug = models.CharField(max_length=63, unique=True)
    name = models.TextField()
    owner_email = models.TextField()
    currency = models.TextField(db_default=RawSQL("'EUR'::text", []))
    is_active = models.BooleanField(db_default=RawSQL("true", []))
    created_at = models.DateTimeField(db_default=RawSQL("now()", []))

    class Meta:
        abstract = True
        managed = False
        app_label = "catalog_commerce"
        db_table = "stores"
        verbose_name = "store"
        verbose_name_plural = "stores"
        default_permissions = ()


class TagBase(models.Model):
    """A row of tags."""

    id = models.UUIDField(primary_key=True, db_default=RawSQL("gen_random_uuid()", []))
    store = models.ForeignKey("Store", models.CASCADE, related_name="tags")
    slug = models.CharField(max_length=40, null=True, blank=True)
    name = models.TextField()
    created_at = models.DateTimeField(db_default=RawSQL("now()", []))

    class Meta:
        abstract = True
        managed = False
        app_label = "catalog_commerce"
        db_table = "tags"
        verbose_name = "tag"
        verbose_name_plural = "tags"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["store", "slug"],
                name="uq_tags_store_slug",
            ),
        ]
