"""The page of a backup: what it holds, whether it is there, and what would be lost by going back to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from integrity import models
from integrity.admin import cells
from integrity.admin.base import may
from integrity.admin.overview import addresses
from integrity.admin.records.page import Column, Record, Table, Tile, Way, moment
from integrity.admin.repair_runs.telling import in_short

RUNS_AT_MOST = 20


def backup_record(request: HttpRequest, backup: models.Backup) -> Record:
    """What the page of a backup says."""
    newer = models.Backup.objects.filter(target=backup.target_id, pk__gt=backup.pk).order_by("-pk").first()
    newest = cells.badge("finished", _("the newest")) if newer is None else cells.badge("info", _("older"))
    return Record(
        title=_("Backup of %(target)s") % {"target": backup.target},
        target=backup.target,
        badge=newest,
        sentences=tuple(_sentences(backup)),
        near=tuple(_near(newer)),
        ways=tuple(_ways(request, backup, newer)),
        tiles=tuple(_tiles(backup)),
        tables=tuple(_tables(request, backup)),
        facts=((_("File"), cells.code(backup.file)), (_("Taken by"), backup.actor or "–")),
    )


def _sentences(backup: models.Backup) -> Iterator[str]:
    yield _("It holds all of %(target)s as it was when it was taken.") % {"target": backup.target}
    yield (
        _("pg_restore puts it back: it is in the custom format of pg_dump.")
        if backup.target.vendor == "postgresql"
        else _(
            "It is a whole database: put in the place of the target's file while nobody uses it, it is back."
        )
    )
    yield _("What a repair took out comes back without it: roll the repair back.")


def _near(newer: models.Backup | None) -> Iterator[Way]:
    if newer is not None:
        yield Way(_("The newest backup"), addresses.page("backup", newer.pk))


def _ways(request: HttpRequest, backup: models.Backup, newer: models.Backup | None) -> Iterator[Way]:
    if newer is None and may(request, "audit_target"):
        yield Way(_("Take another now"), addresses.start(backup.target, "backup"), posts=True)


def _tiles(backup: models.Backup) -> Iterator[Tile]:
    yield Tile(_("Taken"), cells.ago(backup.taken_at), moment(backup.taken_at), small=True)
    yield Tile(_("Size"), filesizeformat(backup.size), small=True)
    there, said = _seen(backup)
    yield Tile(_("File"), there, said, small=True)


def _seen(backup: models.Backup) -> tuple[str, str]:
    """Whether the file is where it was put, as far as this server can tell."""
    file = Path(backup.file)
    try:
        size = file.stat().st_size if file.is_file() else None
    except OSError:
        size = None
    if size is None:
        said = _("It was moved, or is on the host of whoever took it.")
        return cells.badge("unknown", _("not seen from here")), said
    if size != backup.size:
        return cells.badge("warning", _("changed")), _("It has another size than when it was taken.")
    return cells.badge("finished", _("there")), ""


def _tables(request: HttpRequest, backup: models.Backup) -> Iterator[Table]:
    if not may(request, "view_repairrun"):
        return
    since = models.RepairRun.objects.filter(target=backup.target_id, started_at__gte=backup.taken_at)
    rows = [_run(each) for each in since.select_related("target").order_by("-number")[:RUNS_AT_MOST]]
    columns = (Column(_("Run")), Column(_("State")), Column(_("What it did")), Column(_("When")))
    empty = _("Nothing was repaired since. Whatever applications wrote since is not in it either.")
    yield Table(_("Repairs since, which are not in it"), columns, rows, empty)


def _run(run: models.RepairRun) -> tuple[Any, ...]:
    named = cells.linked(addresses.page("repairrun", run.pk), run)
    state = cells.badge(run.state, run.get_state_display())
    return cells.two_lines(named, run.get_kind_display()), state, in_short(run), cells.ago(run.started_at)
