"""A CSV file holds what was asked for, says where it ends, and runs nothing in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from integrity.admin.csv_files import csv_file, file_name
from integrity.exceptions import TargetUnreachable


def lines(rows: Iterable[Sequence[Any]], **how: Any) -> list[list[str]]:
    response = csv_file(["shop"], ["a", "b"], rows, **how)
    text = b"".join(response).decode("utf-8-sig")  # type: ignore[arg-type]
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "－1", "=cmd|' /C calc'!A0"],
)
def test_text_is_never_a_formula(text: str) -> None:
    assert lines([(text, "x")])[1] == [f"'{text}", "x"]


def test_numbers_and_moments_stay_what_they_are(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    moment = datetime(2026, 3, 3, 12, tzinfo=UTC)
    rows = [(-5, -1.5), (None, True), (moment, b"\x00\xff"), ('quote " and, comma', "naïve\udcff")]

    assert lines(rows)[1:] == [
        ["-5", "-1.5"], ["", "true"], ["2026-03-03 13:00:00+01:00", "00ff"],
        ['quote " and, comma', "naïve\\udcff"],
    ]  # fmt: skip


def test_a_file_that_ends_early_says_so(settings: Any) -> None:
    settings.INTEGRITY = {"CSV_ROWS": 2}
    assert lines(iter([(1, 2)] * 2))[1:] == [["1", "2"]] * 2
    assert lines(iter([(1, 2)] * 3))[3:] == [["The file ends here, after 2 rows: there are more."]]


def broken(after: int) -> Iterator[tuple[int, int]]:
    yield from [(1, 2)] * after
    raise TargetUnreachable("The connection was lost", where="shop")


def test_what_fails_before_the_first_row_is_no_file_and_later_its_last_line() -> None:
    with pytest.raises(TargetUnreachable):
        csv_file(["shop"], ["a"], broken(0))
    assert lines(broken(1))[-1] == ["The file is not complete. The connection was lost (shop)."]


def test_a_file_is_named_by_what_is_in_it() -> None:
    assert file_name(["shop", 'Odd "x"/../y.z', ""]).startswith("shop-Odd_x_.._y.z-20")
    assert csv_file(["shop"], [], [])["Content-Disposition"].startswith('attachment; filename="shop-20')
