"""What checks and errors say, without values of rows for whoever may not see them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from integrity.admin.base import may

_NAMED = re.compile(r"(stands? in [\d,]+ rows): .*", re.DOTALL)
"""Duplicates name their values behind their number."""

_DETAIL = re.compile(r"^DETAIL:.*$", re.MULTILINE)
"""PostgreSQL names the row that it refused."""


def told(request: HttpRequest, text: str) -> str:
    """Returns a text as this user may read it."""
    if not text or may(request, "view_sample_rows"):
        return text
    return _DETAIL.sub("", _NAMED.sub(r"\1 …", text)).strip()


def checked(request: HttpRequest, check: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a check as this user may read it."""
    return {**check, "message": told(request, str(check["message"]))}
