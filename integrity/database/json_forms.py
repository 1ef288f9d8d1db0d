"""What an engine must know of JSON in a column: its kinds, numbers and elements, and how it is made.

Everything is SQL without parameters, so that it may stand in a view as well as in a query; percent signs
are doubled, as in all SQL that is sent with parameters. Nothing here fails on a value: what cannot be
read is NULL, or of the kind ``invalid``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from integrity.database.identifiers import literal
from integrity.database.schema import Column


def text(value: str) -> str:
    """Returns a text as an SQL literal, percent signs doubled."""
    return literal(value).replace("%", "%%")


@dataclass(frozen=True)
class JsonForms(ABC):
    """JSON of one column. ``value`` is SQL for it, ``e`` the alias of an element of a list."""

    column: Column
    fence: ClassVar[str]
    """What stands at the end of a subquery that is computed once, before it is joined."""

    @abstractmethod
    def unsupported(self) -> str:
        """Why the column's JSON cannot be read, empty where it can."""

    @abstractmethod
    def kind(self, value: str) -> str:
        """SQL for ``null``, ``object``, ``list`` or ``invalid``."""

    @abstractmethod
    def number(self, value: str, key: str) -> str:
        """SQL for the whole number that an object has under ``key``, as a number or as text; else NULL."""

    @abstractmethod
    def elements(self, value: str, alias: str) -> str:
        """A FROM item with the elements of a list, none where ``value`` is no list."""

    @abstractmethod
    def place(self, alias: str) -> str:
        """SQL for what tells an element from the others of its list."""

    @abstractmethod
    def is_object(self, alias: str) -> str:
        """SQL that holds where an element is an object."""

    @abstractmethod
    def lists_objects(self, value: str) -> str:
        """SQL that holds where the first element of a list is an object, NULL where it is empty."""

    @abstractmethod
    def field(self, alias: str, key: str, column: Column) -> str:
        """SQL for what an object has under ``key``, or for an element that is none itself, as text that
        compares with :meth:`written`; NULL where there is nothing."""

    @abstractmethod
    def written(self, value: str, column: Column) -> str:
        """SQL for a value of a repeated column as text that compares with :meth:`field`."""

    @abstractmethod
    def bytewise(self, sql: str) -> str:
        """SQL for a text that compares byte by byte."""

    @abstractmethod
    def together(self, texts: Sequence[str]) -> str:
        """SQL for several texts as one that no other texts make."""

    @abstractmethod
    def same(self, left: str, right: str) -> str:
        """SQL that holds where two texts are the same, NULLs included."""

    @abstractmethod
    def counted(self, old: str, key: str, number: str) -> str:
        """SQL for ``{key: number}``, beside what the object ``old`` has otherwise."""

    @abstractmethod
    def count_only(self, key: str, number: str) -> str:
        """SQL for ``{key: number}``."""

    @abstractmethod
    def listed(self, source: str, parts: Sequence[tuple[str, str]], order: str, *, objects: bool) -> str:
        """SQL for a list of the rows of ``source`` (FROM and WHERE): objects of ``parts``, keys with their
        SQL, or the first of them alone; in the order of ``order``."""

    @abstractmethod
    def null(self) -> str:
        """SQL for no value, of the column's type."""
