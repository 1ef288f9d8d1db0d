"""Functions, triggers and views that are the users' own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from integrity.database.routines import Examined, Routine
from integrity.database.session import Session


class Routines(ABC):
    """What runs in a target by itself."""

    @abstractmethod
    def routines(self, session: Session) -> list[Routine]:
        """Functions, triggers and views that are nobody's but the users', in a fixed number of queries."""

    @abstractmethod
    def function_names(self, session: Session) -> frozenset[str]:
        """The names, in small letters, of every function that can be called, whoever brought it."""

    @abstractmethod
    def examine_routines(
        self, session: Session, known: Sequence[Routine], chosen: Sequence[Routine]
    ) -> Examined:
        """Which of the routines ``chosen`` refer to what is gone; nothing is run. ``known`` are all."""

    @abstractmethod
    def routine_differs(self, session: Session, routine: Routine, create: str) -> bool:
        """Whether a routine is another one than a CREATE statement would make.

        Raises:
            NotCheckable: where that cannot be known.
        """

    @abstractmethod
    def replacing(self, create: str) -> str:
        """A CREATE statement that takes the place of what stands, where there is such a thing."""
