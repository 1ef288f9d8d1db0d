"""Rows as a file that a spreadsheet opens: streamed, bounded, and never a formula of somebody else's."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain, islice
from typing import Any

from django.db import DatabaseError
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import conf
from integrity.exceptions import ReferentialIntegrityError

_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection"), full-width forms too."""

_CHUNK = 500
_BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads UTF-8 as something else."""


def csv_file(
    parts: Sequence[object],
    header: Sequence[object],
    rows: Iterable[Sequence[Any]],
    *,
    most: int | None = None,
) -> StreamingHttpResponse:
    """Returns a download of rows, which are read while it is sent.

    The first row is read at once, so that what keeps it from being read is raised here and can be shown as
    a page. What goes wrong later ends the file with a line that says so: the answer has begun by then.

    Args:
        parts: what the file is called by: the target, the reference …; the date comes last.
        header: the names of the columns, already translated.
        rows: an iterator that reads them page by page; each page a short reading of its own.
        most: how many rows at most (default: the setting ``CSV_ROWS``).

    Raises:
        ReferentialIntegrityError: when the first row cannot be read.
    """
    rest = iter(rows)
    first = list(islice(rest, 1))
    bound = conf.csv_rows() if most is None else most
    chunks = _chunks(_lines(header, chain(first, rest), bound))
    response = StreamingHttpResponse(chunks, content_type="text/csv; charset=utf-8")
    name = file_name(parts)
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def file_name(parts: Sequence[object]) -> str:
    """``shop-orders.customer_id-2026-11-21.csv``: nothing in it that a file system would mind."""
    words = [re.sub(r"[^\w.]+", "_", str(part)).strip("_.")[:80] for part in parts]
    return "-".join([*filter(None, words), timezone.localdate().isoformat()]) + ".csv"


def cell(value: Any) -> Any:
    """A value as a file has it; text that would be a formula is marked as text with an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return (timezone.localtime(value) if timezone.is_aware(value) else value).isoformat(" ", "seconds")
    if isinstance(value, (int, float, date)):
        return value
    text = bytes(value).hex() if isinstance(value, (bytes, bytearray, memoryview)) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


def _lines(header: Sequence[object], rows: Iterator[Sequence[Any]], most: int) -> Iterator[Sequence[Any]]:
    yield [cell(str(name)) for name in header]
    try:
        for row in islice(rows, most):
            yield [cell(value) for value in row]
        if next(rows, None) is not None:
            said = ngettext(
                "The file ends here, after %(rows)s row: there are more.",
                "The file ends here, after %(rows)s rows: there are more.",
                most,
            )
            yield [said % {"rows": most}]
    except (ReferentialIntegrityError, DatabaseError) as error:
        yield [_("The file is not complete. %(error)s") % {"error": str(error).strip()}]


class _Echo:
    """What csv writes to: it gives back the line."""

    def write(self, line: str) -> str:
        """Keeps nothing."""
        return line


def _chunks(lines: Iterator[Sequence[Any]]) -> Iterator[bytes]:
    writer = csv.writer(_Echo())
    texts: Iterator[str] = (writer.writerow(line) for line in lines)
    start = _BYTE_ORDER_MARK
    while written := list(islice(texts, _CHUNK)):
        yield (start + "".join(written)).encode("utf-8", "backslashreplace")
        start = ""
