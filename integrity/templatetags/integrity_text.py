"""Numbers, words and values as the pages of this app write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.formats import number_format

from integrity.admin.advice import without_commands

register = template.Library()


@register.filter
def grouped(value: int) -> str:
    """A number with its thousands apart, whatever the site's settings say."""
    return number_format(value, use_l10n=True, force_grouping=True)


@register.filter
def words(value: Any) -> str:
    """``set_null`` as people write it."""
    return str(value).replace("_", " ")


@register.filter
def sql(value: Any) -> str:
    """A value as SQL would show it."""
    return "NULL" if value is None else repr(value)


@register.filter
def at(values: Sequence[Any], place: int) -> Any:
    """The value at a place of a list."""
    return values[place]


@register.filter
def plain(value: Any) -> str:
    """A value of a row as text that can be sent: bytes that are no UTF-8 are written out."""
    return str(value).encode("utf-8", "backslashreplace").decode()


@register.filter
def advice(text: str) -> str:
    """What an error advises, without the commands that it names."""
    return without_commands(str(text))
