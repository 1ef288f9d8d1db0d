"""Plans that somebody was shown."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integrity.models.job import Job
from integrity.models.states import ApprovalState
from integrity.models.target import Target


class StoredPlan(models.Model):
    """A plan under its hash, so that what was shown is what runs.

    `job` is the last one that ran it: whoever asks for another says which that was, so that asking twice
    runs it once. `created_by` is for showing; `created_by_key`, the primary key of the account, tells
    whether somebody is who made it, also when accounts were renamed or deleted since.
    """

    target = models.ForeignKey(Target, models.CASCADE, related_name="plans", verbose_name=_("target"))
    hash = models.CharField(_("hash"), max_length=64)
    plan = models.JSONField(_("plan"))
    notes = models.JSONField(_("notes"), default=list, blank=True)
    created_by = models.CharField(_("created by"), max_length=200, blank=True)
    created_by_key = models.CharField(_("their account"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    job = models.ForeignKey(
        Job, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("run by")
    )

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("approve_plan", _("Can approve the plans of others"))]
        constraints = [
            models.UniqueConstraint(fields=["target", "hash"], name="integrity_plan_once_per_target"),
        ]

    def __str__(self) -> str:
        return self.hash[:12]


class Approval(models.Model):
    """A second person's word on a plan; the latest counts. One that was waived is a note that somebody at the
    command line ran the plan without. Names are for showing, the keys of accounts for comparing."""

    plan = models.ForeignKey(StoredPlan, models.CASCADE, related_name="approvals", verbose_name=_("plan"))
    state = models.CharField(_("state"), max_length=10, choices=ApprovalState, default=ApprovalState.ASKED)
    asked_by = models.CharField(_("asked by"), max_length=200)
    asked_by_key = models.CharField(_("account that asked"), max_length=200, blank=True)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    decided_by = models.CharField(_("decided by"), max_length=200, blank=True)
    decided_by_key = models.CharField(_("account that decided"), max_length=200, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["-id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.plan}: {self.get_state_display()}"
