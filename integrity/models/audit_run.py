"""Audits that were made."""

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrity.models.states import RunState
from integrity.models.target import Target


class AuditRun(models.Model):
    """One audit of one target, with what it looked at and what it did not."""

    target = models.ForeignKey(Target, models.CASCADE, related_name="audit_runs", verbose_name=_("target"))
    state = models.CharField(_("state"), max_length=20, choices=RunState, default=RunState.RUNNING)
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    complete = models.BooleanField(
        _("complete"), null=True, help_text=_("Whether every known reference was checked.")
    )
    narrowed = models.BooleanField(
        _("narrowed"), default=False, help_text=_("Whether only some references were asked for.")
    )
    coverage = models.JSONField(_("coverage"), default=dict, blank=True)
    findings_count = models.PositiveIntegerField(_("findings"), default=0)
    orphans_count = models.PositiveBigIntegerField(_("orphans"), default=0)
    server_version = models.CharField(_("server version"), max_length=200, blank=True)
    schema_fingerprint = models.CharField(_("schema fingerprint"), max_length=64, blank=True)
    actor = models.CharField(_("actor"), max_length=200, blank=True)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("audit")
        verbose_name_plural = _("audits")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["target", "state", "-id"], name="integrity_audit_by_target")]

    def __str__(self) -> str:
        return gettext("Audit %(number)s of %(target)s") % {"number": self.pk, "target": self.target}
