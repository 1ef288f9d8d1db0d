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

migration_failed = Signal()
"""A migration was refused or failed, or what it did is not as it should be; ``result`` is its `StepEvent`,
with ``error`` and ``checks``."""

approval_asked = Signal()
"""Somebody asks for a second person's approval of a plan; ``result`` is the stored `Approval`."""

approval_decided = Signal()
"""A second person approved or refused a plan; ``result`` is the stored `Approval`."""

query_slower = Signal()
"""A hot query got slower by more than 20% beyond noise, or stopped using its index; ``result`` is its
`QueryComparison`."""

constraint_violated = Signal()
"""A foreign key or a unique was violated within a request; ``result`` is an `Occurrence`: the violation, the
view, and whether the view handled it. Sent by `integrity.middleware.ViolationMiddleware` at the end of the
request, before the answer is sent: a receiver must be quick. ``target`` is empty where it is not known."""
