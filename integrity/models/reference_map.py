"""How the tables of a target hang together."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrity.models.audit_run import AuditRun
from integrity.models.target import Target


class ReferenceMap(models.Model):
    """The references of a target as its last audit knew them, so that nobody has to ask it again.

    `references` is a list of `{"table": [schema, name], "columns": […], "to": [schema, name],
    "to_columns": […], "constraint": …}`, the constraint being one of the words of
    `integrity.store.reference_maps`. `left_out` counts those that were too many.
    """

    target = models.OneToOneField(
        Target, models.CASCADE, related_name="reference_map", verbose_name=_("target")
    )
    run = models.ForeignKey(AuditRun, models.CASCADE, related_name="+", verbose_name=_("audit"))
    references = models.JSONField(_("references"), default=list, blank=True)
    left_out = models.PositiveIntegerField(_("left out"), default=0)

    class Meta:
        verbose_name = _("map of references")
        verbose_name_plural = _("maps of references")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.target)
