"""What the site remembers, made up for tests."""

import hashlib
from typing import Any

import factory
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from factory.django import DjangoModelFactory

from integrity import models


class UserFactory(DjangoModelFactory):
    """Somebody who may enter the admin and see everything of this app, but change nothing.

    ``may=["cleanup_finding"]`` gives further permissions of this app.
    """

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")
    is_staff = True

    @factory.post_generation
    def may(self, create: bool, extracted: list[str] | None, **kwargs: Any) -> None:
        own = Permission.objects.filter(content_type__app_label="integrity")
        seeing = own.filter(codename__startswith="view_").exclude(codename="view_sample_rows")
        self.user_permissions.add(*seeing, *own.filter(codename__in=extracted or []))


class TargetFactory(DjangoModelFactory):
    """A target that was seen; its alias need not be in ``DATABASES``."""

    class Meta:
        model = models.Target
        django_get_or_create = ["alias"]

    alias = factory.Sequence(lambda n: f"target{n}")
    vendor = "sqlite"
    reachable = True


class AuditRunFactory(DjangoModelFactory):
    """An audit that came to its end."""

    class Meta:
        model = models.AuditRun

    target = factory.SubFactory(TargetFactory)
    state = models.RunState.FINISHED
    started_at = factory.LazyFunction(timezone.now)
    finished_at = factory.LazyFunction(timezone.now)
    complete = True


class FindingFactory(DjangoModelFactory):
    """An open finding about orphans."""

    class Meta:
        model = models.Finding

    target = factory.SubFactory(TargetFactory)
    code = models.ORPHANED_ROWS
    severity = models.Severity.ERROR
    schema_name = "main"
    table_name = "orders"
    columns = ["customer_id"]
    label = factory.LazyAttribute(lambda made: f"{made.table_name}.{','.join(made.columns)}")
    referenced_schema = "main"
    referenced_table = "customers"
    referenced_columns = ["id"]
    rows = 17
    missing_keys = 9
    message = "17 rows of orders.customer_id refer to 9 values that customers.id does not have"
    first_seen_run = factory.SubFactory(AuditRunFactory, target=factory.SelfAttribute("..target"))
    last_seen_run = factory.SelfAttribute("first_seen_run")

    @factory.sequence
    def fingerprint(n: int) -> str:  # noqa: N805 - factory-boy calls it with a number
        return hashlib.sha256(str(n).encode()).hexdigest()[:16]


class OrphanFindingFactory(FindingFactory):
    """The same, as triage sees it."""

    class Meta:
        model = models.OrphanFinding


class ResolutionFactory(DjangoModelFactory):
    """A decision to delete."""

    class Meta:
        model = models.Resolution

    finding = factory.SubFactory(FindingFactory)
    decision = models.Decision.DELETE


class RepairRunFactory(DjangoModelFactory):
    """A cleanup that came to its end."""

    class Meta:
        model = models.RepairRun

    target = factory.SubFactory(TargetFactory)
    number = factory.Sequence(lambda n: n + 1)
    kind = models.RunKind.CLEANUP
    state = models.RunState.FINISHED
    rows = {"main.orders": {"deleted": 17, "updated": 0, "restored": 0, "inserted": 0, "refused": 0}}
    rows_changed = 17
    started_at = factory.LazyFunction(timezone.now)


class MigrationRunFactory(DjangoModelFactory):
    """A migration that was applied."""

    class Meta:
        model = models.MigrationRun

    target = factory.SubFactory(TargetFactory)
    migration = "0001_indexes"
    direction = models.Direction.FORWARD
    phase = 1
    started_at = factory.LazyFunction(timezone.now)
    seconds = 0.2


class QueryRunFactory(DjangoModelFactory):
    """A measurement of one query, which got slower."""

    class Meta:
        model = models.QueryRun
        skip_postgeneration_save = True

    target = factory.SubFactory(TargetFactory)

    @factory.post_generation
    def timings(self: Any, create: bool, extracted: Any, **facts: Any) -> None:
        """Measure one query."""
        models.QueryTiming.objects.create(
            run=self, name="orders", access="scan", p50_ms=4.5, p95_ms=5, p99_ms=9, times_ms=[4.5] * 9,
            pages=12.0, ratio=1.5, regressed=True, reason="it takes 1.50 times as long",
        )  # fmt: skip


class BackupFactory(DjangoModelFactory):
    """A backup that was taken."""

    class Meta:
        model = models.Backup

    target = factory.SubFactory(TargetFactory)
    file = "/backups/shop.dump"
    size = 4_096


class JobFactory(DjangoModelFactory):
    """An audit that nobody has begun."""

    class Meta:
        model = models.Job

    target = factory.SubFactory(TargetFactory)
    kind = models.JobKind.AUDIT


class StoredPlanFactory(DjangoModelFactory):
    """A plan without steps."""

    class Meta:
        model = models.StoredPlan

    target = factory.SubFactory(TargetFactory)
    hash = factory.Sequence(lambda n: hashlib.sha256(str(n).encode()).hexdigest())
    plan = {"steps": []}
