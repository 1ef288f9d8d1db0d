"""What `manage.py check` says of settings and targets before anybody is surprised by them."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.utils.translation import gettext as _

from integrity import conf, models
from integrity.database.schema import did_you_mean
from integrity.database.session import Target
from integrity.exceptions import CatalogError, ReferentialIntegrityError
from integrity.references import load_catalog
from integrity.references.catalog import catalog_file
from integrity.references.django_models import has_models

TAG = "integrity"
LONGEST_LOOK_MS = 2_000
"""A check must not keep a deployment waiting."""

SETTINGS = (
    "ADMIN_MODELS",
    "ALERTS",
    "APPROVALS",
    "APPROVAL_DAYS",
    "BACKUP_ROOT",
    "BATCH_ROWS",
    "BATCH_SECONDS",
    "CARRIER",
    "CATALOG_PACKAGE",
    "CATALOG_ROOT",
    "CSV_ROWS",
    "DIRECT",
    "ENVIRONMENT",
    "FORESEEN_ROWS",
    "LOCK_ATTEMPTS",
    "LOCK_TIMEOUT_MS",
    "METRICS_TOKEN",
    "MIGRATE_TOKENS",
    "PG_DUMP",
    "SAMPLE_ROWS",
    "STATEMENT_TIMEOUT_MS",
    "TASK_BACKEND",
    "TASK_QUEUE",
    "TYPED_ROWS",
    "WRITES_MIGRATIONS",
)
"""Every setting that `integrity.conf` reads."""


def register() -> None:
    """Tells Django of these checks; called when the app is ready."""
    checks.register(check_settings, TAG)
    checks.register(check_alerts, TAG)
    checks.register(check_admin_models, TAG)
    checks.register(check_admin_sites, TAG)
    checks.register(check_carrier, TAG)
    checks.register(check_approvals, TAG)
    checks.register(check_test_databases, TAG)
    checks.register(check_shared_files, TAG)
    checks.register(check_catalogs, TAG)
    checks.register(check_standing_violations, checks.Tags.database)


def check_settings(**kwargs: Any) -> list[checks.CheckMessage]:
    """W002: a setting that nobody reads does nothing, which is worse than an error."""
    given = getattr(settings, "INTEGRITY", {})
    return [
        checks.Warning(
            _("INTEGRITY has no setting %(name)r.") % {"name": name},
            hint=did_you_mean(str(name).upper(), SETTINGS),
            id="integrity.W002",
        )
        for name in given
        if name not in SETTINGS
    ]


ALERT_WORDS = ("log", "mail", "mail_seconds")


def check_alerts(**kwargs: Any) -> list[checks.CheckMessage]:
    """W004: alerts that nobody gets, though the settings look as if somebody did."""
    given = getattr(settings, "INTEGRITY", {}).get("ALERTS", {})
    if not isinstance(given, Mapping):
        return [_alerts(_("it is not a dictionary"), 'Write {"log": True, "mail": ["dba@example.org"]}.')]
    found = [
        _alerts(_("it has no word %(name)r") % {"name": name}, did_you_mean(str(name), ALERT_WORDS))
        for name in given
        if name not in ALERT_WORDS
    ]
    if given.get("mail") is True and not settings.ADMINS:
        found.append(_alerts(_('"mail" is True and ADMINS is empty'), "Name addresses, in either of them."))
    return found


def _alerts(what: str, hint: str) -> checks.CheckMessage:
    text = _('INTEGRITY["ALERTS"]: %(what)s.') % {"what": what}
    return checks.Warning(text, hint=hint, id="integrity.W004")


def check_admin_models(**kwargs: Any) -> list[checks.CheckMessage]:
    """W005: somebody asked for rows in admin, and there is nothing to show them by."""
    return [
        checks.Warning(
            _("ADMIN_MODELS names %(name)r, which has no models in INSTALLED_APPS.") % {"name": name},
            hint=_("Write them with: manage.py integrity_models %(name)s.") % {"name": name},
            id="integrity.W005",
        )
        for name in conf.admin_models()
        if f"catalog_{name}" not in apps.app_configs
        or not any(apps.get_app_config(f"catalog_{name}").get_models())
    ]


def check_admin_sites(**kwargs: Any) -> list[checks.CheckMessage]:
    """W008: an admin site with some of the pages, whose links would lead to those that it lacks."""
    if not apps.is_installed("django.contrib.admin"):
        return []
    from django.contrib.admin.sites import all_sites  # noqa: PLC0415 - a project may have no admin

    ours = list(apps.get_app_config("integrity").get_models())
    known = [(site.name, {model for model in ours if site.is_registered(model)}) for site in all_sites]
    every = set().union(*(has for _name, has in known))
    return [
        checks.Warning(
            _("The admin site %(site)r has pages of this app, but not those of %(models)s.")
            % {"site": name, "models": ", ".join(sorted(model.__name__ for model in every - has))},
            hint=_("They lead to one another. Register them all: integrity.admin.register(site)."),
            id="integrity.W008",
        )
        for name, has in known
        if has and has != every
    ]


def check_carrier(**kwargs: Any) -> list[checks.CheckMessage]:
    """W007: jobs that nobody would carry out as the settings say."""
    from integrity.tasks.background import carriers, interface  # noqa: PLC0415 - only a check needs them

    wanted = conf.carrier()
    if wanted not in carriers.CARRIERS:
        what = _('INTEGRITY["CARRIER"] is %(value)r, and is taken for "auto".') % {"value": wanted}
        return [checks.Warning(what, hint=did_you_mean(wanted, carriers.CARRIERS), id="integrity.W007")]
    if wanted != models.Carrier.TASKS or interface.is_usable():
        return []
    what = _('INTEGRITY["CARRIER"] is "tasks", and no backend of TASKS carries work out outside of requests.')
    hint = _("Install one, such as django-tasks-db, and name it in TASKS[%(alias)r].")
    return [checks.Warning(what, hint=hint % {"alias": conf.task_backend()}, id="integrity.W007")]


def check_approvals(**kwargs: Any) -> list[checks.CheckMessage]:
    """E002: a number that says when a second person or a typed number is asked for, and is none."""
    given = getattr(settings, "INTEGRITY", {})
    plain = {"APPROVALS": (bool, int), "APPROVAL_DAYS": (int,), "TYPED_ROWS": (int,)}
    return [
        checks.Error(
            _("INTEGRITY[%(name)r] is %(value)r, which is no number.") % {"name": name, "value": given[name]},
            hint=_("Write a whole number, 0 or more; for APPROVALS also True or False."),
            id="integrity.E002",
        )
        for name, kinds in plain.items()
        if name in given and (type(given[name]) not in kinds or given[name] < 0)
    ]


def check_test_databases(**kwargs: Any) -> list[checks.CheckMessage]:
    """W001: Django's test runner would migrate a target's test database with the site's apps."""
    return [
        checks.Warning(
            _("The target %(alias)s would be migrated when tests begin.") % {"alias": alias},
            hint=_('Add "TEST": {"MIGRATE": False} to DATABASES["%(alias)s"].') % {"alias": alias},
            id="integrity.W001",
        )
        for alias in _targets()
        if connections.databases[alias].get("TEST", {}).get("MIGRATE", True)
    ]


