"""The references of a target as a picture, and the same as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models
from integrity.admin import cells
from integrity.admin.base import may
from integrity.admin.overview import addresses
from integrity.admin.overview.relations import Hold, Relation, Relations, tables_of, to_draw
from integrity.admin.pictures.graph import Edge, Node, available, graph
from integrity.database.identifiers import TableName
from integrity.references.reference import written
from integrity.store.reference_maps import ALL_ROWS, NEW_ROWS, NOT_ENFORCED

MOST_LISTED = 300


@dataclass(frozen=True)
class Line:
    """A reference as the table shows it."""

    label: str
    to_label: str
    badge: str
    rows: str
    constraint: str
    url: str


def shown(request: HttpRequest, target: models.Target, relations: Relations) -> dict[str, Any]:
    """Returns what the page shows of a target's references to this user."""
    drawn, whole = to_draw(relations.all)
    return {
        "picture": _picture(request, target, drawn),
        "drawable": available(),
        "drawn_tables": len(tables_of(drawn)),
        "whole": whole and not relations.left_out,
        "legend": [
            (hold, _named(hold), cells.grouped(number)) for hold, number in relations.counted().items()
        ],
        "lines": [_line(request, relations, each) for each in relations.all[:MOST_LISTED]],
        "unlisted": max(0, len(relations.all) - MOST_LISTED) + relations.left_out,
        "run": relations.run,
        "seen": cells.ago(relations.run.started_at) if relations.run else "",
        "tables": len(relations.tables),
        "references": len(relations.all) + relations.left_out,
    }


def _named(hold: Hold) -> str:
    return {
        Hold.BROKEN: _("✕ broken, with its orphans"),
        Hold.KEPT: _("‖ broken, its orphans kept by decision"),
        Hold.UNCHECKED: _("? not checked"),
        Hold.UNENFORCED: _("holds, but nothing enforces it"),
        Hold.NEW_ROWS: _("holds, enforced for new rows only"),
        Hold.ENFORCED: _("enforced"),
    }[hold]


def _in_a_word(hold: Hold) -> str:
    return {
        Hold.BROKEN: _("broken"),
        Hold.KEPT: _("kept"),
        Hold.UNCHECKED: _("not checked"),
        Hold.UNENFORCED: _("not enforced"),
        Hold.NEW_ROWS: _("for new rows"),
        Hold.ENFORCED: _("enforced"),
    }[hold]


def _picture(request: HttpRequest, target: models.Target, drawn: list[Relation]) -> str:
    tables = tables_of(drawn)
    nodes = [_node(request, target, table, drawn) for table in tables]
    edges = [_edge(request, each, tables) for each in drawn]
    broken = sum(each.hold is Hold.BROKEN for each in drawn)
    described = _("%(references)s references between %(tables)s tables, %(broken)s of them broken.") % {
        "references": len(drawn), "tables": len(tables), "broken": broken,
    }  # fmt: skip
    return graph(nodes, edges, title=_("How the tables hang together"), description=described)


def _node(request: HttpRequest, target: models.Target, table: TableName, drawn: list[Relation]) -> Node:
    name = written(table)
    mine = [each for each in drawn if each.reference.table == table]
    broken = sum(each.rows for each in mine if each.hold is Hold.BROKEN)
    kept = sum(each.rows for each in mine if each.hold is Hold.KEPT)
    if broken:
        said, kind = _orphans(broken), "broken"
        url = addresses.orphans(target, table)
    elif kept:
        said = ngettext("%(n)s orphan kept", "%(n)s orphans kept", kept) % {"n": cells.grouped(kept)}
        kind, url = "kept", addresses.orphans(target, table, state__exact=models.FindingState.KEPT)
    else:
        said, kind, url = "", "", addresses.findings(target, table)
    needed = "view_orphanfinding" if said else "view_finding"
    title = _("%(table)s: %(said)s") % {"table": name, "said": said or _("no orphans")}
    return Node((name, said) if said else (name,), title, kind, url if may(request, needed) else "")


def _orphans(rows: int) -> str:
    return ngettext("%(n)s orphan", "%(n)s orphans", rows) % {"n": cells.grouped(rows)}


def _edge(request: HttpRequest, relation: Relation, tables: list[TableName]) -> Edge:
    reference = relation.reference
    mark = {
        Hold.BROKEN: f"✕ {cells.grouped(relation.rows)}",
        Hold.KEPT: f"‖ {cells.grouped(relation.rows)}",
        Hold.UNCHECKED: "?",
    }.get(relation.hold, "")
    said = _in_a_word(relation.hold)
    if relation.rows:
        said = _("%(said)s, %(orphans)s") % {"said": said, "orphans": _orphans(relation.rows)}
    title = f"{reference.label} → {reference.to_label}: {said}"
    places = tables.index(reference.table), tables.index(reference.to)
    return Edge(*places, title, str(relation.hold), mark, _url(request, relation))


def _url(request: HttpRequest, relation: Relation) -> str:
    kind = "orphanfinding" if relation.about_orphans else "finding"
    if relation.finding is None or not may(request, f"view_{kind}"):
        return ""
    return addresses.page(kind, relation.finding)


def _line(request: HttpRequest, relations: Relations, relation: Relation) -> Line:
    reference = relation.reference
    constraint = {
        ALL_ROWS: _("enforced"),
        NEW_ROWS: _("for new rows"),
        NOT_ENFORCED: _("there, but not enforced"),
    }.get(reference.constraint, _("none") if relations.run else "–")
    return Line(
        label=reference.label,
        to_label=reference.to_label,
        badge=cells.badge(relation.hold, _in_a_word(relation.hold)),
        rows=cells.grouped(relation.rows) if relation.rows else "",
        constraint=constraint,
        url=_url(request, relation),
    )
