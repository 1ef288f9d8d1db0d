"""Plans that somebody was shown."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integrity.models.target import Target


class StoredPlan(models.Model):
    """A plan under its hash, so that what was shown is what runs."""

    target = models.ForeignKey(Target, models.CASCADE, related_name="plans", verbose_name=_("target"))
    hash = models.CharField(_("hash"), max_length=64)
    plan = models.JSONField(_("plan"))
    notes = models.JSONField(_("notes"), default=list, blank=True)
    created_by = models.CharField(_("created by"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["target", "hash"], name="integrity_plan_once_per_target"),
        ]

    def __str__(self) -> str:
        return self.hash[:12]
