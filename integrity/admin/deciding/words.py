"""What happens to rows, and why a number is not exact, in words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from integrity.plans import Change
from integrity.plans.plan import Doubt

WORDS = {
    Change.DELETE: gettext_lazy("deleted"),
    Change.SET_NULL: gettext_lazy("set to NULL"),
    Change.SET_DEFAULT: gettext_lazy("set to the default"),
    Change.REASSIGN: gettext_lazy("reassigned"),
    Change.RELINK: gettext_lazy("relinked"),
    Change.RESTRICT: gettext_lazy("in the way"),
    Change.INSERT: gettext_lazy("inserted"),
    Change.RENAME: gettext_lazy("renamed"),
    Change.REPOINT: gettext_lazy("repointed"),
    Change.FILL: gettext_lazy("filled"),
}
"""What happens to a row, in a word."""


DOUBTS = {
    Doubt.MANY: gettext_lazy("more rows hang together than are looked at beforehand"),
    Doubt.REFERRED: gettext_lazy("others refer to a value that would change, and those rows stay"),
    Doubt.CHECKED: gettext_lazy("a CHECK of the table speaks of a column that changes"),
    Doubt.DEFAULT: gettext_lazy("a default may refer to a row that goes, or repeat a value that is unique"),
    Doubt.EARLIER: gettext_lazy("an earlier step changes what it refers to"),
    Doubt.RELATED: gettext_lazy("others refer to these rows by the name of another table they belong to"),
    Doubt.TRIGGERS: gettext_lazy("triggers of the target act"),
    Doubt.BEFORE: gettext_lazy("this plan is older than the count of rows that stay; make it anew to see it"),
}
"""Why a number is at most what will happen."""
