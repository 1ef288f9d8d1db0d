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
        """Tells Django of the system checks, and whom to ask before rows are changed."""
        from integrity import alerts, checks  # noqa: PLC0415 - after all apps are loaded
        from integrity.operations.admission import put_in_charge  # noqa: PLC0415
        from integrity.tasks.admitting import admit_repair  # noqa: PLC0415

        checks.register()
        alerts.connect()
        put_in_charge(admit_repair)
