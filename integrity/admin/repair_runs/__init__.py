"""Repairs and rollbacks: what each did, what of it stands, and the proof."""

from integrity.admin.repair_runs.pages import RepairRunAdmin

__all__ = ["RepairRunAdmin"]
