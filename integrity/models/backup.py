"""Backups that were taken."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integrity.models.target import Target


class Backup(models.Model):
    """A backup of a target: its file and its size in bytes."""

    target = models.ForeignKey(Target, models.CASCADE, related_name="backups", verbose_name=_("target"))
    file = models.CharField(_("file"), max_length=1000)
    size = models.PositiveBigIntegerField(_("size"), help_text=_("In bytes."))
    taken_at = models.DateTimeField(_("taken"), default=timezone.now)
    actor = models.CharField(_("actor"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("backup")
        verbose_name_plural = _("backups")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["target", "-id"], name="integrity_backup_by_target")]

    def __str__(self) -> str:
        return self.file
