"""What an audit says to people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from integrity.audit import AuditResult, Coverage
from integrity.detectors import Finding, Severity
from integrity.management.blocks import Block, Grid, Line, Title, count
from integrity.models.target import server
from integrity.references.reference import written

_HEADINGS = {Severity.ERROR: "Errors", Severity.WARNING: "Warnings", Severity.INFO: "For information"}
ORPHANED = "orphaned_rows"
DUPLICATE = "duplicate_rows"
KEYS_SHOWN = VALUES_SHOWN = 3


def audit_blocks(result: AuditResult) -> Iterator[Block]:
    """Yields the summary, the findings by severity, and what was looked at."""
    orphans = sum(each.rows for each in result.with_code(ORPHANED))
    yield Title(f"{result.target}: {server(result.vendor, result.server_version)}, audit {result.run or '–'}")
    yield _summary(result, orphans)
    yield from _orphans(result.target, result.with_code(ORPHANED))
    yield from _duplicates(result.with_code(DUPLICATE))
    structure = [each for each in result.findings if each.code not in (ORPHANED, DUPLICATE)]
    for severity, heading in _HEADINGS.items():
        found = [each for each in structure if each.severity is severity]
        if found:
            yield Title(f"{heading} in the structure" if severity is Severity.ERROR else heading)
            yield from _listed(found)
    yield from coverage_blocks(result.coverage)


def _summary(result: AuditResult, orphans: int) -> Line:
    severities = [each.severity for each in result.findings]
    parts = [count(severities.count(each), str(each)) for each in (Severity.ERROR, Severity.WARNING)]
    if not result.findings:
        return Line(
            "Nothing was found." if result.coverage.complete else "Nothing was found in what was looked at.",
            "good" if result.coverage.complete else "warning",
        )
    style = "error" if Severity.ERROR in severities else "warning"
    duplicates = sum(each.evidence["surplus"] for each in result.with_code(DUPLICATE))
    too_many = f", {count(duplicates, 'duplicate')}" if duplicates else ""
    return Line(f"{', '.join(parts)}; {count(orphans, 'orphan')}{too_many}.", style)


def _orphans(target: str, found: list[Finding]) -> Iterator[Block]:
    if not found:
        return
    yield Title("Orphans")
    rows = [_orphan_row(each) for each in found]
    yield Grid(("reference", "refers to", "rows", "missing keys", "on delete"), rows)
    for each in found:
        keys = list(_top_keys(each))
        if keys:
            yield Line(f"{_label(each)}: {'; '.join(keys)}", "faint", 1)
        why = list(_why(each))
        if why:
            yield Line(f"why: {'; '.join(why)}", depth=2)
    yield Title("What to do with them")
    yield from _advice(target, found)


def _advice(target: str, found: Sequence[Finding]) -> Iterator[Block]:
    """Those with a policy or a suggestion together; the others one by one, because somebody decides."""
    plan = f"manage.py integrity_plan {target}"
    suggested = [each for each in found if each.evidence.get("suggested_resolution")]
    by_policy = [each for each in suggested if "--action" not in each.suggestion]
    for group, option in (
        (by_policy, ""),
        ([each for each in suggested if each not in by_policy], " --action suggested"),
    ):
        if group:
            how = "by the catalog's policy" if not option else "as their delete actions suggest"
            yield Line(f"{', '.join(map(_label, group))}: {how}: {plan}{option}", depth=1)
    for each in found:
        if each not in suggested:
            yield Line(f"{_label(each)}: {each.suggestion}", depth=1)


def _orphan_row(finding: Finding) -> tuple[object, ...]:
    parent = written(finding.referenced_table, finding.referenced_columns) if finding.referenced_table else ""
    on_delete = finding.evidence.get("on_delete", "")
    return _label(finding), parent, finding.rows, finding.missing_keys, on_delete


def _top_keys(finding: Finding) -> Iterator[str]:
    """The commonest missing keys, and how much of the damage each explains."""
    top = finding.evidence.get("top_missing_keys", [])
    for each in top[:KEYS_SHOWN]:
        share = round(100 * each["rows"] / finding.rows) if finding.rows else 0
        key = ", ".join(str(value) for value in each["key"])
        yield (
            f"{key} explains {count(each['rows'], 'row')} ({share} %)"
            if share >= 1
            else f"{key}: {count(each['rows'], 'row')}"
        )
    if finding.missing_keys > KEYS_SHOWN and top:
        yield f"{finding.missing_keys - min(KEYS_SHOWN, len(top)):,} more"


def _why(finding: Finding) -> Iterator[str]:
    """What explains the orphans, and when they were created."""
    causes = finding.evidence.get("causes", [])
    if any(each["kind"] != "unexplained" for each in causes):
        yield from (each["sentence"] for each in causes)
    created = finding.evidence.get("created")
    if created:
        growing = ", still growing" if created["still_growing"] else ""
        yield f"created {created['first'][:10]} to {created['last'][:10]}{growing}"
    if "causes_unknown" in finding.evidence:
        yield f"not explained: {finding.evidence['causes_unknown']}"


def _duplicates(found: list[Finding]) -> Iterator[Block]:
    if not found:
        return
    yield Title("Duplicates")
    rows = [
        (_label(each), each.object, each.evidence["values"], each.rows, each.evidence["surplus"])
        for each in found
    ]
    yield Grid(("unique", "name", "values", "rows", "too many"), rows)
    for each in found:
        yield Line(f"{_label(each)}:", "faint", 1)
        yield from (Line(text, "faint", 2) for text in _repeated(each))
    yield Title("What to do with the duplicates")
    for each in found:
        yield Line(f"{_label(each)}: {each.suggestion}", depth=1)


def _repeated(finding: Finding) -> Iterator[str]:
    """The commonest values, and the keys of their rows."""
    samples, key = finding.evidence["samples"], ", ".join(finding.evidence["key"])
    for each in samples[:VALUES_SHOWN]:
        value = ", ".join("NULL" if part is None else str(part) for part in each["value"])
        keys = ", ".join(map(_key_text, each["keys"][:VALUES_SHOWN]))
        more = ", …" if each["rows"] > VALUES_SHOWN else ""
        yield f"({value}) in {count(each['rows'], 'row')}" + (f", {key} {keys}{more}" if keys else "")
    if finding.evidence["values"] > VALUES_SHOWN:
        yield f"{count(finding.evidence['values'] - VALUES_SHOWN, 'more value')}"


def _key_text(key: Sequence[object]) -> str:
    parts = ", ".join(map(str, key))
    return f"({parts})" if len(key) > 1 else parts


def _label(finding: Finding) -> str:
    return written(finding.table, finding.columns)


def _listed(found: list[Finding]) -> Iterator[Block]:
    """Each message; a suggestion that several share once, after the last of them."""
    style = {Severity.ERROR: "error", Severity.WARNING: "warning"}.get(found[0].severity, "info")
    for place, each in enumerate(found):
        yield Line(each.message, style, 1)
        following = found[place + 1].suggestion if place + 1 < len(found) else ""
        if each.suggestion and each.suggestion != following:
            yield Line(f"→ {each.suggestion}", "faint", 2)


UNREAD_SHOWN = 5


def coverage_blocks(coverage: Coverage) -> Iterator[Block]:
    """Yields what was looked at, and what was not and why."""
    moment = "at one moment" if coverage.snapshot == "one" else "each at a moment of its own"
    yield Title("Coverage")
    yield Line(
        f"{coverage.checked:,} of {count(coverage.references, 'reference')} checked {moment}.",
        "good" if coverage.complete else "warning",
    )
    if coverage.uniques:
        style = "good" if coverage.uniques_checked == coverage.uniques else "warning"
        yield Line(f"{coverage.uniques_checked:,} of {count(coverage.uniques, 'unique')} checked.", style)
    for word, listed in (("not checked", coverage.skipped), ("ran out of time", coverage.timed_out)):
        for each in listed:
            what = next((value for name, value in each.items() if name != "reason"), "")
            yield Line(f"{what}: {word}: {each['reason']}", "warning", 1)
    for each in coverage.unread[:UNREAD_SHOWN]:
        yield Line(f"{each['routine']}: not looked through: {each['reason']}", "faint", 1)
    if (more := len(coverage.unread) - UNREAD_SHOWN) > 0:
        yield Line(f"and {count(more, 'routine')} more, all in the JSON.", "faint", 1)
