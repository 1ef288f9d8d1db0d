"""Models of commerce: yours to add methods, managers, __str__ and more.

integrity_models writes generated.py anew, adds a model here for each new table, takes
out one whose table is gone and to which nothing was added, and changes nothing else.
A field that should be another is declared again in its model; more Meta is written as
class Meta(generated.CategoryBase.Meta).
"""

from migrations_catalog.commerce import generated


class Category(generated.CategoryBase):
    """A row of categories."""


class OrderItem(generated.OrderItemBase):
    """A row of order_items."""


class Order(generated.OrderBase):
    """A row of orders."""


class Payment(generated.PaymentBase):
    """A row of payments."""


class ProductTag(generated.ProductTagBase):
    """A row of product_tags."""


class ProductVariant(generated.ProductVariantBase):
    """A row of product_variants."""


class Product(generated.ProductBase):
    """A row of products."""


class StoreCustomer(generated.StoreCustomerBase):
    """A row of store_customers."""


class Store(generated.StoreBase):
    """A row of stores."""


class Tag(generated.TagBase):
    """A row of tags."""
