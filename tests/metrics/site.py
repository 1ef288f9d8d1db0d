"""A site whose views break constraints: some go on, some do not."""

from typing import Any

from django.db import IntegrityError, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from integrity import models


def fine(request: HttpRequest) -> HttpResponse:
    """Break nothing."""
    return HttpResponse("fine")


def breaks(request: HttpRequest) -> HttpResponse:
    """Break a unique, and with it the request."""
    models.Target.objects.create(alias="twice")
    return HttpResponse("never")


def raises_another(request: HttpRequest) -> HttpResponse:
    """Make another error of it, as service layers do."""
    try:
        return breaks(request)
    except IntegrityError as error:
        raise RuntimeError("the shop is closed") from error


def handles(request: HttpRequest) -> HttpResponse:
    """Break a unique, and go on."""
    try:
        with transaction.atomic():
            models.Target.objects.create(alias="twice")
    except IntegrityError:
        return HttpResponse("there already")
    return HttpResponse("made")


def lacks(request: HttpRequest) -> HttpResponse:
    """Leave out what must not be NULL."""
    models.Target.objects.filter(alias="twice").update(vendor=None)
    return HttpResponse("never")


async def breaks_async(request: HttpRequest) -> HttpResponse:
    """Break a unique from a view that runs in an event loop."""
    await models.Target.objects.acreate(alias="twice")
    return HttpResponse("never")


def orphans(request: HttpRequest) -> HttpResponse:
    """Write an orphan into a target, under a key that is checked at COMMIT."""
    try:
        with transaction.atomic(using="target"), connections["target"].cursor() as cursor:
            cursor.execute("INSERT INTO orders VALUES (9, 99)")
    except IntegrityError:
        return HttpResponse("no such customer")
    return HttpResponse("written")


def many(request: HttpRequest, number: int) -> HttpResponse:
    """Break as many constraints as asked, each with another name."""
    for each in range(number):
        try:
            with transaction.atomic(), connections["default"].cursor() as cursor:
                cursor.execute(
                    f"CREATE TEMP TABLE IF NOT EXISTS t{each} (a int CONSTRAINT c{each} CHECK (a > 0))"
                )
                cursor.execute(f"INSERT INTO t{each} VALUES (0)")
        except IntegrityError:
            continue
    return HttpResponse("done")


def failing(*args: Any) -> HttpResponse:
    """What a browser sees."""
    return HttpResponse("oh", status=500)


handler500 = failing
urlpatterns = [
    path("integrity/", include("integrity.urls")),
    path("fine/", fine, name="fine"),
    path("breaks/", breaks, name="breaks"),
    path("raises/", raises_another, name="raises"),
    path("handles/<int:number>/", lambda request, number: handles(request), name="handles"),
    path("lacks/", lacks),
    path("async/", breaks_async, name="async"),
    path("orphans/", orphans, name="orphans"),
    path("many/<int:number>/", many, name="many"),
]
