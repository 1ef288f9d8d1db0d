"""The one word that says how a target is, and what follows from it."""

from __future__ import annotations

from enum import StrEnum

from django.db import connections
from django.utils.translation import gettext as _

from integrity import models
from integrity.admin import cells
from integrity.store.standings import Standing


class State(StrEnum):
    """How a target is, the worst first."""

    UNREACHABLE = "unreachable"
    DAMAGED = "damaged"
    REPAIRING = "repairing"
    UNKNOWN = "unknown"
    HEALTHY = "healthy"


_UNDER_WAY = (models.RunState.RUNNING, models.RunState.PAUSED)


def is_configured(target: models.Target) -> bool:
    """Whether it is still in the setting `DATABASES`."""
    return target.alias in connections.databases


def state_of(standing: Standing) -> State:
    """Returns how a target is; nothing is healthy that was not wholly looked at."""
    target = standing.target
    if target.reachable is False or not is_configured(target):
        return State.UNREACHABLE
    if is_being_changed(standing):
        return State.REPAIRING
    if target.errors_open or target.orphans_open:
        return State.DAMAGED
    if standing.changed or standing.last_whole is None or not standing.last_whole.complete:
        return State.UNKNOWN
    return State.HEALTHY


def is_being_changed(standing: Standing) -> bool:
    """Whether a repair, a rollback or migrations are under way."""
    return standing.changing or (standing.run is not None and standing.run.state in _UNDER_WAY)


def words(state: State) -> str:
    """What a state is called."""
    return {
        State.UNREACHABLE: _("unreachable"),
        State.DAMAGED: _("damaged"),
        State.REPAIRING: _("being repaired"),
        State.UNKNOWN: _("unknown"),
        State.HEALTHY: _("healthy"),
    }[state]


def badge(standing: Standing) -> str:
    """How a target is: a mark, a word and a colour."""
    state = state_of(standing)
    return cells.badge(state, words(state))


def worst_first(standings: list[Standing]) -> list[Standing]:
    """Sorts by how a target is, then by its orphans."""
    order = list(State)
    return sorted(
        standings,
        key=lambda each: (
            order.index(state_of(each)),
            -each.target.orphans_open,
            -each.target.errors_open,
            each.target.alias,
        ),
    )
