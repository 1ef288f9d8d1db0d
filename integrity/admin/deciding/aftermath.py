"""How things stand after a plan was run: what keeps new orphans from coming, and what stays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from integrity import models
from integrity.admin.deciding.running import About
from integrity.admin.serving import reverse
from integrity.database.schema import Action
from integrity.plans import Plan, Step
from integrity.references.reference import written

MOST_REFERENCES = 5


@dataclass(frozen=True)
class After:
    """What can be said of a reference, and where to go on."""

    reference: str
    sentences: tuple[str, ...]
    url: str = ""
    leads: str = ""


def afterwards(plan: Plan, about: About) -> list[After]:
    """What the constraint of each reference will do, for the first of them."""
    steps = {step.label: step for step in plan.orphan_steps if step.change}
    found = [_after(step, about.get(label, [])) for label, step in list(steps.items())[:MOST_REFERENCES]]
    return [each for each in found if each.sentences]


def _after(step: Step, findings: Iterable[models.Finding]) -> After:
    finding = next(iter(findings), None)
    if finding is None:
        return After(step.label, ())
    enforced, binds = finding.evidence.get("enforced"), finding.evidence.get("binds_new_rows")
    sentences = [_standing(finding.evidence)]
    if enforced or binds:
        sentences += _acting(step)
    if enforced:
        return After(str(step.reference), tuple(sentences))
    if finding.evidence.get("declared"):
        leads, code = _("What it still needs"), "unvalidated_foreign_key"
    else:
        leads, code = _("Missing foreign keys"), "missing_foreign_key"
    return After(str(step.reference), tuple(sentences), _fixes(finding, code), leads)


def _standing(evidence: dict[str, Any]) -> str:
    if evidence.get("enforced"):
        return _("A foreign key stands and lets no new orphan in.")
    if evidence.get("binds_new_rows"):
        return _("A foreign key stands for new rows; once no orphan is left, it can be made to hold for all.")
    if evidence.get("declared"):
        return _("A foreign key is declared, but not enforced: new orphans can come at any time.")
    return _("No foreign key stands: new orphans can come at any time. A schema fix makes one.")


def _acting(step: Step) -> list[str]:
    facts = {"table": written(step.table), "parent": written(step.reference.referenced_table)}
    said = {
        Action.CASCADE: _("Deleting a row of %(parent)s deletes the rows of %(table)s that refer to it."),
        Action.SET_NULL: _("Deleting a row of %(parent)s sets what refers to it in %(table)s to NULL."),
        Action.SET_DEFAULT: _("Deleting a row of %(parent)s sets what refers to it to the default."),
    }
    forbids = _("A row of %(parent)s cannot be deleted while rows of %(table)s refer to it.")
    return [said.get(step.reference.on_delete, forbids) % facts]


def _fixes(finding: models.Finding, code: str) -> str:
    url = reverse("admin:integrity_finding_changelist")
    return f"{url}?target__id__exact={finding.target_id}&code={code}"
