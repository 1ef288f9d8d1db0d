"""What checks and errors say, without values of rows for whoever may not see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from integrity.admin.base import told

__all__ = ["checked", "told"]


def checked(request: HttpRequest, check: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a check as this user may read it."""
    return {**check, **{name: told(request, str(check.get(name) or "")) for name in ("message", "hint")}}
