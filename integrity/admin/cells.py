"""How things look in a list: a word beside every colour, and numbers that can be read."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince
from django.utils.timezone import localtime, now
from django.utils.translation import gettext as _

_MARKS = {
    "error": "✕", "failed": "✕",
    "warning": "!", "interrupted": "!", "paused": "!", "cancelled": "!", "partly_rolled_back": "!",
    "info": "i", "planned": "…", "running": "…",
    "open": "●", "kept": "‖",
    "resolved": "✓", "finished": "✓", "applied": "✓",
    "rolled_back": "↶", "pending": "○", "unknown": "?",
    "passed": "✓", "noted": "!", "skipped": "?",
    "unreachable": "!", "damaged": "✕", "repairing": "…", "healthy": "✓",
    "broken": "✕", "unchecked": "?", "unenforced": "!", "new-rows": "!", "enforced": "✓",
}  # fmt: skip


def badge(value: Any, text: Any) -> str:
    """A state or severity: a mark, a word and a colour."""
    return format_html(
        '<span class="integrity-badge integrity-{}"><span aria-hidden="true">{}</span> {}</span>',
        str(value).replace("_", "-"),
        _MARKS.get(str(value), "•"),
        text,
    )


def number(value: int | None) -> str:
    """A number of rows as people write it."""
    return "–" if value is None else format_html('<span class="integrity-number">{}</span>', grouped(value))


def counted(value: int | None, unit: Any) -> str:
    """The same in a list; where there is no room for headings, with what is counted."""
    return format_html('{} <span class="integrity-unit">{}</span>', number(value), unit)


def grouped(value: int) -> str:
    """A number with its thousands apart, whatever the site's settings say."""
    return number_format(value, use_l10n=True, force_grouping=True)


def trend(rows: int, before: int | None) -> str:
    """How a number moved since the look before: an arrow, a number and a word."""
    if before is None:
        return badge("info", _("new"))
    if rows == before:
        return format_html('<span class="quiet">{}</span>', _("unchanged"))
    moved = grouped(abs(rows - before))
    if rows > before:
        arrow, word, said = "▲", "worse", _("%(number)s more")
    else:
        arrow, word, said = "▼", "better", _("%(number)s fewer")
    return format_html(
        '<span class="integrity-{}"><span aria-hidden="true">{}</span> {}</span>',
        word,
        arrow,
        said % {"number": moved},
    )


def code(text: str) -> str:
    """A name of something in a database."""
    return format_html("<code>{}</code>", text) if text else "–"


def linked(url: str, text: Any) -> str:
    """What leads somewhere."""
    return format_html('<a href="{}">{}</a>', url, text)


def two_lines(first: Any, second: Any) -> str:
    """What matters, and below it what belongs to it."""
    return format_html('{}<br><span class="quiet">{}</span>', first, second) if second else first


def ago(moment: datetime | None) -> str:
    """How long ago something was, with the moment itself for whoever looks closer."""
    if moment is None:
        return "–"
    exact = date_format(localtime(moment), "DATETIME_FORMAT")
    just_now = now() - moment < timedelta(minutes=1)
    text = _("just now") if just_now else _("%(time)s ago") % {"time": timesince(moment, depth=1)}
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, text)


def day(moment: str) -> str:
    """The day of a moment that is written as ISO 8601, as people write it; anything else as it is."""
    try:
        return date_format(date.fromisoformat(moment[:10]), "DATE_FORMAT")
    except ValueError:
        return moment


def lines(texts: list[str]) -> str:
    """One below the other."""
    return format_html_join("", "<div>{}</div>", ((text,) for text in texts)) or "–"


def facts(pairs: list[tuple[Any, Any]]) -> str:
    """A small table of names and numbers."""
    rows = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", pairs)
    return format_html('<table class="integrity-facts">{}</table>', rows) if pairs else "–"
