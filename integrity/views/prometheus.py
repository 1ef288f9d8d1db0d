"""The metrics, as Prometheus reads them."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from integrity.metrics.counters import available
from integrity.views.access import Refused, reader

_TEXT = "text/plain; charset=utf-8"


@login_not_required
@transaction.non_atomic_requests
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All metrics as Prometheus reads them; 401 or 403 for everybody else."""
    try:
        reader(request)
    except Refused as refused:
        return _refusal(refused)
    if not available():
        text = _("Install django-referential-integrity[metrics]: prometheus-client is missing.")
        return HttpResponse(text, status=501, content_type=_TEXT)
    from integrity.metrics.exposition import exposition  # noqa: PLC0415 - needs prometheus-client

    body, content_type = exposition(request.headers.get("Accept", ""))
    return HttpResponse(body, content_type=content_type)


def _refusal(refused: Refused) -> HttpResponse:
    response = HttpResponse(refused.text, status=refused.status, content_type=_TEXT)
    if refused.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="integrity"'
    return response
