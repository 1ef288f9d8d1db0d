"""What audits found, kept from run to run."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integrity.models.audit_run import AuditRun
from integrity.models.states import FindingState, Severity, Trend
from integrity.models.target import Target

ORPHANED_ROWS = "orphaned_rows"
DUPLICATE_ROWS = "duplicate_rows"

_BADNESS = models.Case(
    models.When(severity="error", then=models.Value(0)),
    models.When(severity="warning", then=models.Value(1)),
    default=models.Value(2),
)
_TREND = models.Case(
    models.When(previous_rows__isnull=True, then=models.Value("new")),
    models.When(rows__gt=models.F("previous_rows"), then=models.Value("growing")),
    models.When(rows__lt=models.F("previous_rows"), then=models.Value("shrinking")),
    default=models.Value("same"),
)


class Finding(models.Model):
    """One thing that audits found wrong; the fingerprint tells it again in the next run.

    `label` is the reference as commands name it, `rows` the number at the last look and
    `previous_rows` at the look before. `opened_at` is when it was found, or found again. `decided` is what
    stands for the whole finding, and not for some of its rows; the database keeps `badness` and `trend`.
    Lists are ordered and filtered by indexes, so that none grows with the number of findings.
    """

    target = models.ForeignKey(Target, models.CASCADE, related_name="findings", verbose_name=_("target"))
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    code = models.CharField(_("code"), max_length=100)
    severity = models.CharField(_("severity"), max_length=10, choices=Severity)
    state = models.CharField(_("state"), max_length=10, choices=FindingState, default=FindingState.OPEN)
    label = models.TextField(_("reference"))
    schema_name = models.TextField(_("schema"), blank=True)
    table_name = models.TextField(_("table"))
    columns = models.JSONField(_("columns"), default=list, blank=True)
    referenced_schema = models.TextField(_("referenced schema"), blank=True)
    referenced_table = models.TextField(_("referenced table"), blank=True)
    referenced_columns = models.JSONField(_("referenced columns"), default=list, blank=True)
    object = models.TextField(_("object"), blank=True)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    missing_keys = models.PositiveBigIntegerField(_("missing keys"), default=0)
    previous_rows = models.PositiveBigIntegerField(_("rows before"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=20, blank=True)
    cause = models.CharField(
        _("cause"),
        max_length=40,
        blank=True,
        help_text=_("What explains most of the rows, where it is known."),
    )
    suggested = models.CharField(
        _("suggested resolution"), max_length=20, blank=True, help_text=_("Empty: somebody decides.")
    )
    decided = models.CharField(_("decision"), max_length=20, blank=True)
    badness = models.GeneratedField(
        expression=_BADNESS, output_field=models.PositiveSmallIntegerField(_("severity")), db_persist=True
    )
    trend = models.GeneratedField(
        expression=_TREND,
        output_field=models.CharField(_("trend"), max_length=10, choices=Trend),
        db_persist=True,
    )
    message = models.TextField(_("message"))
    suggestion = models.TextField(_("suggestion"), blank=True)
    evidence = models.JSONField(_("evidence"), default=dict, blank=True)
    first_seen_run = models.ForeignKey(
        AuditRun, models.PROTECT, related_name="+", verbose_name=_("first seen in")
    )
    last_seen_run = models.ForeignKey(
        AuditRun, models.PROTECT, related_name="findings", verbose_name=_("last seen in")
    )
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [
            ("decide_finding", _("Can decide what becomes of a finding")),
            ("cleanup_finding", _("Can delete orphans to quarantine")),
            ("set_null_finding", _("Can set the references of orphans to NULL")),
            ("reassign_finding", _("Can reassign orphans")),
            ("keep_finding", _("Can decide to keep orphans")),
            ("relink_finding", _("Can relink orphans")),
            ("restore_parent_finding", _("Can restore the parents of orphans")),
            ("deduplicate_finding", _("Can resolve duplicates")),
            ("note_finding", _("Can write notes about a finding")),
            ("view_sample_rows", _("Can see rows of a target")),
            ("download_csv", _("Can download findings and rows as CSV")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["target", "fingerprint"], name="integrity_finding_once_per_target"
            ),
        ]
        indexes = [
            models.Index(
                fields=["target", "state", "code", "-rows", "-id"], name="integrity_finding_of_target"
            ),
            models.Index(fields=["code", "state", "-rows", "-id"], name="integrity_finding_rows"),
            models.Index(fields=["code", "state", "label"], name="integrity_finding_label"),
            models.Index(
                fields=["code", "state", "decided", "-rows", "-id"], name="integrity_finding_decided"
            ),
            models.Index(fields=["code", "state", "cause", "-rows", "-id"], name="integrity_finding_cause"),
            models.Index(fields=["code", "state", "trend", "-rows", "-id"], name="integrity_finding_trend"),
            models.Index(
                fields=["code", "state", "badness", "-rows", "-id"], name="integrity_finding_badness"
            ),
            models.Index(fields=["state", "badness", "-rows", "-id"], name="integrity_finding_worst"),
            models.Index(
                fields=["target", "state", "badness", "-rows", "-id"], name="integrity_finding_worst_of"
            ),
            models.Index(
                fields=["table_name", "state", "code", "-rows", "-id"], name="integrity_finding_table"
            ),
            models.Index(fields=["referenced_table", "state", "code"], name="integrity_finding_parent"),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.label}"


class FindingNote(models.Model):
    """What somebody wrote about a finding, for whoever looks at it next."""

    finding = models.ForeignKey(Finding, models.CASCADE, related_name="notes", verbose_name=_("finding"))
    text = models.TextField(_("note"))
    author = models.CharField(_("author"), max_length=200, blank=True)
    written_at = models.DateTimeField(_("written"), default=timezone.now)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.text


class OrphanFindings(models.Manager["OrphanFinding"]):
    """The findings that speak of rows."""

    def get_queryset(self) -> models.QuerySet[OrphanFinding]:
        """Leaves out what is not about orphans."""
        return super().get_queryset().filter(code=ORPHANED_ROWS)


class OrphanFinding(Finding):
    """A finding about orphans, for which somebody decides."""

    objects: ClassVar[OrphanFindings] = OrphanFindings()

    class Meta:
        proxy = True
        verbose_name = _("orphan finding")
        verbose_name_plural = _("orphans")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.label