def check_shared_files(**kwargs: Any) -> list[checks.CheckMessage]:
    """W006: two libraries on one file in one process lose each other's locks.

    Closing a file gives up all locks of the process on it (SQLite manual, "How To Corrupt An SQLite
    Database File" 2.2.1).
    """
    engines: dict[str, set[str]] = defaultdict(set)
    aliases: dict[str, list[str]] = defaultdict(list)
    for alias, entry in connections.databases.items():
        if connections[alias].vendor == "sqlite" and ":memory:" not in str(entry["NAME"]):
            file = os.path.realpath(entry["NAME"])
            engines[file].add(connections[alias].display_name)
            aliases[file].append(alias)
    return [
        checks.Warning(
            _("%(aliases)s are one file, opened by SQLite and by libSQL.")
            % {"aliases": ", ".join(aliases[file])},
            hint=_("Give them one ENGINE: in one process the two libraries lose each other's locks."),
            id="integrity.W006",
        )
        for file, found in engines.items()
        if len(found) > 1
    ]


def check_catalogs(**kwargs: Any) -> list[checks.CheckMessage]:
    """E001: a target catalog with a mistake; every command for the target would stop at it."""
    found: list[checks.CheckMessage] = []
    for alias in connections.databases:
        try:
            load_catalog(alias)
        except (CatalogError, OSError) as error:
            found.append(_unreadable(alias, error))
    return found


def check_standing_violations(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """W003: plain `migrate` checks a whole SQLite file, and fails on what was wrong before.

    Django's SQLite schema editor runs `check_constraints()` at its end, also for tables that a
    migration never touched (decision 27 of the design).
    """
    return [
        checks.Warning(
            _("%(alias)s holds rows that violate its foreign keys: plain migrate fails there, always.")
            % {"alias": alias},
            hint=_(
                "See them with: manage.py integrity_audit %(alias)s. Until they are resolved, "
                "manage.py integrity_migrate %(alias)s migrates around them."
            )
            % {"alias": alias},
            id="integrity.W003",
        )
        for alias in databases or ()
        if _violated(alias)
    ]


def _unreadable(alias: str, error: Exception) -> checks.CheckMessage:
    where = getattr(error, "where", "") or str(catalog_file(alias))
    return checks.Error(
        _("The target catalog of %(alias)s cannot be read: %(what)s (%(where)s).")
        % {"alias": alias, "what": getattr(error, "what", error), "where": where},
        hint=getattr(error, "hint", "") or None,
        id="integrity.E001",
    )


def _targets() -> Iterator[str]:
    """The databases that are here to be looked after: not the site's own, and not home to its models."""
    for alias in connections.databases:
        if alias != DEFAULT_DB_ALIAS and not has_models(alias):
            yield alias


def _violated(alias: str) -> bool:
    """Whether a SQLite file holds a violation, as far as can be seen in a short time."""
    if connections[alias].vendor != "sqlite":
        return False
    try:
        with Target(alias).reading(statement_timeout_ms=LONGEST_LOOK_MS) as session:
            return bool(session.rows("SELECT 1 FROM pragma_foreign_key_check LIMIT 1"))
    except (ReferentialIntegrityError, DatabaseError):
        return False  # what cannot be opened is said by whoever needs it
