"""trulybot: foreign keys for all rows (phase 3 of 3).

Checks the rows that stand, while others read and write. Not while orphans are left: it stops and says how
many, and the command that resolves them. A column that changes its type is rewritten, and with a key all that
refers to it: readers and writers of these tables wait meanwhile. Values that cannot be read stop it before
the first change. Not before the application knows the new type.

Apply it with: manage.py integrity_migrate trulybot --phase 3
"""

from integrity.operations import AddForeignKey, CatalogMigration, ConvertColumn, ValidateForeignKey


class Migration(CatalogMigration):
    """6 schema fixes."""

    target = "trulybot"
    phase = 3
    changes_rows = False
    dependencies = [
        ("catalog_trulybot", "0002_foreign_keys"),
    ]
    operations = [
        # A text in five spellings can refer to no UUID; relink what is spelled otherwise first
        ConvertColumn(
            table="leads",
            column="user_id",
            from_type="text",
            to_type="uuid",
        ),
        ValidateForeignKey(
            table="orders",
            columns=("user_id",),
            to="profiles",
            to_columns=("id",),
            name="fk_orders_user_id",
            on_delete="RESTRICT",
        ),
        ValidateForeignKey(
            table="chat_messages",
            columns=("user_id",),
            to="profiles",
            to_columns=("id",),
            name="fk_chat_messages_user_id",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="conversations",
            columns=("user_id",),
            to="profiles",
            to_columns=("id",),
            name="fk_conversations_user_id",
            on_delete="CASCADE",
        ),
        # A lead belongs to the user whose bot collected it
        # Deleting a row of profiles deletes the rows of leads that refer to it by user_id.
        AddForeignKey(
            table="leads",
            columns=("user_id",),
            to="profiles",
            to_columns=("id",),
            name="fk_leads_user_id",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="leads",
            columns=("user_id",),
            to="profiles",
            to_columns=("id",),
            name="fk_leads_user_id",
            on_delete="CASCADE",
        ),
    ]
