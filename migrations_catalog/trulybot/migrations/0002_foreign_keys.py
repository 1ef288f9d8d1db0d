"""trulybot: foreign keys for new rows (phase 2 of 3).

Orphans that stand stay, new ones cannot appear. The delete actions act from here on: what deleting a row will
do stands above each key. Not before everybody who deletes rows knows.

Apply it with: manage.py integrity_migrate trulybot --phase 2
"""

from integrity.operations import AddForeignKey, CatalogMigration


class Migration(CatalogMigration):
    """3 schema fixes."""

    target = "trulybot"
    phase = 2
    changes_rows = False
    dependencies = [
        ("catalog_trulybot", "0001_indexes"),
    ]
    operations = [
        # An order is money: a profile with orders is not deleted
        # Deleting a row of profiles is refused while rows of orders refer to it by user_id.
        AddForeignKey(
            table="orders",
            columns=("user_id",),
            to="profiles",
            to_columns=("id",),
            name="fk_orders_user_id",
            on_delete="RESTRICT",
        ),
        # A message belongs to who wrote it
        # Deleting a row of profiles deletes the rows of chat_messages that refer to it by user_id.
        AddForeignKey(
            table="chat_messages",
            columns=("user_id",),
            to="profiles",
            to_columns=("id",),
            name="fk_chat_messages_user_id",
            on_delete="CASCADE",
        ),
        # A conversation belongs to its user
        # Deleting a row of profiles deletes the rows of conversations that refer to it by user_id.
        AddForeignKey(
            table="conversations",
            columns=("user_id",),
            to="profiles",
            to_columns=("id",),
            name="fk_conversations_user_id",
            on_delete="CASCADE",
        ),
    ]
