"""Measurements of a target's hot queries."""

from django.db import models
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from integrity.models.states import Occasion
from integrity.models.target import Target


class QueryRun(models.Model):
    """The hot queries of a target, measured once, in one state of its structure."""

    target = models.ForeignKey(Target, models.CASCADE, related_name="query_runs", verbose_name=_("target"))
    occasion = models.CharField(_("occasion"), max_length=20, choices=Occasion, default=Occasion.VERIFICATION)
    measured_at = models.DateTimeField(_("measured"), auto_now_add=True)
    seconds = models.FloatField(_("seconds"), default=0.0)
    server_version = models.CharField(_("server version"), max_length=200, blank=True)
    schema_fingerprint = models.CharField(_("schema fingerprint"), max_length=64, blank=True)
    migrations = models.JSONField(_("migrations applied"), default=list, blank=True)
    seed = models.BigIntegerField(_("seed"), default=0)
    yardstick_ms = models.FloatField(
        _("yardstick"),
        null=True,
        blank=True,
        help_text=_("Milliseconds of a query that reads no table: how fast the machine was."),
    )
    baseline = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("compared with")
    )
    actor = models.CharField(_("actor"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("query measurement")
        verbose_name_plural = _("query measurements")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["target", "-id"], name="integrity_queries_by_target")]

    def __str__(self) -> str:
        return gettext("Query measurement %(number)s of %(target)s") % {
            "number": self.pk,
            "target": self.target,
        }


class QueryTiming(models.Model):
    """One query of a measurement; its single runs are kept to compare with."""

    run = models.ForeignKey(
        QueryRun, models.CASCADE, related_name="timings", verbose_name=_("query measurement")
    )
    name = models.CharField(_("query"), max_length=200)
    table = models.CharField(_("table"), max_length=200, blank=True)
    index = models.CharField(_("expected index"), max_length=200, blank=True)
    access = models.CharField(_("access"), max_length=250, blank=True)
    indexed = models.BooleanField(_("uses its index"), default=False)
    can_index = models.BooleanField(_("can use its index"), default=False)
    rows = models.FloatField(pgettext_lazy("of a query", "rows"), null=True, blank=True)
    cost = models.FloatField(_("planner's cost"), null=True, blank=True)
    pages = models.FloatField(_("pages touched"), null=True, blank=True)
    steps = models.FloatField(_("machine steps"), null=True, blank=True)
    p50_ms = models.FloatField(_("p50, ms"), null=True, blank=True)
    p95_ms = models.FloatField(_("p95, ms"), null=True, blank=True)
    p99_ms = models.FloatField(_("p99, ms"), null=True, blank=True)
    times_ms = models.JSONField(_("runs, ms"), default=list, blank=True)
    draws = models.PositiveIntegerField(_("sets of values"), default=0)
    values = models.CharField(_("digest of the values"), max_length=64, blank=True)
    plan = models.JSONField(_("plan"), default=list, blank=True)
    error = models.TextField(_("error"), blank=True)
    timed_out = models.BooleanField(_("stopped by the time limit"), default=False)
    ratio = models.FloatField(_("ratio to the baseline"), null=True, blank=True)
    regressed = models.BooleanField(_("slower"), default=False)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        verbose_name = _("measured query")
        verbose_name_plural = _("measured queries")
        ordering = ["id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="integrity_query_once_a_run"),
        ]

    def __str__(self) -> str:
        return self.name
