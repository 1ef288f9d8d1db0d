"""Approvals, with whoever listens told of them."""

from __future__ import annotations

from integrity import models, signals, store


def ask_for_approval(alias: str, plan_hash: str, *, actor: store.Actor) -> models.Approval:
    """Asks for a second person's word on a stored plan; asked twice, it is one question.

    Args:
        alias: the target.
        plan_hash: of the plan.
        actor: who asks.

    Raises:
        PlanMismatch, ApprovalRefused: see :func:`integrity.store.ask_approval`.
    """
    found, new = store.ask_approval(alias, plan_hash, actor=actor)
    if new:
        signals.approval_asked.send_robust(models.Approval, target=alias, result=found)
    return found


def approve_plan(pk: int, *, actor: store.Actor, reason: str = "") -> models.Approval:
    """Gives one's word on a plan of somebody else.

    Args:
        pk: of what was asked for.
        actor: who approves.
        reason: what they say to it.

    Raises:
        ApprovalRefused: it is theirs, decided already, or too old.
    """
    return _told(store.approve(pk, actor=actor, reason=reason))


def refuse_plan(pk: int, *, actor: store.Actor, reason: str = "") -> models.Approval:
    """Refuses it; see :func:`approve_plan`."""
    return _told(store.refuse(pk, actor=actor, reason=reason))


def _told(found: models.Approval) -> models.Approval:
    alias = found.plan.target.alias
    signals.approval_decided.send_robust(models.Approval, target=alias, result=found)
    return found
