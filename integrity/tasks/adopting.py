"""Another tool's scripts become migrations, so that one ledger is left to believe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from integrity.database.session import Target
from integrity.detectors.base import Inspection
from integrity.detectors.ledger_disagrees import removed_on_purpose, standings
from integrity.exceptions import CatalogError
from integrity.operations.catalog_migrations import catalog_package, operations_of
from integrity.operations.run_script import RunScript, are, functions_of, listed
from integrity.operations.writer import WrittenFile, write_files
from integrity.references import Catalog, load_catalog
from integrity.references.ledgers import own_ledger
from integrity.references.made_objects import MadeObject, written_name

if TYPE_CHECKING:
    from integrity.scripts.checks.base import LiveTarget
    from integrity.scripts.ledger_comparison import ScriptStanding


@dataclass(frozen=True)
class AdoptedScript:
    """One script: where it stands in the target (``executed``, ``pending``, ``lies`` …), whether it is
    ``written`` as a migration, ``recorded`` by one without its statements, ``adopted`` already or
    ``refused``, and why."""

    script: str
    standing: str
    outcome: str
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """Returns it as plain values."""
        return {
            "script": self.script,
            "standing": self.standing,
            "outcome": self.outcome,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Adoption:
    """What became of each script, and the files that hold those that were adopted."""

    ledger: str
    scripts: list[AdoptedScript] = field(default_factory=list)
    files: list[WrittenFile] = field(default_factory=list)

    @property
    def refused(self) -> list[AdoptedScript]:
        """The scripts that were not adopted."""
        return [each for each in self.scripts if each.outcome == "refused"]


def adopt_scripts(
    alias: str, *, catalog_file: FilePath | None = None, again: Sequence[str] = (), dry_run: bool = False
) -> Adoption:
    """Writes the scripts of the catalog's ``[ledger]`` as migrations, one a script, in their order.

    What was run already becomes a migration, too: where its results stand it is only recorded, in both
    ledgers. An entry that lies is not adopted unless somebody says that it is to be run again.

    Args:
        alias: the target.
        catalog_file: a catalog lent for this run.
        again: scripts that are run although the ledger says that they were.
        dry_run: returns the files without writing them.

    Raises:
        CatalogError: the catalog names no ledger with scripts, its table is not there, or there is no
            script of a name in ``again``.
        NotCheckable: without the extra that reads scripts.
    """
    catalog = load_catalog(alias, catalog_file, required=True)
    named, found, live = _looked_at(alias, catalog)
    from integrity.operations.adoption import (  # noqa: PLC0415
        Adoptable,
        adoptable,
        adoption_files,
        only_recorded,
    )

    there = [each for each in found if each.script is not None and each.effects is not None]
    _refuse_unknown(again, [each.name for each in there], catalog)
    standing = [each.script for each in there if each.script and str(each.standing) in _DONE]
    judged = adoptable([each.script for each in there if each.script], catalog, live, standing)
    already = {each.name for _, each in operations_of(alias) if isinstance(each, RunScript)}
    rows, chosen = [], []
    for each, verdict in zip(there, judged, strict=True):
        refusal = "" if isinstance(verdict, Adoptable) else verdict.reason
        rows.append(_row(each, refusal, adopted=each.name in already, again=each.name in again))
        if isinstance(verdict, Adoptable) and rows[-1].outcome == "written":
            chosen.append(verdict)
        elif rows[-1].outcome == "recorded" and each.script is not None:
            chosen.append(only_recorded(each.script, _left_behind(each, catalog), refusal))
    rows += [_refused(each, "there is no such file") for each in found if each not in there]
    files = adoption_files(catalog_package(alias), named, chosen, again=again)
    return Adoption(named, rows, write_files(files, dry_run=dry_run))


def _looked_at(alias: str, catalog: Catalog) -> tuple[str, list[ScriptStanding], LiveTarget]:
    """The ledger as the catalog writes it, where each script stands, and the target as it is."""
    if catalog.ledger is None or catalog.ledger.scripts is None:
        raise CatalogError(
            "The catalog names no scripts",
            where=str(catalog.file),
            hint='Write [ledger] with table = "schema_migrations" and scripts = "…", the folder.',
        )
    named = written_name(*catalog.ledger.table.parts)
    with Target(alias).reading() as session:
        schema = session.schema()
        ledger = own_ledger(schema, catalog)
        if ledger is None:
            raise CatalogError(
                f"{alias} has no table {named}",
                where=f"{catalog.file}, [ledger]",
                hint="Without it nothing says what was run. Correct its name, or let the other tool make it.",
            )
        found = standings(Inspection(session, schema, catalog, ()), ledger)
        functions = functions_of(session)
    from integrity.scripts.checks.base import LiveTarget  # noqa: PLC0415

    known = None if functions is None else frozenset(functions)
    return named, found, LiveTarget(alias, schema.vendor, schema, known)


def _row(each: ScriptStanding, refusal: str, *, adopted: bool, again: bool) -> AdoptedScript:
    """What becomes of a script."""
    if adopted:
        return AdoptedScript(each.name, str(each.standing), "adopted")
    if refusal and each.effects is not None and each.effects.makes and each.standing in _STANDS:
        return AdoptedScript(each.name, str(each.standing), "recorded", refusal)
    if refusal:
        return _refused(each, refusal)
    if each.standing == "lies" and not again:
        gone = listed(each.missing)
        return _refused(
            each,
            f"its entry lies: {gone} {are(each.missing)} not there. --again {each.name} runs it again; "
            "or take the entry out, or make what is missing",
        )
    return AdoptedScript(each.name, str(each.standing), "written")


_STANDS = ("executed", "unrecorded")
_DONE = (*_STANDS, "changed")


def _left_behind(each: ScriptStanding, catalog: Catalog) -> list[MadeObject]:
    return each.effects.without(set(removed_on_purpose(catalog))) if each.effects else []


def _refused(each: ScriptStanding, reason: str) -> AdoptedScript:
    return AdoptedScript(each.name, str(each.standing), "refused", reason)


def _refuse_unknown(again: Sequence[str], names: Sequence[str], catalog: Catalog) -> None:
    for each in again:
        if each not in names:
            raise CatalogError(
                f"There is no script {each!r}",
                where=str(catalog.ledger.scripts if catalog.ledger else ""),
                hint=f"There are: {', '.join(names) or 'none'}.",
            )
