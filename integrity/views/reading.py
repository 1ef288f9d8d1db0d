"""Health for load balancers, status and statistics for people who watch."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase

from integrity import tasks
from integrity.tasks.probing import known_aliases
from integrity.views.access import Refused, reader
from integrity.views.answering import answer, answering, problem

READS = ("GET", "HEAD")


@answering(*READS)
def health(request: HttpRequest) -> HttpResponseBase:
    """Whether the site's own database answers: 200, else 503; and the targets that are asked for.

    Everybody learns as much; what else there is to say only whoever may read the status.
    """
    only = request.GET.getlist("target")
    asked = bool(set(only) & set(known_aliases()))
    try:
        reader(request)
    except Refused:
        if request.headers.get("Authorization"):
            raise
        if only:
            raise
        return _briefly()
    if only and not asked:
        return _unknown(only)
    found = tasks.health(only)
    down = found["status"] == "down" or (only and found["status"] != "ok")
    return answer(found, 503 if down else 200)


def _briefly() -> HttpResponseBase:
    down = bool(tasks.site_answers())
    return answer({"version": tasks.VERSION, "status": "down" if down else "ok"}, 503 if down else 200)


@answering(*READS)
def status(request: HttpRequest) -> HttpResponseBase:
    """Where each target stands."""
    reader(request)
    only = request.GET.getlist("target")
    return _unknown(only) if set(only) - set(known_aliases()) else answer(tasks.status(only))


@answering(*READS)
def stats(request: HttpRequest) -> HttpResponseBase:
    """Rows, sizes, uses of indexes and orphans of each target."""
    reader(request)
    only = request.GET.getlist("target")
    return _unknown(only) if set(only) - set(known_aliases()) else answer(tasks.stats(only))


def _unknown(only: list[str]) -> HttpResponseBase:
    known = sorted(known_aliases())
    return problem(404, f"There is no target {', '.join(only)}", hint=f"Known are: {', '.join(known)}.")
