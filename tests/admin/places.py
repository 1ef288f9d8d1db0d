"""Where the pages of a shop are that was worked on: each of them, with something on it."""

from typing import Any

from django.urls import reverse

from integrity import models
from tests.admin.conftest import Shop

LISTS = (
    "target", "orphanfinding", "finding", "auditrun", "repairrun", "job", "migrationrun", "storedplan",
    "approval", "resolution", "backup",
)  # fmt: skip


def addresses(shop: Shop) -> dict[str, str]:
    """Every page that there is, with something on it."""
    finding, run, job = shop.finding(), models.RepairRun.objects.get(), models.Job.objects.get()
    chosen, target = f"?_selected_action={finding.pk}", finding.target_id
    plan = models.StoredPlan.objects.earliest("pk")
    named: dict[str, tuple[str, list[Any]]] = {
        "overview": ("app_list", ["integrity"]),
        "target": ("integrity_target_change", [target]),
        "finding of orphans": ("integrity_orphanfinding_change", [finding.pk]),
        "finding of a key": (
            "integrity_finding_change",
            [models.Finding.objects.filter(code="missing_index").earliest("pk").pk],
        ),
        "rows": ("integrity_orphanfinding_rows", [finding.pk]),
        "missing keys": ("integrity_orphanfinding_keys", [finding.pk]),
        "plan": ("integrity_orphanfinding_plan", [shop.alias, plan.hash]),
        "job": ("integrity_job_change", [job.pk]),
        "an audit": ("integrity_auditrun_change", [models.AuditRun.objects.latest("pk").pk]),
        "a decision": ("integrity_resolution_change", [models.Resolution.objects.latest("pk").pk]),
        "repair": ("integrity_repairrun_change", [run.pk]),
        "rollback": ("integrity_repairrun_roll_back", [run.pk]),
        "quarantine": ("integrity_quarantine", []),
        "all migrations": ("integrity_migrations", []),
        "migrations": ("integrity_target_migrations", [target]),
        "a migration": ("integrity_target_migration", [target, "0001_indexes"]),
        "schema fixes": ("integrity_schema_fixes", [shop.alias]),
    }
    found = {name: reverse(f"admin:{place}", args=args) for name, (place, args) in named.items()}
    found |= {f"list of {name}": reverse(f"admin:integrity_{name}_changelist") for name in LISTS}
    found["phase 1"] = found["migrations"] + "?phase=1"
    found["restoring"] = reverse("admin:integrity_quarantine_restore") + f"?target=shop&run={run.number}"
    for decision in ("delete", "set_null", "reassign", "keep", "relink", "restore_parent"):
        found[decision] = reverse("admin:integrity_orphanfinding_decide", args=[decision]) + chosen
    return found
