"""What a run did, in sentences."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models
from integrity.admin.cells import grouped
from integrity.database.identifiers import TableName
from integrity.references.reference import written

WORDS = ("deleted", "updated", "inserted", "restored", "refused")


def totals(run: models.RepairRun) -> dict[str, int]:
    """How many rows a run treated each way, in all tables."""
    return {word: sum(tally.get(word, 0) for tally in run.rows.values()) for word in WORDS}


def sentences(run: models.RepairRun) -> list[str]:
    """What a run did."""
    counted, state = totals(run), models.RunState(run.state)
    told = _rolled_back(run, counted) if run.kind == models.RunKind.ROLLBACK else _repaired(counted)
    if not told:
        going = state in (models.RunState.RUNNING, models.RunState.PLANNED)
        told = [_("No row was changed yet.") if going else _("No row was changed.")]
    if counted["refused"]:
        told.append(
            ngettext(
                "%(n)s row was refused and left as it was.",
                "%(n)s rows were refused and left as they were.",
                counted["refused"],
            )
            % {"n": grouped(counted["refused"])}
        )
    return told


def table_text(name: str) -> str:
    """A table, stored as schema and name, as commands and catalogs write it."""
    schema, _dot, table = name.partition(".")
    return written(TableName(schema, table)) if table else name


def in_short(run: models.RepairRun) -> str:
    """What a run did, for a list."""
    words = {
        "deleted": _("%(n)s deleted"),
        "updated": _("%(n)s updated"),
        "inserted": _("%(n)s made"),
        "restored": _("%(n)s restored"),
    }
    counted = totals(run)
    told = [text % {"n": grouped(counted[word])} for word, text in words.items() if counted[word]]
    return ", ".join(told) or "–"


def _repaired(counted: dict[str, int]) -> list[str]:
    told = []
    if rows := counted["deleted"]:
        text = ngettext(
            "%(n)s row was taken out, to the quarantine.",
            "%(n)s rows were taken out, to the quarantine.",
            rows,
        )
        told.append(text % {"n": grouped(rows)})
    if rows := counted["updated"]:
        text = ngettext(
            "%(n)s row was changed; what it was is in the quarantine.",
            "%(n)s rows were changed; what they were is in the quarantine.",
            rows,
        )
        told.append(text % {"n": grouped(rows)})
    if rows := counted["inserted"]:
        told.append(ngettext("%(n)s row was made.", "%(n)s rows were made.", rows) % {"n": grouped(rows)})
    return told


def _rolled_back(run: models.RepairRun, counted: dict[str, int]) -> list[str]:
    told = []
    if rows := counted["restored"]:
        text = ngettext("%(n)s row of run %(run)s came back.", "%(n)s rows of run %(run)s came back.", rows)
        told.append(text % {"n": grouped(rows), "run": run.of})
    if rows := counted["deleted"]:
        text = ngettext(
            "%(n)s row that run %(run)s made is gone again.",
            "%(n)s rows that run %(run)s made are gone again.",
            rows,
        )
        told.append(text % {"n": grouped(rows), "run": run.of})
    return told


def lasted(run: models.RepairRun | models.AuditRun) -> str:
    """How long a run took, in the unit in which people would say it."""
    if run.started_at is None or run.finished_at is None:
        return "–"
    took = max(run.finished_at - run.started_at, timedelta())
    seconds = took.total_seconds()
    if seconds < 1:
        return _("under 1 s")
    if seconds < 120:
        return _("%(n)s s") % {"n": grouped(round(seconds))}
    if seconds < 7_200:
        return _("%(n)s min") % {"n": grouped(round(seconds / 60))}
    return _("%(n)s h") % {"n": grouped(round(seconds / 3_600))}


def proof_of(run: models.RepairRun) -> dict[str, Any] | None:
    """What a rollback proved: whether all is well, statements, each table; None where it proved nothing."""
    if not run.proof:
        return None
    proof, tables = run.proof, sorted(run.proof.get("tables", {}).items())
    equal = [name for name, each in tables if each["table_equal"]]
    partial = bool(proof.get("partial"))
    whole = partial or len(equal) == len(tables)
    return {
        "well": bool(proof["rows_equal"] and proof["schema_equal"] and whole)
        and not proof.get("older_migrations"),
        "statements": [
            _rows_statement(run),
            _tables_statement(len(equal), len(tables), partial=partial),
            _schema_statement(proof),
        ],
        "differences": [*proof.get("schema_differences", []), *proof.get("older_differences", [])],
        "partial": partial,
        "tables": [
            (table_text(name), each.get("restored", 0), _state(each, partial=partial))
            for name, each in tables
        ],
    }


def _state(table: dict[str, Any], *, partial: bool) -> tuple[str, str]:
    if table["table_equal"]:
        return "passed", _("equal to before, every row")
    if partial:
        return "skipped", _("a part of the run still stands")
    return "noted", _("other rows changed since")


def _rows_statement(run: models.RepairRun) -> tuple[str, str]:
    restored = totals(run)["restored"]
    if run.proof and run.proof["rows_equal"]:
        text = ngettext(
            "The %(n)s restored row is exactly what it was, column by column.",
            "All %(n)s restored rows are exactly what they were, column by column.",
            restored,
        )
        return "passed", text % {"n": grouped(restored)}
    text = ngettext(
        "%(n)s row came back exactly as it was; others were refused: somebody changed them since.",
        "%(n)s rows came back exactly as they were; others were refused: somebody changed them since.",
        restored,
    )
    return "noted", text % {"n": grouped(restored)}


def _tables_statement(equal: int, tables: int, *, partial: bool) -> tuple[str, str]:
    if equal == tables:
        text = ngettext(
            "%(n)s table is equal by digest to what it was before the repair, untouched rows included.",
            "%(n)s tables are equal by digest to what they were before the repair, untouched rows included.",
            tables,
        )
        return "passed", text % {"n": grouped(tables)}
    if partial:
        text = _("A part of the run still stands, so that its tables cannot be what they were before it.")
        return "skipped", text
    text = _("%(n)s of %(all)s tables are equal by digest; in the others rows were changed since the repair.")
    return "noted", text % {"n": grouped(equal), "all": grouped(tables)}


def _schema_statement(proof: dict[str, Any]) -> tuple[str, str]:
    older = proof.get("older_migrations") or []
    if not proof["schema_equal"]:
        return "noted", _("The structure is not the same as before the repair.")
    if not older:
        return "passed", _("The structure is the same as before the repair.")
    text = ngettext(
        "The structure is the same as before the repair, but for an older migration that stood in the way of "
        "the rows and was reversed, too: %(names)s.",
        "The structure is the same as before the repair, but for %(n)s older migrations that stood in the "
        "way of the rows and were reversed, too: %(names)s.",
        len(older),
    )
    return "noted", text % {"n": grouped(len(older)), "names": ", ".join(older)}
