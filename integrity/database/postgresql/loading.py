"""What PostgreSQL can hold and Python cannot is read as PostgreSQL writes it.

``infinity``, years before 1 and after 9999, 24:00 and the longest intervals have no Python value, and the
driver would fail on the whole row. Numbers that are none (``NaN``, ``Infinity``) have one, but it is unlike
itself, is not JSON, and no SQL. As text all of them compare with themselves, can be stored, and are taken
back where they came from: what has no type yet takes that of its column.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import DataError
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.datetime import (
    DateLoader,
    IntervalLoader,
    TimeLoader,
    TimestampLoader,
    TimestamptzLoader,
    TimetzLoader,
)
from psycopg.types.numeric import FloatLoader, NumericLoader

_NO_NUMBERS = (b"NaN", b"Infinity", b"-Infinity")


def _text(data: Buffer) -> str:
    return bytes(data).decode()


class _OrText(Loader):
    """Loads values of the type that it is mixed with, as text where Python has none."""

    def load(self, data: Buffer) -> Any:
        try:
            return super().load(data)  # type: ignore[safe-super]
        except (DataError, ValueError, OverflowError):
            return _text(data)


class _NumberOrText(Loader):
    """Loads numbers, as text where they are none."""

    def load(self, data: Buffer) -> Any:
        return _text(data) if bytes(data) in _NO_NUMBERS else super().load(data)  # type: ignore[safe-super]


class _Date(_OrText, DateLoader):
    pass


class _Time(_OrText, TimeLoader):
    pass


class _TimeWithZone(_OrText, TimetzLoader):
    pass


class _Timestamp(_OrText, TimestampLoader):
    pass


class _Interval(_OrText, IntervalLoader):
    pass


class _Numeric(_NumberOrText, NumericLoader):
    pass


class _Float(_NumberOrText, FloatLoader):
    pass


def _moment_or_text(zone: tzinfo | None) -> type[Loader]:
    """Loads moments in the time zone of a connection; Django looks for it in the class."""

    class MomentOrText(TimestamptzLoader):
        timezone = zone

        def load(self, data: Buffer) -> Any:
            try:
                moment: datetime = super().load(data)
                return moment.astimezone(zone) if zone else moment.replace(tzinfo=None)
            except (DataError, ValueError, OverflowError):
                return _text(data)

    return MomentOrText


_LOADERS: dict[str, type[Loader]] = {
    "date": _Date,
    "time": _Time,
    "timetz": _TimeWithZone,
    "timestamp": _Timestamp,
    "interval": _Interval,
    "numeric": _Numeric,
    "float4": _Float,
    "float8": _Float,
}


def read_all_values(connection: BaseDatabaseWrapper) -> None:
    """Lets an open connection of ours read every value; nobody else's is touched."""
    adapters = connection.connection.adapters
    for name, loader in _LOADERS.items():
        adapters.register_loader(name, loader)
    adapters.register_loader("timestamptz", _moment_or_text(connection.timezone))
