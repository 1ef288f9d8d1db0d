"""The overview of all targets, in whichever admin site it is."""

from __future__ import annotations

from typing import Any

from django import template

from integrity.admin.overview.cards import overview
from integrity.admin.serving import served_by

register = template.Library()


@register.inclusion_tag("admin/integrity/overview.html", takes_context=True)
def integrity_overview(context: template.Context) -> dict[str, Any]:
    """How each target is, and what to do next."""
    with served_by(context["request"]):
        return {**overview(context["request"]), "csrf_token": context.get("csrf_token")}
