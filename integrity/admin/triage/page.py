"""The page of a finding: what is wrong, why, what can become of it, and what was said and decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from integrity import models
from integrity.admin import cells
from integrity.admin.base import may
from integrity.admin.serving import reverse
from integrity.admin.triage import causes, history, next_steps, notes, offering, technical, wording
from integrity.admin.triage.kinds import kind_of
from integrity.admin.triage.scope import Scope

if TYPE_CHECKING:
    from integrity.admin.triage.columns import FindingColumns


def show(admin: FindingColumns, request: HttpRequest, object_id: str) -> HttpResponse:
    """Returns the page of a finding; nothing is changed by posting to it.

    Raises:
        PermissionDenied: for whoever may not see findings, or would edit one.
    """
    if request.method == "POST" or not admin.has_view_permission(request):
        raise PermissionDenied
    finding = admin.get_object(request, unquote(object_id))
    if finding is None:
        return admin._get_obj_does_not_exist_redirect(  # type: ignore[no-any-return, attr-defined]
            request, admin.opts, object_id
        )
    context = {
        "finding": finding,
        "original": finding,
        "label": finding.label,
        "parent": parent(finding),
        "state": cells.badge(finding.state, finding.get_state_display()),
        "severity": cells.badge(finding.severity, finding.get_severity_display()),
        "moved": cells.trend(finding.rows, finding.previous_rows),
        "seen": cells.ago(finding.last_seen_run.started_at),
        "resolved": cells.ago(finding.resolved_at),
        "facts": technical.facts(finding),
        "notes": notes.notes_of(finding),
        "note_form": notes.form_for(request),
        "step": next_steps.step(request, finding),
        "may_see_rows": _sees_rows(request),
    }
    about_orphans = finding.code == models.ORPHANED_ROWS
    more = _orphans(request, finding) if about_orphans else _other(request, finding)
    return admin.page(request, "finding.html", wording.what_is_wrong(finding), **context, **more)


def parent(finding: models.Finding) -> str:
    """The referenced columns as they are written."""
    columns = ",".join(finding.referenced_columns)
    return f"{finding.referenced_table}.{columns}" if columns else finding.referenced_table


def _other(request: HttpRequest, finding: models.Finding) -> dict[str, Any]:
    """What is known of anything else that is wrong."""
    return {
        "kind": kind_of(finding.code),
        "repeated": causes.repeated(request, finding),
        "in_the_way": next_steps.in_the_way(request, finding),
        "decisions": history.decisions(request, finding),
    }


def _orphans(request: HttpRequest, finding: models.Finding) -> dict[str, Any]:
    """What is known of orphans, and what this user may decide about them."""
    scope = Scope.asked(request, finding)
    standing = finding.state != models.FindingState.RESOLVED
    offered = offering.choices(request, finding, scope) if standing else []
    return {
        "orphans": True,
        "causes": causes.causes(finding),
        "gathered": causes.gathered(finding),
        "chart": causes.chart(finding),
        "created": wording.created(finding.evidence)[: 2 if standing else 1],
        "examined": causes.examined(finding),
        "keys": causes.keys(request, finding),
        "shared": _shared(finding),
        "scope": scope,
        "rows_url": scope.address("rows", finding) if standing and _sees_rows(request) else "",
        "keys_url": reverse("admin:integrity_orphanfinding_keys", args=[finding.pk]),
        "choices": offered,
        "may_decide": any(each.url for each in offered) or not any(each.open for each in offered),
        "decisions": history.decisions(request, finding),
        "waiting": history.waiting(request, finding),
        "prevented": bool(finding.evidence.get("enforced") or finding.evidence.get("binds_new_rows")),
        "prevention": next_steps.prevention(request, finding),
    }


def _sees_rows(request: HttpRequest) -> bool:
    return may(request, "view_orphanfinding", "view_sample_rows")


def _shared(finding: models.Finding) -> str:
    """How many orphans share a missing key, where that says something."""
    if not finding.missing_keys or finding.rows < 2 * finding.missing_keys:
        return ""
    return _("about %(rows)s orphans each") % {
        "rows": cells.grouped(round(finding.rows / finding.missing_keys))
    }
