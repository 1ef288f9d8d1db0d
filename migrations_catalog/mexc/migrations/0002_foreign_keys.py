"""mexc: foreign keys for new rows (phase 2 of 3).

Each key is written into its table's definition, at once at any size. It binds the connections that switch
foreign_keys on; saving a whole row that is still an orphan fails there, so resolve orphans first if the
application does that. Deletions do what stands above each key.

Apply it with: manage.py integrity_migrate mexc --phase 2
"""

from integrity.operations import AddForeignKey, CatalogMigration


class Migration(CatalogMigration):
    """7 schema fixes."""

    target = "mexc"
    phase = 2
    changes_rows = False
    dependencies = [
        ("catalog_mexc", "0001_indexes"),
    ]
    operations = [
        # When a user is deleted, all their related data is automatically cleaned up
        # Deleting a row of user deletes the rows of user_preferences that refer to it by user_id.
        AddForeignKey(
            table="user_preferences",
            columns=("user_id",),
            to="user",
            to_columns=("id",),
            name="fk_user_preferences_user_id",
            on_delete="CASCADE",
        ),
        # When a user is deleted, all their related data is automatically cleaned up
        # Deleting a row of user deletes the rows of api_credentials that refer to it by user_id.
        AddForeignKey(
            table="api_credentials",
            columns=("user_id",),
            to="user",
            to_columns=("id",),
            name="fk_api_credentials_user_id",
            on_delete="CASCADE",
        ),
        # When a user is deleted, all their related data is automatically cleaned up
        # Deleting a row of user deletes the rows of snipe_targets that refer to it by user_id.
        AddForeignKey(
            table="snipe_targets",
            columns=("user_id",),
            to="user",
            to_columns=("id",),
            name="fk_snipe_targets_user_id",
            on_delete="CASCADE",
        ),
        # When a user is deleted, all their related data is automatically cleaned up
        # Deleting a row of user deletes the rows of execution_history that refer to it by user_id.
        AddForeignKey(
            table="execution_history",
            columns=("user_id",),
            to="user",
            to_columns=("id",),
            name="fk_execution_history_user_id",
            on_delete="CASCADE",
        ),
        # When a user is deleted, all their related data is automatically cleaned up
        # Deleting a row of user deletes the rows of transactions that refer to it by user_id.
        AddForeignKey(
            table="transactions",
            columns=("user_id",),
            to="user",
            to_columns=("id",),
            name="fk_transactions_user_id",
            on_delete="CASCADE",
        ),
        # What was executed stays on record when its target is deleted
        # Deleting a row of snipe_targets sets snipe_target_id to NULL in the rows of execution_history that
        # refer to it.
        AddForeignKey(
            table="execution_history",
            columns=("snipe_target_id",),
            to="snipe_targets",
            to_columns=("id",),
            name="fk_execution_history_snipe_target_id",
            on_delete="SET NULL",
        ),
        # Trades stay on record when their target is deleted
        # Deleting a row of snipe_targets sets snipe_target_id to NULL in the rows of transactions that
        # refer to it.
        AddForeignKey(
            table="transactions",
            columns=("snipe_target_id",),
            to="snipe_targets",
            to_columns=("id",),
            name="fk_transactions_snipe_target_id",
            on_delete="SET NULL",
        ),
    ]
