"""The app as Django meets it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrityConfig(AppConfig):
    """One line in `INSTALLED_APPS`."""

    name = "integrity"
    label = "integrity"
    verbose_name = _("Referential integrity")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tells Django of the system checks."""
        from integrity import alerts, checks  # noqa: PLC0415 - after all apps are loaded

        checks.register()
        alerts.connect()
