"""Migrations that were applied to targets, or reversed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrity.models.states import Direction, RunState
from integrity.models.target import Target


class MigrationRun(models.Model):
    """One migration applied or reversed: when, how long, by whom, with which SQL, what was looked at before
    and after it, and each of its operations with its time and the whole of its error."""

    target = models.ForeignKey(
        Target, models.CASCADE, related_name="migration_runs", verbose_name=_("target")
    )
    migration = models.CharField(_("migration"), max_length=200)
    direction = models.CharField(_("direction"), max_length=10, choices=Direction)
    phase = models.PositiveSmallIntegerField(_("phase"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=20, choices=RunState, default=RunState.FINISHED)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    seconds = models.FloatField(_("seconds"), null=True, blank=True)
    sql = models.TextField(_("SQL"), blank=True)
    error = models.TextField(_("error"), blank=True)
    checks = models.JSONField(_("checks"), default=list, blank=True)
    operations = models.JSONField(_("operations"), default=list, blank=True)
    actor = models.CharField(_("actor"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("migration run")
        verbose_name_plural = _("migration runs")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["target", "-id"], name="integrity_migration_by_target")]

    def __str__(self) -> str:
        return f"{self.migration} ({self.get_direction_display()})"
