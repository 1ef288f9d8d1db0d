"""The page of a measurement: which queries got slower, and what each of them took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models
from integrity.admin import cells
from integrity.admin.base import may, told
from integrity.admin.overview import addresses
from integrity.admin.records.page import SHOWN_AT_MOST, Column, Record, Table, Tile, Way, moment
from integrity.verification.comparing import shown_ms


def measurement_record(request: HttpRequest, run: models.QueryRun) -> Record:
    """What the page of a measurement says."""
    timings = list(run.timings.defer("plan", "values").order_by("-regressed", "-ratio", "pk")[:SHOWN_AT_MOST])
    slower = sum(each.regressed for each in timings)
    failed = sum(bool(each.error) for each in timings)
    newer = models.QueryRun.objects.filter(target=run.target_id, pk__gt=run.pk).order_by("-pk").first()
    return Record(
        title=str(run),
        target=run.target,
        badge=_badge(run, slower),
        sentences=tuple(_sentences(run, timings, slower, failed)),
        near=tuple(_near(run, newer)),
        ways=tuple(_ways(request, run)),
        tiles=tuple(_tiles(run, timings, slower)),
        tables=tuple(_tables(request, timings)),
        facts=tuple(_facts(run)),
    )


def _badge(run: models.QueryRun, slower: int) -> str:
    if slower:
        return cells.badge("failed", _("slower"))
    return cells.badge("finished", _("none slower")) if run.baseline_id else cells.badge("info", _("first"))


def _sentences(
    run: models.QueryRun, timings: Sequence[models.QueryTiming], slower: int, failed: int
) -> Iterator[str]:
    text = ngettext(
        "%(n)s query was measured (%(when)s).", "%(n)s queries were measured (%(when)s).", len(timings)
    )
    yield text % {"n": cells.grouped(len(timings)), "when": run.get_occasion_display()}
    if failed:
        text = ngettext("%(n)s of them could not be.", "%(n)s of them could not be.", failed)
        yield text % {"n": cells.grouped(failed)}
    if run.baseline is None:
        yield _("There was nothing to compare with: later measurements are compared with this one.")
    elif slower:
        text = ngettext(
            "%(n)s is slower than in measurement %(before)s.",
            "%(n)s are slower than in measurement %(before)s.",
            slower,
        )
        yield text % {"n": cells.grouped(slower), "before": run.baseline.pk}
    else:
        yield _("None is slower than in measurement %(before)s.") % {"before": run.baseline.pk}


def _near(run: models.QueryRun, newer: models.QueryRun | None) -> Iterator[Way]:
    if run.baseline is not None:
        text = _("Compared with measurement %(n)s") % {"n": run.baseline.pk}
        yield Way(text, addresses.page("queryrun", run.baseline.pk))
    if newer is not None:
        text = _("The newest measurement: %(n)s") % {"n": newer.pk}
        yield Way(text, addresses.page("queryrun", newer.pk))


def _ways(request: HttpRequest, run: models.QueryRun) -> Iterator[Way]:
    if may(request, "view_target"):
        yield Way(_("Migrations of the target"), addresses.migrations(run.target))


def _tiles(run: models.QueryRun, timings: Sequence[models.QueryTiming], slower: int) -> Iterator[Tile]:
    yield Tile(_("Slower"), cells.grouped(slower), bad=bool(slower))
    yield Tile(_("Queries"), cells.grouped(len(timings)))
    without = sum(bool(each.index) and not each.indexed for each in timings)
    if without:
        yield Tile(_("Without the index that they should use"), cells.grouped(without), bad=True)
    yield Tile(_("Took"), f"{run.seconds:.1f} s", small=True)
    yield Tile(_("Yardstick"), shown_ms(run.yardstick_ms), _("a query that reads no table"), small=True)


def _tables(request: HttpRequest, timings: Sequence[models.QueryTiming]) -> Iterator[Table]:
    if not may(request, "view_querytiming"):
        return
    columns = (
        Column(_("Query")),
        Column(_("Verdict")),
        Column(_("To the baseline"), numbers=True),
        Column("p50", numbers=True),
        Column("p95", numbers=True),
        Column("p99", numbers=True),
        Column(_("Work"), numbers=True),
        Column(_("Runs"), numbers=True),
    )
    empty = _("The catalog names no query.")
    yield Table(
        _("Queries, the slower ones first"), columns, [_timing(request, each) for each in timings], empty
    )


def _timing(request: HttpRequest, each: models.QueryTiming) -> tuple[Any, ...]:
    return (
        cells.two_lines(cells.code(each.name), each.access),
        _verdict(request, each),
        "–" if each.ratio is None else f"× {each.ratio:.2f}",
        shown_ms(each.p50_ms),
        shown_ms(each.p95_ms),
        shown_ms(each.p99_ms),
        _work(each),
        cells.grouped(len(each.times_ms)),
    )


def _verdict(request: HttpRequest, each: models.QueryTiming) -> str:
    if each.error:
        stopped = _("stopped by the time limit") if each.timed_out else _("not measured")
        return cells.two_lines(cells.badge("skipped", stopped), told(request, each.error))
    if each.regressed:
        return cells.two_lines(cells.badge("failed", _("slower")), each.reason)
    return each.reason or "–"


def _work(each: models.QueryTiming) -> str:
    """Pages on PostgreSQL, machine steps on SQLite."""
    if each.pages is not None:
        return _("%(number)s pages") % {"number": cells.grouped(round(each.pages))}
    return _("%(number)s steps") % {"number": cells.grouped(round(each.steps))} if each.steps else "–"


def _facts(run: models.QueryRun) -> Iterator[tuple[str, Any]]:
    yield _("Measured"), moment(run.measured_at)
    yield _("By"), run.actor or "–"
    if run.server_version:
        yield _("Server version"), run.server_version
    if run.schema_fingerprint:
        yield _("Structure"), cells.code(run.schema_fingerprint[:12])
    applied = cells.code(run.migrations[-1]) if run.migrations else _("none")
    yield _("Last migration applied"), applied
