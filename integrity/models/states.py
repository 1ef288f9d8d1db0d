"""The words in which stored things say where they stand."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RunState(models.TextChoices):
    """Where an audit, a repair or a migration stands; the values of `integrity.repairs.result.State`."""

    PLANNED = "planned", _("planned")
    RUNNING = "running", _("running")
    PAUSED = "paused", _("paused")
    FINISHED = "finished", _("finished")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("stopped")
    INTERRUPTED = "interrupted", _("interrupted")
    ROLLED_BACK = "rolled_back", _("rolled back")
    PARTLY_ROLLED_BACK = "partly_rolled_back", _("partly rolled back")


class Severity(models.TextChoices):
    """How bad a finding is; the values of `integrity.detectors.Severity`."""

    ERROR = "error", _("error")
    WARNING = "warning", _("warning")
    INFO = "info", _("information")


class FindingState(models.TextChoices):
    """What became of a finding."""

    OPEN = "open", _("open")
    KEPT = "kept", _("kept by decision")
    RESOLVED = "resolved", _("resolved")


class Trend(models.TextChoices):
    """How the number of rows of a finding moved since the look before."""

    NEW = "new", _("new")
    GROWING = "growing", _("growing")
    SHRINKING = "shrinking", _("shrinking")
    SAME = "same", _("unchanged")


class RunKind(models.TextChoices):
    """What a repair run is for."""

    CLEANUP = "cleanup", _("cleanup")
    REASSIGN = "reassign", _("reassign")
    DEDUPLICATE = "deduplicate", _("deduplicate")
    ROLLBACK = "rollback", _("rollback")
    MIGRATION = "migration", _("repair by a migration")


class Direction(models.TextChoices):
    """Which way a migration went."""

    FORWARD = "forward", _("applied")
    BACKWARD = "backward", _("reversed")


class Occasion(models.TextChoices):
    """Why queries were measured."""

    BEFORE = "before", _("before migrations")
    AFTER = "after", _("after migrations")
    VERIFICATION = "verification", _("verification")


class JobKind(models.TextChoices):
    """What a job does."""

    AUDIT = "audit", _("audit")
    BACKUP = "backup", _("backup")
    REPAIR = "repair", _("repair")
    ROLLBACK = "rollback", _("rollback")
    MIGRATE = "migrate", _("migrations")
    PLAN = "plan", _("plan")
    VERIFY = "verify", _("verification")


class Wish(models.TextChoices):
    """What somebody asks of a job that is under way; heeded between two batches."""

    NOTHING = "", _("nothing")
    PAUSE = "pause", _("pause")
    CANCEL = "cancel", _("stop")


class Carrier(models.TextChoices):
    """Who carries a job out."""

    THREAD = "thread", _("a thread of the server process")
    WORKER = "worker", _("integrity_work")
    TASKS = "tasks", _("a worker of Django's tasks")


class ApprovalState(models.TextChoices):
    """What a second person said of a plan."""

    ASKED = "asked", _("waits for approval")
    APPROVED = "approved", _("approved")
    REFUSED = "refused", _("refused")
    WAIVED = "waived", _("waived at the command line")
