"""What an exception says that a service caught: by its fields where there are any, else by its words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from integrity.exceptions import NotExplainable
from integrity.explaining.reported import ErrorKind, Reported
from integrity.explaining.wording import POSTGRESQL, read

_BY_CODE = {
    "23503": ErrorKind.FOREIGN_KEY,
    "23001": ErrorKind.STILL_REFERENCED,
    "23505": ErrorKind.DUPLICATE,
}
_PAIR = re.compile(r"\((?P<keys>.*?)\)=\((?P<values>.*)\)", re.DOTALL)


def read_exception(error: BaseException) -> Reported:
    """Returns what an exception says; ``unknown`` for one that is about another rule."""
    cause = error.__cause__ or error
    fields = getattr(cause, "diag", None)
    if fields is not None and fields.sqlstate:
        return _by_fields(fields)
    try:
        return read(str(error))
    except NotExplainable:
        return Reported(ErrorKind.UNKNOWN, message=str(error).strip())


def _by_fields(fields: Any) -> Reported:
    """Names and SQLSTATE come as fields (PostgreSQL manual, 55.8), in whatever language the server speaks."""
    primary, detail = fields.message_primary or "", fields.message_detail or ""
    constraint, schema, table = (
        str(name or "") for name in (fields.constraint_name, fields.schema_name, fields.table_name)
    )
    try:
        found = read(f"{primary}\nDETAIL:  {detail}")
        return replace(found, constraint=constraint, schema=schema, table=table or found.table)
    except NotExplainable:
        kind = _BY_CODE.get(fields.sqlstate, ErrorKind.UNKNOWN)
        pair = _PAIR.search(detail)
        keys, values = (pair["keys"], pair["values"]) if pair else ("", "")
        return Reported(kind, POSTGRESQL, primary, constraint, schema, table, keys=keys, values=values)
