"""gaztime: indexes (phase 1 of 3).

Harmless at any time: each is built while others read and write. Building waits for transactions that are
open, so not beside one that takes hours.

Apply it with: manage.py integrity_migrate gaztime --phase 1
"""

from integrity.operations import AddIndex, CatalogMigration


class Migration(CatalogMigration):
    """7 schema fixes."""

    target = "gaztime"
    phase = 1
    changes_rows = False
    dependencies = []
    operations = [
        # FK lookup for user authentication → driver profile
        AddIndex(
            table="drivers",
            columns=("user_id",),
            name="drivers_user_idx",
        ),
        # FK lookup for referral tracking
        AddIndex(
            table="customers",
            columns=("referred_by",),
            name="customers_referred_by_idx",
        ),
        # FK lookup for operator → pods mapping
        AddIndex(
            table="pods",
            columns=("operator_id",),
            name="pods_operator_idx",
        ),
        # FK lookup + common query filter
        AddIndex(
            table="subscriptions",
            columns=("product_id",),
            name="subscriptions_product_idx",
        ),
        # Critical for scheduled delivery job queries
        AddIndex(
            table="subscriptions",
            columns=("next_delivery_date",),
            name="subscriptions_next_delivery_idx",
        ),
        # Common filter (deposits vs withdrawals vs refunds)
        AddIndex(
            table="wallet_transactions",
            columns=("type",),
            name="wallet_transactions_type_idx",
        ),
        # FK lookup (was missing despite having driver_id index)
        AddIndex(
            table="orders",
            columns=("pod_id",),
            name="orders_pod_idx",
        ),
    ]
