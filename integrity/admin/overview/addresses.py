"""Where things of a target are: the lists with the filters that people would choose."""

from __future__ import annotations

from urllib.parse import urlencode

from integrity import models
from integrity.admin.serving import reverse
from integrity.database.identifiers import TableName


def orphans(target: models.Target, table: TableName | None = None, **chosen: str) -> str:
    """The triage list of a target, or of one of its tables."""
    about = {"table_name": table.name} if table else {}
    return _list("orphanfinding", {"target__id__exact": str(target.pk), **about, **chosen})


def findings(target: models.Target, table: TableName | None = None, **chosen: str) -> str:
    """The list of all findings of a target, or of one of its tables."""
    about = {"q": table.name} if table else {}
    return _list("finding", {"target__id__exact": str(target.pk), **about, **chosen})


def of_target(kind: str, target: models.Target) -> str:
    """The list of what belongs to a target: ``auditrun``, ``repairrun``, ``migrationrun``, ``job``."""
    return _list(kind, {"target__id__exact": str(target.pk)})


def page(kind: str, pk: object) -> str:
    """The page of one thing."""
    return reverse(f"admin:integrity_{kind}_change", args=[pk])


def migrations(target: models.Target) -> str:
    """The page of a target's migrations."""
    return reverse("admin:integrity_target_migrations", args=[target.pk])


def schema_fixes(target: models.Target) -> str:
    """The page on which changes of structure are chosen."""
    return reverse("admin:integrity_schema_fixes", args=[target.alias])


def start(target: models.Target, what: str) -> str:
    """Where a POST starts work for a target."""
    return reverse("admin:integrity_target_start", args=[target.pk, what])


def plan(target: models.Target, plan_hash: str) -> str:
    """The page of a plan."""
    return reverse("admin:integrity_orphanfinding_plan", args=[target.alias, plan_hash])


def _list(kind: str, chosen: dict[str, str]) -> str:
    return f"{reverse(f'admin:integrity_{kind}_changelist')}?{urlencode(chosen)}"
