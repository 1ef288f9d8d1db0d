"""What the constraint of a reference does now, in a few words."""

from __future__ import annotations

from integrity.database.schema import ForeignKey


def constraint_state(key: ForeignKey | None) -> str:
    """Returns ``holds for every row``, ``binds new rows only``, ``is not enforced`` or ``is not there``."""
    if key is None:
        return "is not there"
    if not key.enforced:
        return "is not enforced"
    return "holds for every row" if key.validated else "binds new rows only"
