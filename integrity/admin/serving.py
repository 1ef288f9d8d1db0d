"""Which admin site serves the page at hand: every link of a page stays within it.

Django finds ``admin:…`` in the default site unless it is told which one is meant. Functions that make links
are far from the request, and one that forgot to pass the site on would lead people out of it. So the site
is set where a page is entered, and read where an address is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

from django import urls as django_urls
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

View = Callable[..., HttpResponse]

_site: ContextVar[str | None] = ContextVar("integrity_admin_site", default=None)
"""The name of the site; None where no page of ours is served: the default one is meant."""


def reverse(name: str, **how: Any) -> str:
    """Returns an address as Django's ``reverse`` does, in the admin site that serves this page.

    Raises:
        NoReverseMatch: this site has no such page.
    """
    return django_urls.reverse(name, current_app=_site.get(), **how)


@contextmanager
def served_by(request: HttpRequest) -> Iterator[None]:
    """Within, addresses are those of the site to which a request came."""
    match = request.resolver_match
    before = _site.get()
    _site.set(getattr(request, "current_app", None) or (match.namespace if match else None))
    try:
        yield
    finally:
        _site.set(before)


class ServedAdmin(ModelAdmin):
    """Pages whose links stay within their site, whichever view, list or cell makes them."""

    @property
    def urls(self) -> list[django_urls.URLPattern]:
        """The addresses of Django and of ours, each of which says whose it is."""
        patterns = self.get_urls()
        for each in patterns:
            each.callback = _served(self.admin_site.name, each.callback)
        return patterns


def _served(site: str, view: View) -> View:
    """A view, and what is rendered after it, for one site."""

    @wraps(view)
    def served(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        before = _site.get()

        def left(_response: HttpResponse | None = None) -> None:
            _site.set(before)

        _site.set(site)
        try:
            response = view(request, *args, **kwargs)
        except BaseException:
            left()
            raise
        if isinstance(response, SimpleTemplateResponse):
            response.add_post_render_callback(left)  # called at once where it is rendered
        else:
            left()
        return response

    return served
