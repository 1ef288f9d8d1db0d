"""trulybot: indexes (phase 1 of 3).

Harmless at any time: each is built while others read and write. Building waits for transactions that are
open, so not beside one that takes hours.

Apply it with: manage.py integrity_migrate trulybot --phase 1
"""

from integrity.operations import AddIndex, CatalogMigration


class Migration(CatalogMigration):
    """4 schema fixes."""

    target = "trulybot"
    phase = 1
    changes_rows = False
    dependencies = []
    operations = [
        # FK lookup; the first migration had made it before it stopped
        AddIndex(
            table="orders",
            columns=("user_id",),
            name="idx_orders_user_id",
        ),
        # FK lookup: the messages of a user, and deleting a profile
        AddIndex(
            table="chat_messages",
            columns=("user_id",),
            name="idx_chat_messages_user_id",
        ),
        # FK lookup: the conversations of a user, and deleting a profile
        AddIndex(
            table="conversations",
            columns=("user_id",),
            name="idx_conversations_user_id",
        ),
        # FK lookup: the leads of a user, and deleting a profile
        AddIndex(
            table="leads",
            columns=("user_id",),
            name="idx_leads_user_id",
        ),
    ]
