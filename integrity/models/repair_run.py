"""Repairs and rollbacks, as the targets' own journals tell them."""

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrity.models.states import RunKind, RunState
from integrity.models.target import Target


class RepairRun(models.Model):
    """A run of a plan on a target; a mirror for people, the target's journal is the truth.

    `number` is the run's number in that journal, `of` the number of the run that a rollback took
    back. `rows` counts by table as commands print it.
    """

    target = models.ForeignKey(Target, models.CASCADE, related_name="repair_runs", verbose_name=_("target"))
    number = models.PositiveBigIntegerField(_("run"))
    kind = models.CharField(_("kind"), max_length=20, choices=RunKind)
    state = models.CharField(_("state"), max_length=20, choices=RunState, default=RunState.RUNNING)
    plan_hash = models.CharField(_("plan"), max_length=64, blank=True)
    rows = models.JSONField(_("rows"), default=dict, blank=True)
    rows_changed = models.PositiveBigIntegerField(_("rows changed"), default=0)
    rows_refused = models.PositiveBigIntegerField(_("rows refused"), default=0)
    refusals = models.JSONField(_("refusals"), default=list, blank=True)
    proof = models.JSONField(_("proof"), null=True, blank=True)
    of = models.PositiveBigIntegerField(_("takes back run"), null=True, blank=True)
    actor = models.CharField(_("actor"), max_length=200, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("repair")
        verbose_name_plural = _("repairs")
        ordering = ["-started_at", "-id"]
        default_permissions = ("view",)
        permissions = [
            ("run_repair", _("Can run a repair")),
            ("roll_back_repair", _("Can roll a repair back")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["target", "number"], name="integrity_repair_once_per_target"),
        ]
        indexes = [models.Index(fields=["target", "state", "-id"], name="integrity_repair_by_target")]

    def __str__(self) -> str:
        return gettext("Run %(number)s of %(target)s") % {"number": self.number, "target": self.target}
