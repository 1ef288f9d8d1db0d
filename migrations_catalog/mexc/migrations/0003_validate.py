"""mexc: foreign keys for all rows (phase 3 of 3).

A key binds all rows by its nature here. This checks that no orphan is left, and changes nothing.

Apply it with: manage.py integrity_migrate mexc --phase 3
"""

from integrity.operations import CatalogMigration, ValidateForeignKey


class Migration(CatalogMigration):
    """7 schema fixes."""

    target = "mexc"
    phase = 3
    changes_rows = False
    dependencies = [
        ("catalog_mexc", "0002_foreign_keys"),
    ]
    operations = [
        ValidateForeignKey(
            table="user_preferences",
            columns=("user_id",),
            to="user",
            to_columns=("id",),
            name="fk_user_preferences_user_id",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="api_credentials",
            columns=("user_id",),
            to="user",
            to_columns=("id",),
            name="fk_api_credentials_user_id",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="snipe_targets",
            columns=("user_id",),
            to="user",
            to_columns=("id",),
            name="fk_snipe_targets_user_id",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="execution_history",
            columns=("user_id",),
            to="user",
            to_columns=("id",),
            name="fk_execution_history_user_id",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="transactions",
            columns=("user_id",),
            to="user",
            to_columns=("id",),
            name="fk_transactions_user_id",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="execution_history",
            columns=("snipe_target_id",),
            to="snipe_targets",
            to_columns=("id",),
            name="fk_execution_history_snipe_target_id",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="transactions",
            columns=("snipe_target_id",),
            to="snipe_targets",
            to_columns=("id",),
            name="fk_transactions_snipe_target_id",
            on_delete="SET NULL",
        ),
    ]
