"""What somebody decided."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integrity.models.finding import Finding


class Decision(models.TextChoices):
    """What can become of orphans, the values of `integrity.references.Resolution`; or of duplicates; or that
    what was decided before stands no more."""

    KEEP = "keep", _("keep")
    DELETE = "delete", _("delete to quarantine")
    SET_NULL = "set_null", _("set NULL")
    REASSIGN = "reassign", _("reassign")
    RELINK = "relink", _("relink")
    RESTORE_PARENT = "restore_parent", _("restore the parent")
    DEDUPLICATE = "deduplicate", _("resolve duplicates")
    WITHDRAW = "withdraw", _("withdrawn")


class Resolution(models.Model):
    """What somebody decided about a finding; the latest counts, until it expires or is withdrawn.

    `to_key` is the referenced key that `reassign` points at (NULL: the system row). `keys` are the
    missing keys that it is about, `rows` the keys of the rows (both empty: the whole finding), and
    `plan_hash` the plan by which it was made.
    """

    finding = models.ForeignKey(
        Finding, models.CASCADE, related_name="resolutions", verbose_name=_("finding")
    )
    decision = models.CharField(_("decision"), max_length=20, choices=Decision)
    to_key = models.JSONField(_("reassigned to"), null=True, blank=True)
    keys = models.JSONField(_("missing keys"), default=list, blank=True)
    rows = models.JSONField(_("rows"), default=list, blank=True)
    plan_hash = models.CharField(_("plan"), max_length=64, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    until = models.DateField(_("until"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=200, blank=True)
    decided_at = models.DateTimeField(_("decided"), default=timezone.now)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["-id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.get_decision_display()}: {self.finding}"
