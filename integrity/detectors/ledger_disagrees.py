"""Another tool's ledger that says something else than the schema, or than its scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from integrity.database.routines import RoutineKind
from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding, Severity
from integrity.exceptions import NotCheckable
from integrity.references.catalog import Catalog
from integrity.references.ledger_scripts import ledger_scripts
from integrity.references.ledgers import Ledger, LedgerKind, entries_of, own_ledger
from integrity.references.made_objects import MadeObject, ObjectKind

if TYPE_CHECKING:
    from integrity.scripts.ledger_comparison import ScriptStanding

NAMED = 5


class LedgerDisagrees(Detector):
    """A runner that believes a ledger which lies repeats what stands, or never makes what is missing."""

    code = "ledger_disagrees"

    def check_structure(self, inspection: Inspection) -> Iterator[Finding]:
        """One finding a script, or an entry that no script is about."""
        entry = inspection.catalog.ledger
        if inspection.narrowed or entry is None or entry.scripts is None:
            return
        ledger = own_ledger(inspection.schema, inspection.catalog)
        if ledger is not None:
            for standing in standings(inspection, ledger):
                yield from _findings(inspection, ledger, standing)


def standings(inspection: Inspection, ledger: Ledger) -> list[ScriptStanding]:
    """Returns where each script of the catalog's ledger stands in a target.

    Raises:
        NotCheckable: without the extra that reads scripts.
        CatalogError: when there is no folder of scripts.
    """
    try:
        from integrity.scripts.ledger_comparison import Compared, compare  # noqa: PLC0415
    except ImportError as error:
        raise NotCheckable(
            "Scripts are not read",
            where=str(ledger.table),
            hint='Install the extra: pip install "django-referential-integrity[scripts]".',
        ) from error
    catalog, session = inspection.catalog, inspection.session
    assert catalog.ledger is not None
    assert catalog.ledger.scripts is not None
    scripts = ledger_scripts(ledger.kind, catalog.ledger.scripts)
    functions = {
        each.name.name.lower()
        for each in session.engine.routines(session)
        if each.kind is RoutineKind.FUNCTION
    }
    ignored = set(removed_on_purpose(catalog))
    with_ = Compared(ledger, entries_of(session, ledger), inspection.schema, functions, ignored)
    return compare(scripts, with_)


def removed_on_purpose(catalog: Catalog) -> Iterator[MadeObject]:
    """Yields the columns that the catalog removes: that they are gone is no lie."""
    for each in catalog.columns:
        if each.remove:
            for name in each.column.columns:
                schema = (each.column.schema or "").lower()
                schema = "" if schema in ("public", "main") else schema
                yield MadeObject(ObjectKind.COLUMN, each.column.table.lower(), schema, name.lower())


def _findings(inspection: Inspection, ledger: Ledger, each: ScriptStanding) -> Iterator[Finding]:
    said = _said(ledger, each, inspection.session.target.alias)
    if said is not None:
        severity, message, suggestion = said
        yield Finding(
            code=LedgerDisagrees.code,
            severity=severity,
            table=ledger.table,
            columns=(),
            source="catalog",
            object=each.name,
            message=message,
            suggestion=suggestion,
            evidence={
                "standing": str(each.standing),
                "script": each.name if each.script else "",
                "entry": str(each.entry) if each.entry else "",
                "missing": [str(made) for made in each.missing],
            },
        )


def _said(ledger: Ledger, each: ScriptStanding, target: str) -> tuple[Severity, str, str] | None:
    """How bad it is, what is wrong, and what to do; None where nothing is."""
    table, name = ledger.table.name, each.name
    adopt = f"manage.py integrity_makemigrations {target} --adopt"
    gone = ", ".join(map(str, each.missing[:NAMED]))
    gone += f" and {len(each.missing) - NAMED:,} more" if len(each.missing) > NAMED else ""
    are = "is" if len(each.missing) == 1 else "are"
    skipped = ledger.kind is LedgerKind.DRIZZLE
    told = {
        "lies": (
            Severity.ERROR,
            f"{table} says that {name} was run, and {gone} {are} not there",
            f"{adopt} --again {name} runs it again; or take the entry out, or make what is missing",
        ),
        "unrecorded": (
            Severity.WARNING,
            f"What {name} makes is there, and {table} does not know it: its tool would run it again",
            f"{adopt} records it in both ledgers",
        ),
        "lost": (
            Severity.WARNING,
            f"{table} says that {name} was run, and there is no such script",
            "Bring the script back, or take the entry out when nobody needs it",
        ),
        "changed": (
            Severity.WARNING,
            f"{name} was changed since {table} says that it was run",
            "Bring its text back, and write what is new into a script of its own",
        ),
        "overtaken": (
            Severity.ERROR if skipped else Severity.WARNING,
            f"{name} was not run, though later ones were"
            + (": its tool never runs it" if skipped else ": its tool runs it after them"),
            f"{adopt} runs it in its turn",
        ),
        "absent": (
            Severity.ERROR,
            f"{name} is in the tool's list, and there is no such file",
            "Bring it back",
        ),
    }
    return told.get(str(each.standing))
