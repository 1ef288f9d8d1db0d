"""gaztime: foreign keys for all rows (phase 3 of 3).

Checks the rows that stand, while others read and write. Not while orphans are left: it stops and says how
many, and the command that resolves them.

Apply it with: manage.py integrity_migrate gaztime --phase 3
"""

from integrity.operations import CatalogMigration, ValidateForeignKey


class Migration(CatalogMigration):
    """11 schema fixes."""

    target = "gaztime"
    phase = 3
    changes_rows = False
    dependencies = [
        ("catalog_gaztime", "0002_foreign_keys"),
    ]
    operations = [
        ValidateForeignKey(
            table="orders",
            columns=("customer_id",),
            to="customers",
            to_columns=("id",),
            name="fk_orders_customer",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="orders",
            columns=("driver_id",),
            to="drivers",
            to_columns=("id",),
            name="fk_orders_driver",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="orders",
            columns=("pod_id",),
            to="pods",
            to_columns=("id",),
            name="fk_orders_pod",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="customers",
            columns=("referred_by",),
            to="customers",
            to_columns=("id",),
            name="fk_customers_referrer",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="drivers",
            columns=("user_id",),
            to="users",
            to_columns=("id",),
            name="fk_drivers_user",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="drivers",
            columns=("vehicle_id",),
            to="vehicles",
            to_columns=("id",),
            name="fk_drivers_vehicle",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="wallets",
            columns=("customer_id",),
            to="customers",
            to_columns=("id",),
            name="fk_wallets_customer",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="wallet_transactions",
            columns=("wallet_id",),
            to="wallets",
            to_columns=("id",),
            name="fk_wallet_transactions_wallet",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="subscriptions",
            columns=("customer_id",),
            to="customers",
            to_columns=("id",),
            name="fk_subscriptions_customer",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="subscriptions",
            columns=("product_id",),
            to="products",
            to_columns=("id",),
            name="fk_subscriptions_product",
            on_delete="RESTRICT",
        ),
        ValidateForeignKey(
            table="pods",
            columns=("operator_id",),
            to="users",
            to_columns=("id",),
            name="fk_pods_operator",
            on_delete="SET NULL",
        ),
    ]
