"""What PostgreSQL's SQLSTATEs mean here (PostgreSQL manual, appendix A)."""

from __future__ import annotations

import re

from django.db import DatabaseError, InterfaceError, OperationalError

from integrity.database.identifiers import quote, shown
from integrity.database.violations import Violation, ViolationKind
from integrity.exceptions import (
    MissingPrivilege,
    NoRoom,
    NotCheckable,
    ReadOnlyTarget,
    ReferentialIntegrityError,
    SchemaFixRefused,
    TargetBusy,
    TargetUnreachable,
    TimedOut,
    WrongCredentials,
)


def sqlstate(error: BaseException) -> str:
    """Returns the five-character code of an error, or an empty string."""
    cause = error.__cause__ or error
    return str(getattr(cause, "sqlstate", "") or "")


def violated_key(error: BaseException) -> str | None:
    """Returns the name of the foreign key that an error is about, None for any other error."""
    return violation(error).constraint if sqlstate(error) == "23503" else None


def violated_unique(error: BaseException) -> str | None:
    """Returns the name of the unique that an error is about, None for any other error."""
    return violation(error).constraint if sqlstate(error) == "23505" else None


_KINDS = {
    "23503": ViolationKind.FOREIGN_KEY,
    "23001": ViolationKind.FOREIGN_KEY,
    "23505": ViolationKind.UNIQUE,
    "23502": ViolationKind.NOT_NULL,
    "23514": ViolationKind.CHECK,
    "23P01": ViolationKind.EXCLUSION,
}


def violation(error: BaseException) -> Violation:
    """Returns which constraint an error is about; a NOT NULL has no name, but its column has."""
    fields = getattr(error.__cause__ or error, "diag", None)
    constraint = getattr(fields, "constraint_name", None) or getattr(fields, "column_name", None) or ""
    table = getattr(fields, "table_name", None) or ""
    return Violation(_KINDS.get(sqlstate(error), ViolationKind.OTHER), table, constraint)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def translate(error: DatabaseError | InterfaceError, target: str) -> ReferentialIntegrityError | None:
    """Returns the error in this product's words, or None where only a programmer can act."""
    code, line = sqlstate(error), _first_line(error)
    if code == "42501" and "row-level security" in line:
        return NotCheckable(
            f"Row-level security hides rows from this role: {line}",
            where=target,
            hint="Use a role with BYPASSRLS, or the tables' owner without FORCE ROW LEVEL SECURITY.",
        )
    if code == "42501" and _FILES.search(line):
        return ReadOnlyTarget(
            f"The server may not write its own files: {line.rstrip('.')}",
            where=target,
            hint="Is their disk mounted read-only? Mount it for writing, then go on.",
        )
    if code == "42501":
        return MissingPrivilege(line.rstrip("."), where=target, hint=_grant(line))
    if code == "25006":
        return ReadOnlyTarget(
            "The target is read-only", where=target, hint="Use the primary server and a role that may write."
        )
    if found := _busy(code, line, target) or _storage(code, line, target):
        return found
    if code == "57014":
        return TimedOut(
            "The statement ran past its time limit", where=target, hint="Raise the timeout or add an index."
        )
    without_a_word = not code and isinstance(error, (OperationalError, InterfaceError))
    if without_a_word or code.startswith("08") or code in ("57P01", "57P02", "57P03"):
        return TargetUnreachable(
            f"The connection was lost: {line}",
            where=target,
            hint="See that the server runs; start again.",
        )
    return None


def _busy(code: str, line: str, target: str) -> TargetBusy | None:
    """What another time may go better."""
    if "query_wait_timeout" in line:
        return TargetBusy(
            "The pooler had no connection left for us",
            where=target,
            hint="A repair or migration needs two at once: let its pool have three or more, or try again "
            "when it is less busy.",
        )
    if code in ("55P03", "40P01", "40001"):
        return TargetBusy(
            f"A lock was not granted: {line.rstrip('.')}",
            where=target,
            hint="Nothing was changed. Try again when the target is quieter, or raise LOCK_TIMEOUT_MS.",
        )
    if code == "53300":
        return TargetBusy(
            f"The server has no connection left for us: {line.rstrip('.')}",
            where=target,
            hint="Raise its max_connections, or try again when it is less busy.",
        )
    return None


def _storage(code: str, line: str, target: str) -> ReferentialIntegrityError | None:
    """What somebody has to mend before it can go better."""
    if code.startswith("53"):
        return NoRoom(
            f"The server has no room left: {line.rstrip('.')}",
            where=target,
            hint="What was under way was taken back. Give it disk or memory, or raise the limit that it "
            "names, and try again.",
        )
    if code.startswith("58") or code in ("XX001", "XX002") or (code == "XX000" and _FILES.search(line)):
        return TargetUnreachable(
            f"The server cannot read or write its own files: {line.rstrip('.')}",
            where=target,
            hint="What was under way was taken back. Look into its log and after its disks before anything "
            "else is changed.",
        )
    return None


_FILES = re.compile(r"could not (open|extend|create|write to|write|fsync|truncate) (file|directory)\b")


def needs_direct(why: str, alias: str) -> SchemaFixRefused:
    """Returns the refusal of what a pooler would hand to whoever is given its connection next."""
    return SchemaFixRefused(
        f"Behind a pooler this cannot be migrated: {why}",
        where=alias,
        hint="Nothing was changed. Add an entry to DATABASES that reaches the server directly, and name it: "
        f"INTEGRITY = {{'DIRECT': {{'{alias}': '{alias}_direct'}}}}.",
    )


def _grant(line: str) -> str:
    match = re.search(r"permission denied for (table|view|schema|sequence|database) (.+)", line)
    if match is None:
        return "Ask the owner for the right, or use a role that has it."
    kind, name = match.groups()
    rights = {"schema": "USAGE", "sequence": "USAGE, SELECT", "database": "CREATE"}
    wanted = rights.get(kind, "SELECT, INSERT, UPDATE, DELETE")
    noun = "" if kind in ("table", "view") else f"{kind.upper()} "
    written = name if re.fullmatch("[a-z_][a-z0-9_]*", name) else shown(quote(name))
    return f"GRANT {wanted} ON {noun}{written} TO the role in DATABASES."


_REFUSED = re.compile(
    r'authentication failed|no password supplied|role ".*" (does not exist|is not permitted)'
)


_PARAMETER = re.compile(r"unsupported startup parameter(?: in options)?: ([\w.]+)")


def opening_error(error: Exception, target: str) -> ReferentialIntegrityError:
    """Returns why a connection could not be opened; the password is never part of it."""
    text = str(error)
    line = _first_line(error)
    if _REFUSED.search(text):
        return WrongCredentials(
            f"The server refused the user or password: {line}",
            where=target,
            hint="Correct USER and PASSWORD of this target.",
        )
    if "does not exist" in text and "database" in text:
        return TargetUnreachable(
            f"There is no such database: {line}", where=target, hint="Correct NAME of this target."
        )
    if parameter := _PARAMETER.search(text):
        return TargetUnreachable(
            f"The pooler does not take the startup parameter {parameter.group(1)}",
            where=target,
            hint="Take it out of OPTIONS of this target (`options`, `-c name=value`), or let the pooler "
            f"have: ignore_startup_parameters = {parameter.group(1)}.",
        )
    return TargetUnreachable(
        f"The server cannot be reached: {line}",
        where=target,
        hint="Check HOST and PORT, and that the server is running.",
    )
