"""Databases under care."""

from django.db import models
from django.utils.translation import gettext_lazy as _

_PRODUCTS = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}


def server(vendor: str, version: str) -> str:
    """``PostgreSQL 18.4``."""
    return f"{_PRODUCTS.get(vendor, vendor)} {version}".strip()


class Target(models.Model):
    """A database under care, known by its alias. How to open it stays in `DATABASES`: no secrets here.

    The numbers of open findings and orphans are counted when something changes them, so that no page has
    to.
    """

    alias = models.CharField(_("alias"), max_length=200, unique=True)
    vendor = models.CharField(_("vendor"), max_length=50, blank=True)
    server_version = models.CharField(_("server version"), max_length=200, blank=True)
    reachable = models.BooleanField(
        _("reachable"), null=True, help_text=_("Unknown until it is first opened.")
    )
    error = models.TextField(_("error"), blank=True, help_text=_("Why it could not be opened."))
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    errors_open = models.PositiveIntegerField(_("errors"), default=0)
    warnings_open = models.PositiveIntegerField(_("warnings"), default=0)
    notices_open = models.PositiveIntegerField(_("notices"), default=0)
    orphans_open = models.PositiveBigIntegerField(_("orphans"), default=0)
    orphans_kept = models.PositiveBigIntegerField(_("orphans kept by decision"), default=0)
    undecided = models.PositiveIntegerField(
        _("undecided"), default=0, help_text=_("Open orphan findings about which nobody decided.")
    )
    decided = models.PositiveIntegerField(
        _("decided"), default=0, help_text=_("Open orphan findings whose decision is not carried out.")
    )
    schema_fingerprint = models.CharField(_("schema fingerprint"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        ordering = ["alias"]
        default_permissions = ("view",)
        permissions = [
            ("audit_target", _("Can audit a target")),
            ("write_migrations", _("Can write the schema fixes of a target as migrations")),
            ("apply_migrations", _("Can apply and reverse the migrations of a target")),
            ("read_metrics", _("Can read the metrics of all targets")),
        ]

    def __str__(self) -> str:
        return self.alias

    @property
    def server(self) -> str:
        """What it is and in which version, as people call it."""
        return server(self.vendor, self.server_version)
