"""Middleware for sites whose own requests may break a constraint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

from integrity.metrics.watching import UNRESOLVED, begin, end, watch_connections


class ViolationMiddleware:
    """Counts requests, and constraints that they violate, by view; synchronous and asynchronous.

    It adds one call to each statement and looks at nothing but errors.
    """

    sync_capable: ClassVar[bool] = True
    async_capable: ClassVar[bool] = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)
        watch_connections()

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Watches one request."""
        if self.is_async:
            return self._watched_async(request)
        watch, token = begin()
        request.integrity_watch = watch  # type: ignore[attr-defined]
        try:
            return cast("HttpResponseBase", self.get_response(request))
        finally:
            end(watch, token, _view(request))

    async def _watched_async(self, request: HttpRequest) -> HttpResponseBase:
        watch, token = begin()
        request.integrity_watch = watch  # type: ignore[attr-defined]
        try:
            return cast("HttpResponseBase", await self.get_response(request))
        finally:
            end(watch, token, _view(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """What the view did not handle; others may still make a page of it."""
        watch = getattr(request, "integrity_watch", None)
        if watch is not None:
            watch.failure = exception


def _view(request: HttpRequest) -> str:
    """The name of a view, else where it is defined: there are as many as a URLconf has."""
    match = request.resolver_match
    return (match.view_name or match._func_path) if match else UNRESOLVED
