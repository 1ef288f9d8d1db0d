"""Does a ledger say the truth: what its scripts leave behind, held against what stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from integrity.database.schema import Schema
from integrity.references.ledger_scripts import LedgerScript, entry_for
from integrity.references.ledgers import Ledger, LedgerEntry, LedgerKind
from integrity.references.made_objects import MadeObject, missing
from integrity.scripts.assuming import assume_engine
from integrity.scripts.effects import FRAME, Effects, effects_of
from integrity.scripts.reading import read_scripts
from integrity.scripts.statement import Script


class Standing(StrEnum):
    """What a ledger and the schema say of one script together."""

    EXECUTED = "executed"
    LIES = "lies"
    """Recorded, and its results are not there."""
    UNRECORDED = "unrecorded"
    """Not recorded, and its results are all there."""
    PENDING = "pending"
    LOST = "lost"
    """Recorded, and there is no such script."""
    CHANGED = "changed"
    """Recorded, and its text is another by now."""
    OVERTAKEN = "overtaken"
    """Not recorded, though a later one is."""
    ELSEWHERE = "elsewhere"
    """Not recorded, and none of its statements is for this engine: here it has nothing to do."""
    ABSENT = "absent"
    """In the tool's list of scripts, and there is no such file."""


@dataclass(frozen=True)
class ScriptStanding:
    """One script, or an entry without one: what it left behind, and what of that is not there."""

    standing: Standing
    script: LedgerScript | None = None
    entry: LedgerEntry | None = None
    effects: Effects | None = None
    missing: tuple[MadeObject, ...] = ()

    @property
    def name(self) -> str:
        """What people call it."""
        return self.script.name if self.script else str(self.entry)


@dataclass(frozen=True)
class Compared:
    """What was held against each other: the target's structure, and the names of its functions where they
    could be read; ``ignored`` are objects that something else takes away on purpose."""

    ledger: Ledger
    entries: Sequence[LedgerEntry]
    schema: Schema
    functions: Collection[str] | None = None
    ignored: Collection[MadeObject] = ()


def compare(scripts: Sequence[LedgerScript], with_: Compared) -> list[ScriptStanding]:
    """Returns where each script stands, in their order, and then the entries that no script is about."""
    entries = [entry_for(each, with_.entries) for each in scripts]
    there = {each.path: script for each, script in zip(scripts, _read(scripts, with_), strict=True) if script}
    effects = _effects(scripts, there, [entry is not None for entry in entries], with_.schema.vendor)
    last = max((at for at, entry in enumerate(entries) if entry is not None), default=-1)
    found = [
        _stands(script, entry, effects.get(script.path), with_, overtaken=at < last)
        for at, (script, entry) in enumerate(zip(scripts, entries, strict=True))
    ]
    known = [each for each in entries if each is not None]
    return found + [ScriptStanding(Standing.LOST, entry=each) for each in with_.entries if each not in known]


def _read(scripts: Sequence[LedgerScript], with_: Compared) -> list[Script | None]:
    read, _ = assume_engine(read_scripts(_files(scripts)), with_.schema.vendor)
    found = {each.path.resolve(): each for each in read}
    return [found.get(each.path.resolve()) for each in scripts]


def _files(scripts: Sequence[LedgerScript]) -> list[Path]:
    return [each.path for each in scripts if each.path.is_file()]


def _effects(
    scripts: Sequence[LedgerScript], there: Mapping[Path, Script], executed: Sequence[bool], vendor: str
) -> dict[Path, Effects]:
    pairs = [(each.path, run) for each, run in zip(scripts, executed, strict=True) if each.path in there]
    found = effects_of([there[path] for path, _ in pairs], vendor, [run for _, run in pairs])
    return {path: each for (path, _), each in zip(pairs, found, strict=True)}


def _stands(
    script: LedgerScript,
    entry: LedgerEntry | None,
    effects: Effects | None,
    with_: Compared,
    *,
    overtaken: bool,
) -> ScriptStanding:
    if effects is None:
        return ScriptStanding(Standing.ABSENT, script, entry)
    if entry is None and not _has_work(effects.script, with_.schema.vendor):
        return ScriptStanding(Standing.ELSEWHERE, script, effects=effects)
    makes = effects.without(with_.ignored)
    gone = tuple(missing(with_.schema, makes, with_.functions))
    standing = _standing(script, entry, bool(makes), bool(gone), with_.ledger.kind, overtaken=overtaken)
    return ScriptStanding(standing, script, entry, effects, gone)


def _has_work(script: Script, vendor: str) -> bool:
    """Whether an engine runs anything of it; one without statements is everybody's."""
    meant = [each.runs_on(vendor) for each in script.statements if not FRAME.match(each.text)]
    return any(meant) or not meant


def _standing(
    script: LedgerScript,
    entry: LedgerEntry | None,
    makes: bool,
    gone: bool,
    kind: LedgerKind,
    *,
    overtaken: bool,
) -> Standing:
    if entry is not None:
        if gone:
            return Standing.LIES
        changed = kind is LedgerKind.DRIZZLE and entry.key != script.key
        return Standing.CHANGED if changed else Standing.EXECUTED
    if makes and not gone:
        return Standing.UNRECORDED
    return Standing.OVERTAKEN if overtaken else Standing.PENDING
