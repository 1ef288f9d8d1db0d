"""A plan that somebody looked at is run once, however often that is asked for."""

from __future__ import annotations

from integrity import models, store
from integrity.exceptions import AskedTwice
from integrity.store.site import site_database
from integrity.tasks.background import start_job


def run_plan(
    alias: str, plan_hash: str, *, kind: models.RunKind, after: int | None = None, actor: store.Actor = ""
) -> models.Job:
    """Asks for a run of a stored plan, and returns at once.

    Args:
        alias: the target.
        plan_hash: the whole hash of the plan.
        kind: what the run is for.
        after: the job that ran the plan last, as whoever asks was shown (None: nobody).
        actor: who asks.

    Raises:
        AskedTwice: it was asked for meanwhile, perhaps by the same click; nothing was started.
    """
    arguments = {"plan": plan_hash, "kind": str(kind)}
    with site_database(atomic=True):
        job = start_job(alias, models.JobKind.REPAIR, arguments, actor=actor)
        if not store.claim_plan(alias, plan_hash, job, after=after):
            raise AskedTwice(
                f"Plan {plan_hash[:12]} was run since this was shown",
                where=alias,
                hint="Look at what came of it first.",
            )
    return job
