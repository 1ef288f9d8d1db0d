"""Values are read as another type as Python would read them, on both engines, whatever they are."""

import re
import sqlite3
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from integrity.database.conversions import Conversion
from integrity.database.postgresql.conversions import PostgreSQLConversion
from integrity.database.sqlite.conversions import SQLiteConversion
from tests.servers import EmptyTarget

quickly = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
    database=None,
)
Found = tuple[bool, Any, bool]
"""Whether a value can be read, how, and whether it is spelled otherwise."""

SPACE = st.sampled_from(["", " ", "\t", "\n", "\r ", "\u00a0"])
NUMBERS = st.one_of(
    st.integers(-(2**64), 2**64), st.sampled_from([2**63, 2**63 - 1, -(2**63), -(2**63) - 1, 2**31, 2**15])
)
WRITTEN_NUMBERS = st.builds(
    lambda left, sign, zeros, number, right: f"{left}{sign}{'0' * zeros}{number}{right}",
    SPACE, st.sampled_from(["", "", "+", "-", "+-"]), st.integers(0, 40), NUMBERS, SPACE,
)  # fmt: skip
WRITTEN_UUIDS = st.builds(
    lambda left, value, how, right: left + how(str(value)) + right,
    SPACE,
    st.uuids(),
    st.sampled_from(
        [str, str.upper, str.title, "{{{}}}".format, "urn:uuid:{}".format, lambda each: each.replace("-", ""),
         lambda each: each[:-1], "({})".format]
    ),
    SPACE,
)  # fmt: skip
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
VALUES = st.lists(st.one_of(TEXTS, WRITTEN_NUMBERS, WRITTEN_UUIDS, st.none()), min_size=1, max_size=40)


def as_whole(text: str, bits: int = 64) -> Found:
    match = re.fullmatch(r"[ \t\n\r]*([+-]?[0-9]+)[ \t\n\r]*", text, re.ASCII)
    number = int(match[1]) if match else 2**bits
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        return False, None, False
    return True, number, str(number) != text


def as_uuid(text: str) -> Found:
    folded = text.strip(" \t\n\r")
    folded = "".join(each.lower() if each.isascii() else each for each in folded)
    bare = re.sub(r"[{}()-]", "", folded.replace("urn:uuid:", ""))
    if not (32 <= len(folded) <= 47 and re.fullmatch("[0-9a-f]{32}", bare)):
        return False, None, False
    return True, str(uuid.UUID(bare)), str(uuid.UUID(bare)) != text


def asked(target: EmptyTarget, conversion: Conversion, kind: str, values: Sequence[Any]) -> list[Found]:
    """What an engine says of values."""
    said = (
        f"SELECT {conversion.possible()}, CASE WHEN {conversion.possible()} THEN {conversion.value()} END, "
        f"CASE WHEN {conversion.possible()} THEN {conversion.respelled()} ELSE 1 = 0 END FROM t ORDER BY n"
    )
    if target.vendor == "sqlite":
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute(f"CREATE TABLE t (n INTEGER PRIMARY KEY, v {kind})")
            connection.executemany("INSERT INTO t VALUES (?, ?)", list(enumerate(values)))
            return [(bool(can), value, bool(other)) for can, value, other in connection.execute(said)]
    with psycopg.connect(target.url) as server:
        cursor = server.cursor()
        cursor.execute(f"CREATE TEMP TABLE t (n integer PRIMARY KEY, v {kind})")
        cursor.executemany(f"INSERT INTO t VALUES (%s, %s::{kind})", list(enumerate(values)))
        found = cursor.execute(said.encode()).fetchall()
        server.rollback()
    return [
        (bool(can), str(value) if isinstance(value, uuid.UUID) else value, bool(other))
        for can, value, other in found
    ]


def conversion(target: EmptyTarget, written: str, to: str) -> Conversion:
    return (SQLiteConversion if target.vendor == "sqlite" else PostgreSQLConversion)("v", written, to)


@pytest.mark.newest_postgres_only
@pytest.mark.parametrize(("to", "oracle"), [("bigint", as_whole), ("uuid", as_uuid)])
@quickly
@given(values=VALUES)
@example(values=["-0", "+0", "0x1F", "7e3", "1_000", "٣", "", " ", "--1", "1-", "+", None])
def test_text_is_read_as_python_reads_it(
    empty_target: EmptyTarget, to: str, oracle: Callable[[str], Found], values: list[str | None]
) -> None:
    there = [each for each in values if each is not None]
    found = asked(empty_target, conversion(empty_target, "text", to), "text", there)
    expected = [oracle(each) for each in there]
    assert found == expected


@pytest.mark.newest_postgres_only
@quickly
@given(numbers=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30))
def test_numbers_become_their_decimal_text(empty_target: EmptyTarget, numbers: list[int]) -> None:
    found = asked(empty_target, conversion(empty_target, "bigint", "text"), "bigint", numbers)
    assert found == [(True, str(each), False) for each in numbers]


@pytest.mark.engine("sqlite")
@quickly
@given(uuids=st.lists(st.uuids(), min_size=1, max_size=20))
def test_bytes_of_uuids_become_their_text_and_are_kept(
    empty_target: EmptyTarget, uuids: list[uuid.UUID]
) -> None:
    found = asked(
        empty_target, conversion(empty_target, "BLOB", "TEXT"), "BLOB", [each.bytes for each in uuids]
    )
    assert found == [(True, str(each), True) for each in uuids]
