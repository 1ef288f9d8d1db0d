"""gaztime: foreign keys for new rows (phase 2 of 3).

Orphans that stand stay, new ones cannot appear. The delete actions act from here on: what deleting a row will
do stands above each key. Not before everybody who deletes rows knows.

Apply it with: manage.py integrity_migrate gaztime --phase 2
"""

from integrity.operations import AddForeignKey, CatalogMigration


class Migration(CatalogMigration):
    """11 schema fixes."""

    target = "gaztime"
    phase = 2
    changes_rows = False
    dependencies = [
        ("catalog_gaztime", "0001_indexes"),
    ]
    operations = [
        # Allow historical orders when customer deleted
        # Deleting a row of customers sets customer_id to NULL in the rows of orders that refer to it.
        AddForeignKey(
            table="orders",
            columns=("customer_id",),
            to="customers",
            to_columns=("id",),
            name="fk_orders_customer",
            on_delete="SET NULL",
        ),
        # Preserve order history when driver removed
        # Deleting a row of drivers sets driver_id to NULL in the rows of orders that refer to it.
        AddForeignKey(
            table="orders",
            columns=("driver_id",),
            to="drivers",
            to_columns=("id",),
            name="fk_orders_driver",
            on_delete="SET NULL",
        ),
        # Keep order data when pod closed
        # Deleting a row of pods sets pod_id to NULL in the rows of orders that refer to it.
        AddForeignKey(
            table="orders",
            columns=("pod_id",),
            to="pods",
            to_columns=("id",),
            name="fk_orders_pod",
            on_delete="SET NULL",
        ),
        # Self-referencing; maintain customer when referrer deleted
        # Deleting a row of customers sets referred_by to NULL in the rows of customers that refer to it.
        AddForeignKey(
            table="customers",
            columns=("referred_by",),
            to="customers",
            to_columns=("id",),
            name="fk_customers_referrer",
            on_delete="SET NULL",
        ),
        # Driver account tied to user authentication
        # Deleting a row of users deletes the rows of drivers that refer to it by user_id.
        AddForeignKey(
            table="drivers",
            columns=("user_id",),
            to="users",
            to_columns=("id",),
            name="fk_drivers_user",
            on_delete="CASCADE",
        ),
        # Allow driver to exist when vehicle reassigned
        # Deleting a row of vehicles sets vehicle_id to NULL in the rows of drivers that refer to it.
        AddForeignKey(
            table="drivers",
            columns=("vehicle_id",),
            to="vehicles",
            to_columns=("id",),
            name="fk_drivers_vehicle",
            on_delete="SET NULL",
        ),
        # Wallet belongs to customer; delete when customer deleted
        # Deleting a row of customers deletes the rows of wallets that refer to it by customer_id.
        AddForeignKey(
            table="wallets",
            columns=("customer_id",),
            to="customers",
            to_columns=("id",),
            name="fk_wallets_customer",
            on_delete="CASCADE",
        ),
        # Transaction belongs to wallet; delete when wallet deleted
        # Deleting a row of wallets deletes the rows of wallet_transactions that refer to it by wallet_id.
        AddForeignKey(
            table="wallet_transactions",
            columns=("wallet_id",),
            to="wallets",
            to_columns=("id",),
            name="fk_wallet_transactions_wallet",
            on_delete="CASCADE",
        ),
        # Subscription belongs to customer
        # Deleting a row of customers deletes the rows of subscriptions that refer to it by customer_id.
        AddForeignKey(
            table="subscriptions",
            columns=("customer_id",),
            to="customers",
            to_columns=("id",),
            name="fk_subscriptions_customer",
            on_delete="CASCADE",
        ),
        # Prevent product deletion if subscriptions exist
        # Deleting a row of products is refused while rows of subscriptions refer to it by product_id.
        AddForeignKey(
            table="subscriptions",
            columns=("product_id",),
            to="products",
            to_columns=("id",),
            name="fk_subscriptions_product",
            on_delete="RESTRICT",
        ),
        # Allow pod to exist when operator reassigned
        # Deleting a row of users sets operator_id to NULL in the rows of pods that refer to it.
        AddForeignKey(
            table="pods",
            columns=("operator_id",),
            to="users",
            to_columns=("id",),
            name="fk_pods_operator",
            on_delete="SET NULL",
        ),
    ]
