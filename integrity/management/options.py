"""The long options that all commands spell alike."""

from __future__ import annotations

import csv
import getpass
from argparse import ArgumentTypeError
from collections.abc import Sequence
from datetime import date
from pathlib import Path as FilePath
from typing import Any

from django.core.management.base import CommandParser

from integrity.database.identifiers import Path, parse_path
from integrity.detectors import Severity
from integrity.exceptions import InvalidIdentifier, PlanRefused
from integrity.plans import Request, read_mapping
from integrity.references import Resolution
from integrity.verification.measuring import QUERY_SECONDS

FORMATS = ("text", "json", "markdown")
SUGGESTED = "suggested"
ACTIONS = (*(str(each) for each in Resolution), SUGGESTED)


def reference(text: str) -> Path:
    """Reads ``orders.customer_id`` from a command line."""
    try:
        path = parse_path(text)
    except InvalidIdentifier as error:
        raise ArgumentTypeError(str(error)) from error
    if not path.columns:
        raise ArgumentTypeError(f"{text!r} names no column. Write table.column.")
    return path


def day(text: str) -> str:
    """Reads a date from a command line; returned as written, which is ISO."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a date. Write YYYY-MM-DD.") from error


def key(text: str) -> tuple[str, ...]:
    """Reads a key from a command line: a line of CSV, so that a value may be quoted."""
    return tuple(value.strip() for value in next(csv.reader([text], skipinitialspace=True), []))


def positive(text: str) -> int:
    """Reads a number of rows, ``1_000`` or ``1,000`` as well."""
    plain = text.replace(",", "").replace("_", "")
    if not plain.isdecimal():
        raise ArgumentTypeError(f"{text!r} is not a number of rows.")
    return int(plain)


def add_everywhere(parser: CommandParser, *, formats: Sequence[str] = FORMATS) -> None:
    """What every command takes; ``formats`` are those that it can print."""
    group = parser.add_argument_group("output and exit code")
    group.add_argument(
        "--format",
        choices=formats,
        default="text",
        help=f"text (the default), {', '.join(formats[1:-1])} or {formats[-1]}",
    )
    group.add_argument(
        "--fail-on",
        choices=[str(each) for each in Severity],
        default=str(Severity.ERROR),
        help="exit 1 when something of this severity or a higher one was found (default: error)",
    )
    group.add_argument(
        "--no-input", "--noinput", action="store_false", dest="input", help="never ask, go on instead"
    )


def add_target(parser: CommandParser, *, several: bool = False) -> None:
    """The database, by its alias, and the catalog lent to it."""
    text = "a database, by its alias in DATABASES"
    if several:
        parser.add_argument("targets", nargs="+", metavar="TARGET", help=text)
    else:
        parser.add_argument("target", metavar="TARGET", help=text)
    parser.add_argument(
        "--catalog",
        type=FilePath,
        metavar="FILE",
        help="a catalog.toml lent to the target for this run, in place of its own",
    )


def add_sources(parser: CommandParser) -> None:
    """Where the application's code is."""
    parser.add_argument(
        "--source",
        action="append",
        type=FilePath,
        default=[],
        metavar="PATH",
        help="a folder or file of the application, in which the column is looked for; repeatable",
    )


def add_references(parser: CommandParser) -> None:
    """Which references to look at."""
    parser.add_argument(
        "--reference",
        action="append",
        type=reference,
        default=[],
        metavar="TABLE.COLUMN",
        help="only this reference, repeatable: orders.customer_id, auth.users.id, "
        'lines.order_id,line_no, "Odd Table".column (default: all)',
    )


def seconds(text: str) -> float:
    """Reads a time in seconds from a command line."""
    try:
        value = float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds.") from error
    if not 0 < value < float("inf"):
        raise ArgumentTypeError("Write more than 0 seconds.")
    return value


def patience(text: str) -> float:
    """Reads how long to wait, which may be not at all."""
    try:
        value = float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no number of seconds.") from error
    if not 0 <= value < float("inf"):
        raise ArgumentTypeError("Write 0 seconds or more.")
    return value


def add_queries(parser: CommandParser, text: str) -> None:
    """Whether to run the hot queries, and for how long."""
    parser.add_argument("--queries", action="store_true", help=text)
    parser.add_argument(
        "--query-seconds",
        type=seconds,
        default=QUERY_SECONDS,
        metavar="SECONDS",
        help=f"with --queries: how long measuring may take, about (default: {QUERY_SECONDS:g})",
    )


