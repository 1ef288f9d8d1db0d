"""An audit of scripts as SARIF 2.1.0, which code hosts show beside the lines of a pull request."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from integrity.references.severity import Severity

if TYPE_CHECKING:
    from integrity.scripts.auditing import ScriptAudit, Silenced
    from integrity.scripts.finding import ScriptFinding
    from integrity.scripts.statement import Place

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
NAME = "django-referential-integrity"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def sarif(audit: ScriptAudit) -> dict[str, Any]:
    """Returns the document: one run, with a rule a check and a result a finding.

    What was silenced is there as a suppressed result, what could not be read as a notification.
    """
    from integrity.scripts.checks import base  # noqa: PLC0415 - the extra may be missing

    checks = base.all_checks()
    places = {each.code: at for at, each in enumerate(checks)}
    rules = [
        {
            "id": each.code,
            "name": "".join(word.capitalize() for word in each.code.split("_")),
            "shortDescription": {"text": each.title},
            "defaultConfiguration": {"level": _LEVELS[each.severity]},
        }
        for each in checks
    ]
    results = [_result(each, places) for each in audit.findings]
    results += [_suppressed(each, places) for each in audit.silenced]
    run = {
        "tool": {"driver": {"name": NAME, "semanticVersion": _version(), "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": results,
        "invocations": [_invocation(audit)],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _version() -> str:
    try:
        return version(NAME)
    except PackageNotFoundError:
        return "0.0.0"


def _result(finding: ScriptFinding, places: dict[str, int]) -> dict[str, Any]:
    text = "\n".join([finding.message, *finding.details])
    advice = "\n".join(each for each in (finding.suggestion, finding.portable) if each)
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": places[finding.code],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{text}\n{advice}" if advice else text},
        "locations": [_location(finding.place, finding.length)],
        "partialFingerprints": {"integrityFingerprint/v1": finding.fingerprint},
    }
    if finding.related:
        result["relatedLocations"] = [
            {"id": at, **_location(each.place), "message": {"text": each.message}}
            for at, each in enumerate(finding.related)
        ]
    return result


def _suppressed(silenced: Silenced, places: dict[str, int]) -> dict[str, Any]:
    kind = "external" if silenced.by.file != silenced.finding.place.file else "inSource"
    return _result(silenced.finding, places) | {
        "suppressions": [{"kind": kind, "location": _location(silenced.by)}]
    }


def _location(place: Place, length: int = 0) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": place.line, "startColumn": place.column}
    if length:
        region["endColumn"] = place.column + length
    return {"physicalLocation": {"artifactLocation": _artifact(place.file), "region": region}}


def _artifact(file: str) -> dict[str, str]:
    path = Path(file)
    if path.is_absolute():
        here = Path.cwd()
        if not path.is_relative_to(here):
            return {"uri": path.as_uri()}
        path = path.relative_to(here)
    return {"uri": quote(path.as_posix()), "uriBaseId": "%SRCROOT%"}


def _invocation(audit: ScriptAudit) -> dict[str, Any]:
    coverage = audit.coverage
    told = [
        {
            "level": "error",
            "message": {"text": f"{file} was not read: {reason}."},
            "locations": [_whole(file)],
        }
        for file, reason in coverage.unread
    ]
    told += [
        {
            "level": "note",
            "message": {"text": "This silences nothing: remove it."},
            "locations": [_location(each)],
        }
        for each in audit.idle
    ]
    return {"executionSuccessful": coverage.complete, "toolExecutionNotifications": told}


def _whole(file: str) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": _artifact(file)}}
