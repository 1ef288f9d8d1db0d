"""Parts of pages that every page of this app carries."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import NoReverseMatch
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from integrity import conf
from integrity.admin.serving import reverse, served_by

register = template.Library()

Place = tuple[str | Promise, str, dict[str, str], str]

PLACES: tuple[Place, ...] = (
    (_("Overview"), "admin:app_list", {"app_label": "integrity"}, "integrity.view_target"),
    (_("Orphans"), "admin:integrity_orphanfinding_changelist", {}, "integrity.view_orphanfinding"),
    (_("Findings"), "admin:integrity_finding_changelist", {}, "integrity.view_finding"),
    (_("Migrations"), "admin:integrity_migrations", {}, "integrity.view_target"),
    (_("Repairs"), "admin:integrity_repairrun_changelist", {}, "integrity.view_repairrun"),
    (_("Quarantine"), "admin:integrity_quarantine", {}, "integrity.view_repairrun"),
    (_("Jobs"), "admin:integrity_job_changelist", {}, "integrity.view_job"),
)
"""Where people go: what it is called, its address by name, and the permission that it needs."""

APPROVALS = (
    _("Approvals"),
    "admin:integrity_approval_changelist",
    dict[str, str](),
    "integrity.view_approval",
)
"""Where somebody waits for a second person, where plans need one."""


@register.inclusion_tag("admin/integrity/nav.html", takes_context=True)
def integrity_nav(context: template.Context) -> dict[str, Any]:
    """The places of this app that the user may see, the one where they are marked."""
    request = context["request"]
    with served_by(request):
        found = [
            {"text": text, "url": url, "here": request.path == url}
            for text, name, arguments, permission in _places()
            if request.user.has_perm(permission) and (url := _address(name, arguments))
        ]
    return {"places": found}


@register.inclusion_tag("admin/integrity/filter.html")
def integrity_filter(changes: Any, spec: Any) -> dict[str, Any]:
    """A filter in the bar above a list, whichever way the admin would show it."""
    return {"title": spec.title, "choices": list(spec.choices(changes))}


def _places() -> tuple[Place, ...]:
    return PLACES if conf.approvals() is None else (*PLACES, APPROVALS)


def _address(name: str, arguments: dict[str, str]) -> str:
    try:
        return reverse(name, kwargs=arguments)
    except NoReverseMatch:
        return ""
