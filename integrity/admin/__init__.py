"""What people see and do: thin pages over the functions that the commands call."""

from django.apps import apps
from django.contrib import admin as django_admin

from integrity.admin.audit_runs import AuditRunAdmin
from integrity.admin.findings import FindingAdmin
from integrity.admin.history import BackupAdmin, ResolutionAdmin, StoredPlanAdmin
from integrity.admin.jobs import JobAdmin
from integrity.admin.migrating import MigrationRunAdmin
from integrity.admin.orphan_findings import OrphanFindingAdmin
from integrity.admin.query_runs import QueryRunAdmin
from integrity.admin.repair_runs import RepairRunAdmin
from integrity.admin.target_rows import TargetRowAdmin, register_target_models
from integrity.admin.targets import TargetAdmin

__all__ = [
    "AuditRunAdmin",
    "BackupAdmin",
    "FindingAdmin",
    "JobAdmin",
    "MigrationRunAdmin",
    "OrphanFindingAdmin",
    "QueryRunAdmin",
    "RepairRunAdmin",
    "ResolutionAdmin",
    "StoredPlanAdmin",
    "TargetAdmin",
    "TargetRowAdmin",
    "register",
]

register_target_models()


def register(site: django_admin.AdminSite) -> None:
    """Puts every page of this app, as the default admin site has it, into another one too.

    They lead to one another, so that a site has all of them or none. A model that is registered there keeps
    the page that somebody made for it.
    """
    for model in apps.get_app_config("integrity").get_models():
        if django_admin.site.is_registered(model) and not site.is_registered(model):
            site.register(model, type(django_admin.site.get_model_admin(model)))
    register_target_models(site)
