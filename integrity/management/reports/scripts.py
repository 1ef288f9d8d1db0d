"""What an audit of scripts says to people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from integrity.management.blocks import Block, Grid, Line, Title, count
from integrity.references.severity import Severity

if TYPE_CHECKING:
    from integrity.scripts.auditing import ScriptAudit
    from integrity.scripts.finding import ScriptFinding

_WIDEST = 100
_NAMES = {"postgresql": "PostgreSQL", "sqlite": "SQLite", "shared": "both engines"}
_STYLES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}


def script_blocks(audit: ScriptAudit) -> Iterator[Block]:
    """Yields the findings file by file, each with its line, then what was looked at."""
    texts = {script.shown: script.text.split("\n") for script in audit.scripts}
    for file, found in groupby(audit.findings, key=lambda each: each.place.file):
        yield Title(file)
        for each in found:
            yield from _finding(each, texts.get(file, []))
    yield Title("Summary")
    yield from _summary(audit)


def _finding(finding: ScriptFinding, lines: list[str]) -> Iterator[Line]:
    place = f"{finding.place.line}:{finding.place.column}"
    yield Line(
        f"{place}  {finding.severity}  {finding.message} [{finding.code}]", _STYLES[finding.severity], 1
    )
    yield from _shown_line(finding, lines)
    yield from (Line(each, "", 3) for each in finding.details)
    for related in finding.related:
        yield Line(f"{related.place}: {related.message}", "faint", 3)
    if finding.suggestion:
        yield Line(f"→ {finding.suggestion}", "faint", 2)
    if finding.portable:
        yield Line(f"→ for both: {finding.portable}", "faint", 2)


def _shown_line(finding: ScriptFinding, lines: list[str]) -> Iterator[Line]:
    """The line, and carets under what it is about where that is less than the line."""
    number = finding.place.line - 1
    if not 0 <= number < len(lines):
        return
    line = lines[number].replace("\t", " ")
    indent = len(line) - len(line.lstrip())
    start = finding.place.column - 1
    left = indent if start < indent + _WIDEST - 20 else start - 20
    part = line[left : left + _WIDEST].rstrip()
    yield Line(f"| {part}", "faint", 2)
    length = min(finding.length, len(part) - (start - left))
    if length > 0 and length < len(part):
        yield Line("| " + " " * (start - left) + "^" * length, _STYLES[finding.severity], 2)


def _summary(audit: ScriptAudit) -> Iterator[Line]:
    numbers = Counter(each.severity for each in audit.findings)
    parts = [count(numbers[each], str(each)) for each in (Severity.ERROR, Severity.WARNING) if numbers[each]]
    parts += [f"{numbers[Severity.INFO]} for information"] if numbers[Severity.INFO] else []
    complete = audit.coverage.complete
    if parts:
        worst = next(each for each in (Severity.ERROR, Severity.WARNING, Severity.INFO) if numbers[each])
        yield Line(f"{', '.join(parts)}.", _STYLES[worst])
    else:
        yield Line("Nothing was found." if complete else "Nothing was found in what was understood.", "good")
    yield from _looked_at(audit)
    if audit.silenced:
        by = Counter(each.finding.code for each in audit.silenced)
        yield Line(
            f"Silenced: {', '.join(f'{number} {code}' for code, number in sorted(by.items()))}.", "faint"
        )
    for place in audit.idle:
        yield Line(f"{place} silences nothing: remove it.", "warning")


def _looked_at(audit: ScriptAudit) -> Iterator[Line]:
    coverage = audit.coverage
    scripts = count(coverage.scripts, "script")
    sources = f" and {count(coverage.sources, 'source')} with SQL" if coverage.sources else ""
    meant = ", ".join(f"{number} for {_NAMES[name]}" for name, number in sorted(coverage.dialects.items()))
    yield Line(
        f"{count(coverage.statements, 'statement')} of {scripts}{sources}{f': {meant}' if meant else ''}."
    )
    if coverage.assumed:
        yield Line(f"Files that say nothing of it were {coverage.assumed}.", "info")
    for file, reason in coverage.unread:
        yield Line(f"{file} was not read: {reason}.", "warning")
    if coverage.unparsed:
        verb = "was" if coverage.unparsed == 1 else "were"
        yield Line(f"{count(coverage.unparsed, 'statement')} {verb} not understood.", "warning")


# -- Markdown ------------------------------------------------------------------------------------


def pull_request_blocks(audit: ScriptAudit) -> Iterator[Block]:
    """Yields what a comment on a pull request needs: the summary first, then a table a file."""
    yield Title("SQL scripts")
    yield from _summary(audit)
    for file, found in groupby(audit.findings, key=lambda each: each.place.file):
        yield Title(file)
        yield Grid(("line", "severity", "check", "what", "what to do"), [_row(each) for each in found])


def _row(finding: ScriptFinding) -> tuple[str, ...]:
    what = "; ".join([finding.message.rstrip("."), *finding.details])
    advice = " ".join(each for each in (finding.suggestion, finding.portable) if each)
    return str(finding.place.line), str(finding.severity), finding.code, what, advice
