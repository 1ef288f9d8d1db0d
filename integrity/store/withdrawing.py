"""What was decided is withdrawn: its findings wait for a decision again, and their history keeps both."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.db.models import F

from integrity import models
from integrity.plans.steps import KeyTexts
from integrity.store.decisions import store_decision
from integrity.store.site import site_database
from integrity.store.standing import Scope, Standing, standing_of


def withdraw_decision(finding: models.Finding, made: int, *, actor: str = "", reason: str = "") -> bool:
    """Withdraws one decision about a finding, with whatever of its keys or rows is left to it.

    What was decided before it does not come back: somebody decides anew.

    Args:
        finding: what it is about.
        made: the number of the decision.
        actor: who withdraws it.
        reason: why.

    Returns:
        False where it does not stand any more; nothing was stored then.
    """
    return bool(_withdrawn(finding, only=made, actor=actor, reason=reason))


def withdraw_decisions(
    finding: models.Finding,
    *,
    keys: Collection[KeyTexts] = (),
    rows: Collection[KeyTexts] = (),
    actor: str = "",
    reason: str = "",
) -> int:
    """Withdraws all that stands decided about a finding, or about some of its keys and rows.

    Args:
        finding: what it is about.
        keys: missing keys, or shared values, as text.
        rows: primary keys of rows, as text (no keys and no rows: all that was decided about the finding).
        actor: who withdraws it.
        reason: why.

    Returns:
        How many decisions stood, of those only a part perhaps.
    """
    return _withdrawn(finding, keys=keys, rows=rows, actor=actor, reason=reason)


def _withdrawn(
    finding: models.Finding,
    *,
    only: int | None = None,
    keys: Collection[KeyTexts] = (),
    rows: Collection[KeyTexts] = (),
    actor: str,
    reason: str,
) -> int:
    with site_database(atomic=True):
        models.Finding.objects.filter(pk=finding.pk).update(decided=F("decided"))  # others wait here
        standing = _scopes(finding, set(keys), set(rows))
        ended = [scope for made, *scope in standing if only is None or made.pk == only]
        for its_keys, its_rows in ended:
            store_decision(
                [finding], models.Decision.WITHDRAW, keys=its_keys, rows=its_rows, actor=actor, reason=reason
            )
    return len(ended)


def _scopes(finding: models.Finding, keys: set[KeyTexts], rows: set[KeyTexts]) -> Iterator[Scope]:
    """What stands decided about a finding; where keys or rows are named, that of it which is about these."""
    standing = standing_of(finding)
    for made, its_keys, its_rows in standing.scopes() if standing else ():
        if not keys and not rows:
            yield made, its_keys, its_rows
            continue
        some_keys = tuple(key for key in its_keys if key in keys)
        some_rows = tuple(row for row in its_rows if row in rows)
        if some_keys or some_rows:
            yield made, some_keys, some_rows


def stands(standing: Standing | None) -> set[int]:
    """Returns the numbers of the decisions that stand."""
    return {int(made.pk) for made, _, _ in standing.scopes()} if standing else set()
