"""What a text field carries to be completed while somebody types: an address, and words of the page."""

from __future__ import annotations

from django.utils.translation import gettext as _


def autocomplete(url: str) -> dict[str, str]:
    """Returns what a text field carries so that autocomplete.js completes what is typed into it.

    Args:
        url: an address that answers ``?term=…`` with what can be chosen, as JSON.
    """
    return {
        "data-autocomplete-url": url,
        "data-autocomplete-none": _("No row is found by that."),
        "data-autocomplete-more": _("There are more: type on."),
        "data-autocomplete-one": _("One row is found; choose it with the arrow keys."),
        "data-autocomplete-many": _("%s rows are found; choose one with the arrow keys."),
        "data-autocomplete-failed": _("Rows cannot be looked up now. Type the key itself."),
    }
