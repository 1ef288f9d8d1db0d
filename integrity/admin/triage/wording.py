"""What is wrong and why, in plain words: sentences that somebody who writes no SQL understands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrity import models
from integrity.admin.cells import day, grouped

Evidence = Mapping[str, Any]

CAUSES: Mapping[str, str | Promise] = {
    "format_mismatch": gettext_lazy("another spelling"),
    "sentinel": gettext_lazy("a value for “nothing”"),
    "another_owner": gettext_lazy("another owner"),
    "archived_parent": gettext_lazy("archived elsewhere"),
    "parent_deleted": gettext_lazy("deleted"),
    "import": gettext_lazy("an import"),
    "before_constraint": gettext_lazy("before a constraint"),
    "unexplained": gettext_lazy("unexplained"),
}
"""What explains orphans, in a word or two."""

CONFIDENCE: Mapping[str, str | Promise] = {
    "certain": gettext_lazy("certain"),
    "likely": gettext_lazy("likely"),
    "possible": gettext_lazy("possible"),
}

_PLURAL = re.compile(r"^[a-z][a-z0-9_]*[^\W\d_]s$")
_NO_PLURAL = ("ss", "us", "is", "news", "series")
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("s", ""))


def what_is_wrong(finding: models.Finding) -> str:
    """``17 orders refer to 9 customers that do not exist``; what else is wrong as the audit says it."""
    if finding.code != models.ORPHANED_ROWS:
        return finding.message
    if not finding.rows:
        names = {"table": finding.table_name, "parent": finding.referenced_table}
        return _("No row of %(table)s breaks its reference to %(parent)s any more") % names
    orphans = counted(finding.table_name, finding.rows)
    if not finding.missing_keys:
        said = ngettext("%(orphans)s breaks its reference", "%(orphans)s break their reference", finding.rows)
        return said % {"orphans": orphans}
    parents = ngettext(
        "%(parents)s that does not exist", "%(parents)s that do not exist", finding.missing_keys
    ) % {"parents": counted(finding.referenced_table, finding.missing_keys)}
    said = ngettext("%(orphans)s refers to %(parents)s", "%(orphans)s refer to %(parents)s", finding.rows)
    return said % {"orphans": orphans, "parents": parents}


def counted(table: str, rows: int) -> str:
    """``17 orders``; of a table whose name is no plain plural, ``17 rows of user_profile``."""
    if _PLURAL.match(table) and not table.endswith(_NO_PLURAL):
        things = (table if rows != 1 else _one(table)).replace("_", " ")
        return _("%(number)s %(things)s") % {"number": grouped(rows), "things": things}
    said = ngettext("%(number)s row of %(table)s", "%(number)s rows of %(table)s", rows)
    return said % {"number": grouped(rows), "table": table}


def _one(table: str) -> str:
    """The singular of a regular English plural, as table names are."""
    ending, instead = next(each for each in _ENDINGS if table.endswith(each[0]))
    return table.removesuffix(ending) + instead


# -- why -----------------------------------------------------------------------------------


def cause(kind: str) -> str:
    """What explains orphans, in a word or two; empty where nobody looked."""
    return str(CAUSES.get(kind, kind.replace("_", " ")))


def why(found: Mapping[str, Any]) -> str:
    """What is said of the rows that one cause explains."""
    evidence = found.get("evidence") or {}
    try:
        return str(_SENTENCES[found["kind"]](evidence))
    except (KeyError, TypeError, AttributeError):
        return str(capfirst(cause(str(found.get("kind", "")))))


def _spelling(evidence: Evidence) -> str:
    differences = ", ".join(evidence["differences"])
    return _("The same key exists in another spelling (%(differences)s).") % {"differences": differences}


def _sentinel(evidence: Evidence) -> str:
    values = ", ".join(f"“{value}”" for value in evidence["values"])
    return _("The value stands for “nothing” (%(values)s).") % {"values": values}


def _owner(evidence: Evidence) -> str:
    return _("What they refer to exists, but belongs to somebody else (%(columns)s differs).") % {
        "columns": ", ".join(evidence["differs"])
    }


def _archived(evidence: Evidence) -> str:
    return _("What they refer to stands in %(tables)s.") % {"tables": ", ".join(evidence["tables"])}


def _deleted(evidence: Evidence) -> str:
    inside, many = evidence["inside_range"], evidence["many_rows_per_key"]
    if inside and many:
        return _("What they refer to was probably deleted: keys once in use, and many rows share one.")
    if inside:
        return _("What they refer to was probably deleted: keys in the range once in use.")
    return _("What they refer to was probably deleted: many rows share one key.")


def _import(evidence: Evidence) -> str:
    between = {"first": day(evidence["first"]), "last": day(evidence["last"])}
    if between["first"] == between["last"]:
        return _("They were created together on %(first)s, as an import is.") % between
    return _("They were created together from %(first)s to %(last)s, as an import is.") % between


def _before(evidence: Evidence) -> str:
    if evidence["binds_new_rows"]:
        return _("They are from before the foreign key, which binds new rows only.")
    last = {"last": day(evidence["last"])}
    if evidence["oldest_rows"]:
        return _("They are from before a constraint: nearly all rows until %(last)s are orphans.") % last
    return _("They are possibly from before a constraint: none was created after %(last)s.") % last


_SENTENCES: Mapping[str, Callable[[Evidence], str]] = {
    "format_mismatch": _spelling,
    "sentinel": _sentinel,
    "another_owner": _owner,
    "archived_parent": _archived,
    "parent_deleted": _deleted,
    "import": _import,
    "before_constraint": _before,
    "unexplained": lambda evidence: _("Nothing that is known explains them."),
}


def created(evidence: Evidence) -> tuple[str, ...]:
    """When the orphans were created, and whether more come: sentences, none where nothing says."""
    when = evidence.get("created") or {}
    if not when.get("first"):
        return ()
    between = {"first": day(when["first"]), "last": day(when["last"])}
    if between["first"] == between["last"]:
        said = _("All were created on %(first)s.") % between
    else:
        said = _("They were created from %(first)s to %(last)s.") % between
    return said, _("More keep coming.") if when.get("still_growing") else _("None has come lately.")
