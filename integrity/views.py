"""Pages outside of admin: the metrics, for a program that has a token or for staff with the permission."""

from __future__ import annotations

import hmac
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from integrity import conf
from integrity.metrics.counters import available

_TEXT = "text/plain; charset=utf-8"


@login_not_required
@transaction.non_atomic_requests
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All metrics as Prometheus reads them; 401 or 403 for everybody else."""
    refused = _refused(request)
    if refused is not None:
        return refused
    if not available():
        text = _("Install django-referential-integrity[metrics]: prometheus-client is missing.")
        return HttpResponse(text, status=501, content_type=_TEXT)
    from integrity.metrics.exposition import exposition  # noqa: PLC0415 - needs prometheus-client

    body, content_type = exposition(request.headers.get("Accept", ""))
    return HttpResponse(body, content_type=content_type)


def _refused(request: HttpRequest) -> HttpResponse | None:
    """A token is compared in the same time whatever it is; a wrong one is not made up for by a session."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        wanted = conf.metrics_token()
        right = bool(wanted) and hmac.compare_digest(token.strip().encode(), wanted.encode())
        return None if right else _unauthorized()
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return _unauthorized()
    if user.is_active and user.is_staff and user.has_perm("integrity.read_metrics"):
        return None
    text = _("You may not read the metrics: the permission integrity.read_metrics is missing.")
    return HttpResponse(text, status=403, content_type=_TEXT)


def _unauthorized() -> HttpResponse:
    text = _("Send Authorization: Bearer with the token in METRICS_TOKEN, or log in to admin.")
    response = HttpResponse(text, status=401, content_type=_TEXT)
    response.headers["WWW-Authenticate"] = 'Bearer realm="integrity"'
    return response
