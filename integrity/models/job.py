"""Work that a page asked for and somebody else carries out."""

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrity.models.states import Carrier, JobKind, RunState, Wish
from integrity.models.target import Target

SILENCE = timedelta(seconds=30)
"""Whoever carries a job out says every few seconds that it is there, however long a statement takes: who says
nothing for so long is gone."""


class Job(models.Model):
    """Long work of a target, carried out outside the request that asked for it.

    `arguments` are plain values for `integrity.tasks`; `done` of `total` and `at` say how far it is,
    `signs_of_life_at` when it last said so, `result` what came out (the number of a run, say).
    `done_before` is how far it was when it was last begun, at `resumed_at`: from these comes its speed.
    `actor` is for showing; by `actor_key`, the primary key of the account, somebody is known as who asked.
    """

    target = models.ForeignKey(Target, models.CASCADE, related_name="jobs", verbose_name=_("target"))
    kind = models.CharField(_("kind"), max_length=20, choices=JobKind)
    state = models.CharField(_("state"), max_length=20, choices=RunState, default=RunState.PLANNED)
    arguments = models.JSONField(_("arguments"), default=dict, blank=True)
    result = models.JSONField(_("result"), default=dict, blank=True)
    done = models.PositiveBigIntegerField(_("done"), default=0)
    total = models.PositiveBigIntegerField(_("of"), null=True, blank=True)
    at = models.TextField(_("at"), blank=True)
    unit = models.CharField(
        _("unit"), max_length=20, blank=True, help_text=_("What is counted: rows, checks.")
    )
    wish = models.CharField(_("wish"), max_length=10, choices=Wish, default=Wish.NOTHING, blank=True)
    carrier = models.CharField(_("carried out by"), max_length=10, choices=Carrier, blank=True)
    worker = models.CharField(
        _("worker"), max_length=200, blank=True, help_text=_("The process that has it: host and number.")
    )
    task = models.CharField(
        _("task"), max_length=200, blank=True, help_text=_("Its number in the queue of Django's tasks.")
    )
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    actor = models.CharField(_("actor"), max_length=200, blank=True)
    actor_key = models.CharField(_("account of the actor"), max_length=200, blank=True)
    error = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("asked for"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    resumed_at = models.DateTimeField(_("last begun"), null=True, blank=True)
    done_before = models.PositiveBigIntegerField(_("done before"), default=0)
    signs_of_life_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["state", "id"], name="integrity_job_by_state"),
            models.Index(fields=["target", "state", "-id"], name="integrity_job_by_target"),
        ]

    def __str__(self) -> str:
        return gettext("%(kind)s of %(target)s") % {"kind": self.get_kind_display(), "target": self.target}

    @property
    def is_silent(self) -> bool:
        """Whether it said nothing for so long that its process may have ended."""
        heard = self.signs_of_life_at or self.created_at
        return not self.is_over and timezone.now() - heard > SILENCE

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state not in (RunState.PLANNED, RunState.RUNNING)


class JobNote(models.Model):
    """A line of a job's log."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="notes", verbose_name=_("job"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    text = models.TextField(_("text"))

    class Meta:
        verbose_name = _("line of a log")
        verbose_name_plural = _("lines of logs")
        ordering = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.text


class Worker(models.Model):
    """A process of `integrity_work`, while it is heard of; a job knows by name whose it is."""

    name = models.CharField(_("name"), max_length=200, unique=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    heard_at = models.DateTimeField(_("last heard of"), default=timezone.now)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        ordering = ["name"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name
