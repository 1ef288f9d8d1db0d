"""The scripts that another tool runs, in its order, each with what its ledger calls it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrity.exceptions import CatalogError
from integrity.references.ledgers import LedgerEntry, LedgerKind

_REVERSE = re.compile(r"[._-](down|undo|rollback|revert)$", re.IGNORECASE)
_NUMBER = re.compile(r"^[vV]?(\d+)")
_ENDINGS = (".down", "_down", ".undo", "_undo", ".rollback", "_rollback")


@dataclass(frozen=True)
class LedgerScript:
    """A script: ``key`` is its number, or for Drizzle the hash of its text; ``when`` is Drizzle's moment."""

    path: Path
    key: str
    when: str = ""

    @property
    def name(self) -> str:
        """Its file's name without the ending."""
        return self.path.stem

    @property
    def reverse(self) -> Path | None:
        """The script that takes it back: of its name, with ``.down`` or ``_down`` behind it."""
        files = [self.path.with_name(f"{self.name}{ending}.sql") for ending in _ENDINGS]
        return next(
            (file for file in (*files, self.path.parent / "down" / self.path.name) if file.is_file()), None
        )


def ledger_scripts(kind: LedgerKind, folder: Path) -> list[LedgerScript]:
    """Returns the scripts in a folder, in the order in which their tool runs them.

    Raises:
        CatalogError: when the folder, or Drizzle's journal in it, cannot be read.
    """
    if not folder.is_dir():
        raise CatalogError(
            "There is no folder of scripts",
            where=str(folder),
            hint="Correct scripts in the catalog's [ledger].",
        )
    if kind is LedgerKind.DRIZZLE:
        return _drizzle(folder)
    files = [each for each in folder.glob("*.sql") if not _REVERSE.search(each.stem)]
    return sorted((LedgerScript(each, _number(each.stem)) for each in files), key=_place)


def _number(name: str) -> str:
    found = _NUMBER.match(name)
    return str(int(found[1])) if found else ""


def _place(script: LedgerScript) -> tuple[int, str]:
    return (int(script.key) if script.key else 1 << 62, script.name)


def _drizzle(folder: Path) -> list[LedgerScript]:
    """In the order of ``meta/_journal.json``; the hash is the whole file's (``readMigrationFiles``)."""
    return [
        LedgerScript(file, drizzle_hash(file) if file.is_file() else "", str(entry.get("when", "")))
        for entry in drizzle_journal(folder)
        for file in [folder / f"{entry['tag']}.sql"]
    ]


def drizzle_hash(file: Path) -> str:
    """What Drizzle's ledger knows a script by."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def drizzle_journal(folder: Path) -> list[dict[str, Any]]:
    """Returns the entries of Drizzle's journal, in order.

    Raises:
        CatalogError: when it cannot be read.
    """
    file = folder / "meta" / "_journal.json"
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))["entries"]
        return sorted((dict(each) for each in entries if each["tag"]), key=lambda each: int(each["idx"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CatalogError(
            f"Drizzle's journal cannot be read: {error}",
            where=str(file),
            hint="It lies in the folder of the scripts, which [ledger] names.",
        ) from error


def entry_for(script: LedgerScript, entries: Sequence[LedgerEntry]) -> LedgerEntry | None:
    """Returns the entry of a ledger that is about a script, or None.

    A numbered one is found by its name, else by its number, unless that entry's name has another number.
    """
    if script.when:
        by_hash = (each for each in entries if each.key == script.key)
        return next(by_hash, None) or next((each for each in entries if each.at == script.when), None)
    names = {_plain(script.name), _plain(_NUMBER.sub("", script.name))}
    named = [each for each in entries if each.name and _plain(each.name) in names]
    numbered = [each for each in entries if script.key and _same_number(each, script.key)]
    return next(iter([*named, *numbered]), None)


def _plain(name: str) -> str:
    """A name without its ending and without what its writer put between the words."""
    return re.sub(r"[\W_]+", "_", name.lower().removesuffix(".sql")).strip("_")


def _same_number(entry: LedgerEntry, number: str) -> bool:
    own = entry.key.isdecimal() and str(int(entry.key)) == number
    return own and _number(entry.name) in ("", number)
