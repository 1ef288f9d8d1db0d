"""The exact facts of a finding, for whoever knows databases."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrity import models
from integrity.admin import cells
from integrity.admin.base import link

SOURCES = {
    "catalog": gettext_lazy("the catalog"),
    "declared": gettext_lazy("a declared foreign key"),
    "django": gettext_lazy("Django's models"),
    "inferred": gettext_lazy("an inference"),
}
"""How a rule is known, by the words of `integrity.references.reference.Source`."""


def facts(finding: models.Finding) -> list[tuple[str, Any]]:
    """Returns names and values, leaving out what would say nothing."""
    found = [
        (_("finding"), finding.message),
        (_("suggestion of the audit"), finding.suggestion),
        (_("code"), cells.code(finding.code)),
        (_("table"), cells.code(_whole(finding.schema_name, finding.table_name))),
        (_("columns"), cells.code(", ".join(finding.columns)) if finding.columns else ""),
        (_("refers to"), _parent(finding)),
        (_("object"), cells.code(finding.object) if finding.object else ""),
        (_("known from"), str(SOURCES.get(finding.source, finding.source))),
        *(_about_reference(finding) if finding.code == models.ORPHANED_ROWS else []),
        (_("first seen"), _seen(finding.first_seen_run)),
        (_("last seen"), _seen(finding.last_seen_run)),
        (_("open since"), cells.ago(finding.opened_at)),
        (_("resolved"), cells.ago(finding.resolved_at) if finding.resolved_at else ""),
        (_("fingerprint"), cells.code(finding.fingerprint)),
    ]
    return [(name, value) for name, value in found if value not in ("", None)]


def _about_reference(finding: models.Finding) -> list[tuple[str, Any]]:
    evidence = finding.evidence
    on_delete, nulls = evidence.get("on_delete"), evidence.get("nulls")
    return [
        (_("when a referenced row is deleted"), cells.code(on_delete) if on_delete else ""),
        (_("foreign key"), _constraint(evidence)),
        (_("why it should hold"), evidence.get("rationale") or ""),
        (_("rows that refer to nothing (NULL)"), "" if nulls is None else cells.number(nulls)),
        (_("causes are not known because"), evidence.get("causes_unknown") or ""),
        (_("not looked at"), ", ".join(evidence.get("not_looked_at") or [])),
    ]


def _constraint(evidence: dict[str, Any]) -> str:
    if evidence.get("enforced"):
        return cells.badge("finished", _("declared and enforced"))
    if evidence.get("binds_new_rows"):
        return cells.badge("warning", _("declared, enforced for new rows only"))
    return cells.badge("warning", _("declared, not enforced") if evidence.get("declared") else _("none"))


def _parent(finding: models.Finding) -> str:
    if not finding.referenced_table:
        return ""
    table = _whole(finding.referenced_schema, finding.referenced_table)
    return cells.code(f"{table} ({', '.join(finding.referenced_columns)})")


def _seen(run: models.AuditRun) -> str:
    return format_html(
        "{}, {}", link(run, _("audit %(number)s") % {"number": run.pk}), cells.ago(run.started_at)
    )


def _whole(schema: str, table: str) -> str:
    return f"{schema}.{table}" if schema else table
