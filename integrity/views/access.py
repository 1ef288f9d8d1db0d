"""Who may: a program that sends a token, or somebody who is logged in and has the permission."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext as _

from integrity import conf


class Refused(Exception):
    """Why a request is not answered, with its status: 401 for nobody, 403 for somebody who may not."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def reader(request: HttpRequest) -> str:
    """Returns who reads.

    Raises:
        Refused: for whoever may not.
    """
    token = _bearer(request)
    if token is None:
        return _user(request, "read_metrics", _("read the state of all targets"))
    wanted = conf.metrics_token()
    if matches(token, [wanted] if wanted else []):
        return "token"
    name = _named(token, conf.migrate_tokens())
    if not name:
        raise nobody("METRICS_TOKEN")
    return f"token {name}"


def migrator(request: HttpRequest) -> str:
    """Returns who migrates: a token of its own, or a session with a CSRF token and the permission.

    Raises:
        Refused: for whoever may not.
    """
    token = _bearer(request)
    if token is not None:
        name = _named(token, conf.migrate_tokens())
        if not name:
            raise nobody("MIGRATE_TOKENS")
        return f"token {name}"
    who = _user(request, "apply_migrations", _("apply migrations"))
    if request.method not in ("GET", "HEAD") and (reason := _csrf_failure(request)):
        raise Refused(403, _("The CSRF token is missing or wrong: %(reason)s") % {"reason": reason})
    return who


def matches(token: str, wanted: Iterable[str]) -> bool:
    """Whether a token is one of those in the settings, itself or as ``sha256:`` and its digest; it is
    compared with each in the same time whatever it is."""
    digest = "sha256:" + hashlib.sha256(token.encode()).hexdigest()
    found = [
        hmac.compare_digest((digest if each.startswith("sha256:") else token).encode(), each.encode())
        for each in wanted
        if each
    ]
    return bool(token) and any(found)


def _named(token: str, tokens: Mapping[str, str]) -> str:
    return next((name for name, wanted in tokens.items() if matches(token, [wanted])), "")


def nobody(setting: str) -> Refused:
    """The refusal for whoever did not say who asks."""
    text = _("Send Authorization: Bearer with the token in %(setting)s, or log in to admin.")
    return Refused(401, text % {"setting": setting})


def _bearer(request: HttpRequest) -> str | None:
    """The token that was sent, None where none was; a wrong one is not made up for by a session."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _user(request: HttpRequest, permission: str, doing: str) -> str:
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        raise nobody("MIGRATE_TOKENS" if permission == "apply_migrations" else "METRICS_TOKEN")
    if user.is_active and user.is_staff and user.has_perm(f"integrity.{permission}"):
        return str(user.get_username())
    text = _("You may not %(doing)s: the permission integrity.%(permission)s is missing.")
    raise Refused(403, text % {"doing": doing, "permission": permission})


class _Csrf(CsrfViewMiddleware):
    """Django's own check, which says why instead of answering."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _csrf_failure(request: HttpRequest) -> str:
    check = _Csrf(lambda ignored: None)  # type: ignore[arg-type]
    check.process_request(request)
    return str(check.process_view(request, lambda *ignored: None, (), {}) or "")  # type: ignore[arg-type]
