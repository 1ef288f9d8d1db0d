"""What all JSON pages share: never kept, never within a transaction, errors as JSON too."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from integrity.exceptions import ReferentialIntegrityError
from integrity.references.masking import without_values
from integrity.views.access import Refused

View = Callable[..., HttpResponseBase]


def answering(*methods: str) -> Callable[[View], View]:
    """Makes a page of a view that answers these methods; who may is its own affair, CSRF included."""

    def page(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method not in methods:
                response = problem(405, f"Send {' or '.join(methods)}.")
                response.headers["Allow"] = ", ".join(methods)
                return response
            try:
                return view(request, *args, **kwargs)
            except Refused as refused:
                return _refusal(refused)
            except ReferentialIntegrityError as error:
                return told(503, error)

        kept: View = login_not_required(transaction.non_atomic_requests(never_cache(csrf_exempt(answered))))
        return kept

    return page


def answer(data: dict[str, Any], status: int = 200) -> JsonResponse:
    """Returns a document, its errors without values of rows: programs pass them on to wherever they like."""
    return JsonResponse(_without_values(data), status=status, json_dumps_params={"ensure_ascii": False})


def problem(status: int, what: str, **more: Any) -> JsonResponse:
    """Returns an error: what is wrong, where, and what to do next."""
    return answer({"error": {"what": what} | more}, status)


def told(status: int, error: ReferentialIntegrityError, **more: Any) -> JsonResponse:
    """Returns one of our errors."""
    return problem(status, error.what, where=error.where, hint=error.hint, **more)


def _without_values(data: Any, name: str = "") -> Any:
    if isinstance(data, dict):
        return {each: _without_values(value, str(each)) for each, value in data.items()}
    if isinstance(data, list | tuple):
        return [_without_values(each, name) for each in data]
    return without_values(data) if isinstance(data, str) and name in _SAYING else data


_SAYING = ("error", "what", "hint", "message")
"""Under these names stand texts that can name values."""


def _refusal(refused: Refused) -> JsonResponse:
    response = problem(refused.status, refused.text)
    if refused.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="integrity"'
    return response
