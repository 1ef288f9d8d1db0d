"""Audits scripts: reads them, runs every check, and takes out what somebody silenced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from integrity.references.catalog import Catalog
from integrity.scripts.assuming import assume_engine
from integrity.scripts.checks.base import LiveTarget, ScriptInspection, all_checks
from integrity.scripts.finding import ScriptFinding, place_json
from integrity.scripts.ignore_file import Ignored, find_ignore_file, read_ignore_file
from integrity.scripts.reading import OnRead, read_scripts, undisturbed
from integrity.scripts.statement import Dialect, Place, Script, Silence
from integrity.scripts.survey import survey

UNPARSED = "unparsed"


@dataclass(frozen=True)
class Silenced:
    """A finding that is not told, and what keeps it from being: a comment, or a line of the ignore file."""

    finding: ScriptFinding
    by: Place


@dataclass(frozen=True)
class ScriptCoverage:
    """What was looked at. ``unread`` are files with the reason; ``unparsed`` counts statements that are not
    understood, those left out that a program fills in or that somebody silenced. ``assumed`` says
    why scripts that say nothing of it are taken for one engine's."""

    scripts: int
    sources: int
    statements: int
    unparsed: int
    dialects: dict[Dialect, int]
    unread: tuple[tuple[str, str], ...] = ()
    assumed: str = ""

    @property
    def complete(self) -> bool:
        """Whether everything was read and understood."""
        return not self.unread and not self.unparsed

    def as_json(self) -> dict[str, Any]:
        """Returns it as plain values."""
        return {
            "complete": self.complete,
            "scripts": self.scripts,
            "sources": self.sources,
            "statements": self.statements,
            "unparsed": self.unparsed,
            "dialects": {str(name): number for name, number in self.dialects.items()},
            "assumed": self.assumed,
            "unread": [{"file": file, "reason": reason} for file, reason in self.unread],
        }


@dataclass(frozen=True)
class ScriptAudit:
    """What came of an audit of scripts. ``idle`` are silences that silence nothing."""

    findings: tuple[ScriptFinding, ...]
    silenced: tuple[Silenced, ...]
    idle: tuple[Place, ...]
    coverage: ScriptCoverage
    target: str = ""
    scripts: tuple[Script, ...] = field(default=(), repr=False)

    def as_json(self) -> dict[str, Any]:
        """Returns it as plain values, as ``integrity_scripts --format json`` prints it."""
        return {
            "target": self.target,
            "coverage": self.coverage.as_json(),
            "findings": [each.as_json() for each in self.findings],
            "silenced": [each.finding.as_json() | {"by": place_json(each.by)} for each in self.silenced],
            "idle_silences": [place_json(each) for each in self.idle],
        }


def audit_scripts(
    paths: Sequence[Path],
    *,
    dialect: Dialect | None = None,
    ignore_file: Path | None = None,
    catalog: Catalog | None = None,
    live: LiveTarget | None = None,
    on_read: OnRead | None = None,
) -> ScriptAudit:
    """Returns what is wrong with scripts and with the SQL of sources.

    Args:
        paths: files and folders.
        dialect: what all of them are meant for (default: each by its comment, name, folder or dump).
        ignore_file: findings to ignore (default: the ``.integrity-scripts`` nearest above the first path).
        catalog: what should hold in the database that they are for.
        live: that database.
        on_read: told how many files are read of how many, and which.

    Raises:
        ScriptsUnreadable: one of the paths is not there.
        IgnoreFileError: the ignore file has a mistake.
    """
    checks = all_checks()
    codes = [each.code for each in checks]
    chosen = ignore_file or find_ignore_file(paths)
    ignored = read_ignore_file(chosen, codes) if chosen else ()
    with undisturbed():
        scripts, assumed = read_scripts(paths, dialect=dialect, on_read=on_read), ""
        if dialect is None:
            scripts, assumed = assume_engine(scripts, live.vendor if live else "")
        inspection = ScriptInspection(survey(scripts), catalog or Catalog(), live)
        found = _numbered(each for check in checks for each in check.check(inspection))
    findings, silenced, idle = _silenced(found, scripts, ignored)
    read = [script.shown for script in scripts]
    beyond = {each.place for each in ignored if not each.is_about(paths, read)}
    return ScriptAudit(
        findings,
        silenced,
        tuple(each for each in idle if each not in beyond),
        _coverage(scripts, findings, assumed),
        live.alias if live else "",
        tuple(scripts),
    )


def _numbered(found: Iterable[ScriptFinding]) -> list[ScriptFinding]:
    """In their order, those that nothing else tells apart by number."""
    seen: Counter[str] = Counter()
    numbered = []
    for each in sorted(found, key=lambda each: (each.place, each.code, each.object, each.key)):
        fingerprint = each.fingerprint
        seen[fingerprint] += 1
        numbered.append(replace(each, occurrence=seen[fingerprint]))
    return numbered


def _silenced(
    found: Sequence[ScriptFinding], scripts: Sequence[Script], ignored: Sequence[Ignored]
) -> tuple[tuple[ScriptFinding, ...], tuple[Silenced, ...], tuple[Place, ...]]:
    silences = {script.shown: script.silences for script in scripts}
    used: set[Place] = set()
    told, silenced = [], []
    for finding in found:
        comments = (each for each in silences.get(finding.place.file, ()) if _covers(each, finding))
        by = [each.place for each in comments] + [each.place for each in ignored if each.covers(finding)]
        used.update(by)
        if by:
            silenced.append(Silenced(finding, by[0]))
        else:
            told.append(finding)
    every = [each.place for script in scripts for each in script.silences] + [each.place for each in ignored]
    return tuple(told), tuple(silenced), tuple(sorted(set(every) - used))


def _covers(silence: Silence, finding: ScriptFinding) -> bool:
    within = silence.first <= finding.place.line <= silence.last
    return within and (not silence.codes or finding.code in silence.codes)


def _coverage(scripts: Sequence[Script], findings: Sequence[ScriptFinding], assumed: str) -> ScriptCoverage:
    with_sql = [each for each in scripts if each.statements]
    gaps = [each for each in findings if each.code == UNPARSED and each.severity.rank]
    return ScriptCoverage(
        scripts=sum(not each.is_source for each in scripts),
        sources=sum(each.is_source for each in with_sql),
        statements=sum(len(each.statements) for each in scripts),
        unparsed=len(gaps),
        dialects=dict(Counter(each.dialect for each in with_sql)),
        unread=tuple((each.shown, each.unread) for each in scripts if each.unread),
        assumed=assumed,
    )
