"""Where the migrations of all targets stand, at once: asked together, in a bounded time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from integrity import store
from integrity.exceptions import ReferentialIntegrityError
from integrity.operations.catalog_migrations import catalog_package, migrations_of, phase_of
from integrity.operations.environments import left_out
from integrity.tasks.overview import NO_ANSWER
from integrity.tasks.probing import Looked, known_aliases, looks

PHASES = (1, 2, 3)


@dataclass
class PhaseCount:
    """How many migrations of a phase a target has and has not; ``failed`` are those of either that failed
    when they were last tried."""

    applied: int = 0
    pending: int = 0
    failed: int = 0


@dataclass
class TargetMigrations:
    """Where the migrations of one target stand.

    ``error`` says why it did not answer, ``problem`` what is wrong with its catalog. ``unknown`` are recorded
    in it, and their files are gone. ``next_phase`` is the first in which something is pending.
    """

    alias: str
    error: str = ""
    problem: str = ""
    phases: Mapping[int, PhaseCount] = field(default_factory=lambda: {each: PhaseCount() for each in PHASES})
    unknown: list[str] = field(default_factory=list)
    left_out: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    known: int = 0

    @property
    def next_phase(self) -> int | None:
        """The first phase in which something is pending."""
        return next((phase for phase, count in self.phases.items() if count.pending), None)

    @property
    def pending(self) -> int:
        """How many are pending in all."""
        return sum(each.pending for each in self.phases.values())

    @property
    def applied(self) -> int:
        """How many are applied in all."""
        return sum(each.applied for each in self.phases.values())


def migrations_of_all(only: Collection[str] = ()) -> list[TargetMigrations]:
    """Returns where each target stands, by its own ledger and its catalog's files, in the order of aliases.

    Args:
        only: these targets alone (default: all).
    """
    aliases = sorted(alias for alias in known_aliases() if not only or alias in only)
    failed, found = store.failed_migrations(), looks.look(aliases)
    return [_of(alias, found.get(alias), failed.get(alias, {})) for alias in aliases]


def _of(alias: str, looked: Looked | None, failed: Mapping[str, str]) -> TargetMigrations:
    looked = looked or Looked(alias, False, error=NO_ANSWER)
    stands = TargetMigrations(alias, error="" if looked.reachable else looked.error or NO_ANSWER)
    try:
        phases = {each.name: phase_of(each) for each in migrations_of(alias)}
        elsewhere = set(left_out(catalog_package(alias).folder)) - set(looked.applied or ())
    except ReferentialIntegrityError as error:
        stands.problem = str(error)
        return stands
    stands.known, stands.left_out = len(phases), len(elsewhere & set(phases))
    stands.failed = {name: text for name, text in failed.items() if name in phases}
    if looked.reachable:
        _count(stands, {name: each for name, each in phases.items() if name not in elsewhere}, looked)
    return stands


def _count(stands: TargetMigrations, phases: Mapping[str, int], looked: Looked) -> None:
    applied = looked.applied or ()
    for name, phase in phases.items():
        count = stands.phases[min(max(phase, PHASES[0]), PHASES[-1])]
        if name in applied:
            count.applied += 1
        else:
            count.pending += 1
        count.failed += name in stands.failed
    stands.unknown = [name for name in applied if name not in phases]