def add_decision(parser: CommandParser, *, actions: bool = True) -> None:
    """What becomes of orphans."""
    if actions:
        parser.add_argument(
            "--action",
            choices=ACTIONS,
            help="what becomes of orphans; suggested is what each delete action suggests "
            "(default: each by its decision or its policy in the catalog, else kept)",
        )
        parser.add_argument("--until", type=day, metavar="DATE", help="with keep: the last day")
    parser.add_argument(
        "--to", metavar="KEY", help="with reassign: the key to point at, its values separated by commas"
    )
    parser.add_argument(
        "--missing",
        action="append",
        type=key,
        default=[],
        metavar="KEY",
        help="only for this missing key of --reference, repeatable, as integrity_audit shows it; "
        "the values of a composite one separated by commas",
    )
    parser.add_argument(
        "--row",
        action="append",
        type=key,
        default=[],
        metavar="KEY",
        help="only for this row of --reference, repeatable: an orphan's primary key, the values of a "
        "composite one separated by commas",
    )
    if actions:
        parser.add_argument(
            "--decided",
            action="store_true",
            help="only what people decided, and no policy of the catalog",
        )
        parser.add_argument(
            "--map",
            type=FilePath,
            metavar="FILE",
            help="with relink: a CSV file that says which missing key means which referenced one: "
            "old,new or a pair old_COLUMN,new_COLUMN for each column (default: by normal form)",
        )
    parser.add_argument("--reason", default="", help="why, for the journal of decisions")


def add_limits(parser: CommandParser) -> None:
    """What may happen at most."""
    parser.add_argument(
        "--max-rows", type=positive, metavar="N", help="refuse to touch more rows than this, all tables"
    )


def add_run(parser: CommandParser) -> None:
    """What a command that changes rows takes."""
    parser.add_argument("--plan", metavar="HASH", help="carry out exactly this plan, or nothing")
    parser.add_argument("--dry-run", action="store_true", help="show the plan and its hash, change nothing")
    parser.add_argument(
        "--resume", type=int, metavar="RUN", help="go on with a run that was stopped, by its own plan"
    )
    parser.add_argument(
        "--require-backup",
        action="store_true",
        help="refuse without a backup that is recorded, still there, and not older than a day",
    )
    add_waiver(parser)
    parser.add_argument(
        "--no-digests",
        action="store_false",
        dest="digests",
        help="do not digest whole tables beforehand (very large ones): "
        "a rollback then proves the restored rows alone",
    )


def add_withdrawal(parser: CommandParser) -> None:
    """Taking decisions back that people made."""
    parser.add_argument(
        "--withdraw",
        default="",
        metavar="REASON",
        help="withdraw what stands decided about what is named, and do nothing else: somebody decides anew",
    )


def add_waiver(parser: CommandParser) -> None:
    """Running without the approval that is needed, seen by everybody."""
    parser.add_argument(
        "--without-approval",
        default="",
        metavar="REASON",
        help="run a plan that needs a second person's approval without it; REASON is noted for the others",
    )


def requests(options: dict[str, Any]) -> list[Request]:
    """Returns what was asked for on the command line: one request a reference, or one for all."""
    action = options.get("action")
    _refuse_misplaced(action, options)
    named = list(options["reference"]) or [None]
    resolution = Resolution(action) if action and action != SUGGESTED else None
    to = tuple(part.strip() for part in options["to"].split(",")) if options.get("to") else None
    mapping = read_mapping(options["map"]) if options.get("map") else None
    return [
        Request(
            reference=path,
            resolution=resolution,
            suggested=action == SUGGESTED,
            to=to,
            reason=options.get("reason") or "",
            until=options.get("until") or "",
            keys=tuple(options.get("missing") or ()),
            rows=tuple(options.get("row") or ()),
            mapping=mapping,
        )
        for path in named
    ]


def _refuse_misplaced(action: str | None, options: dict[str, Any]) -> None:
    """Options that would otherwise be without effect."""
    if options.get("map") and (action != str(Resolution.RELINK) or len(options["reference"]) != 1):
        raise PlanRefused(
            "--map says what the missing keys of one reference mean",
            hint="Give it with --action relink and one --reference.",
        )
    for name, what in (("missing", "missing keys"), ("row", "rows")):
        if options.get(name) and (not action or len(options["reference"]) != 1):
            raise PlanRefused(
                f"--{name} names {what} of one reference, and what becomes of them",
                hint="Give it with --action and one --reference.",
            )
    if options.get("missing") and options.get("row"):
        raise PlanRefused(
            "--missing and --row choose in two ways", hint="Give one of them, and plan the others apart."
        )
    if options.get("decided") and (action or options.get("to")):
        raise PlanRefused("--decided runs what was decided", hint="Leave --action out.")


def actor() -> str:
    """Who runs the command, as the system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
