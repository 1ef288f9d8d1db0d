"""What a site can listen to; every signal is sent after the site's database knows of it.

Each is sent with ``sender`` (the stored model's class), ``target`` (the alias) and ``result``, the value
that commands print. A receiver that raises is logged and keeps nobody from going on.
"""

from django.dispatch import Signal

audit_finished = Signal()
"""An audit came to its end; ``result`` is an `AuditResult`."""

repair_finished = Signal()
"""A repair or a rollback came to its end, well or not; ``result`` is a `RepairResult`."""

migration_finished = Signal()
"""Migrations were applied or reversed; ``result`` is what `integrity.operations.runner` returned."""
