"""The options of integrity_deduplicate, and what they ask for."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from integrity.exceptions import PlanRefused
from integrity.management.options import key, reference
from integrity.plans import DuplicateRequest
from integrity.references.uniques import Duplicates
from integrity.tasks import decided_duplicates


def add_uniques(parser: CommandParser) -> None:
    """Which duplicates, and what becomes of them."""
    parser.add_argument(
        "--unique",
        action="append",
        type=reference,
        default=[],
        metavar="TABLE.COLUMN[,COLUMN]",
        help="only the duplicates of this unique, repeatable: categories.store_id,slug; one that is not in "
        "the catalog is taken as written (default: every unique of the catalog)",
    )
    parser.add_argument(
        "--action",
        choices=[str(each) for each in Duplicates],
        help="what becomes of the rows that do not keep a shared value (default: each by its policy in "
        "the catalog, else kept)",
    )
    parser.add_argument(
        "--survivor",
        default="",
        metavar="RULE",
        help="which row keeps it: oldest (the default), newest, most_referenced, or a column: "
        '"priority desc"',
    )
    parser.add_argument(
        "--rename", default="", metavar="COLUMN", help="with rename: the column that gets another value"
    )
    parser.add_argument(
        "--value",
        action="append",
        type=key,
        default=[],
        metavar="VALUE[,VALUE]",
        help="only this shared value of --unique, repeatable, as --dry-run shows it, its parts separated by "
        "commas",
    )
    parser.add_argument(
        "--decided", action="store_true", help="only what people decided, and no policy of the catalog"
    )
    parser.add_argument(
        "--fill",
        action="store_true",
        help="with merge: give the survivor the values that it lacks (NULL) and that others have",
    )


def duplicate_requests(options: dict[str, Any]) -> list[DuplicateRequest]:
    """Returns what was asked for on the command line: one request a unique, or one for all; or what people
    decided."""
    _refuse_misplaced(options)
    if options["decided"]:
        return decided_duplicates(options["target"])
    action = Duplicates(options["action"]) if options["action"] else None
    return [
        DuplicateRequest(
            unique=path,
            action=action,
            survivor=options["survivor"],
            rename=options["rename"],
            fill=options["fill"],
            values=tuple(options["value"]),
        )
        for path in list(options["unique"]) or [None]
    ]


def _refuse_misplaced(options: dict[str, Any]) -> None:
    """Options that would otherwise be without effect, or mean another thing than they say."""
    action, uniques = options["action"], len(options["unique"])
    if options["decided"] and (uniques or action):
        raise PlanRefused("--decided runs what was decided", hint="Leave --unique and --action out.")
    if options["value"] and uniques != 1:
        raise PlanRefused("--value names values of one unique", hint="Say of which, with one --unique.")
    if options["value"]:
        wanted = len(options["unique"][0].columns)
        for value in options["value"]:
            if len(value) != wanted:
                raise PlanRefused(
                    f"--value {','.join(value)} has {len(value)} parts, and the unique has {wanted} columns",
                    hint="Give one part for each column, with commas between; quote one that has a comma.",
                )
    if options["rename"] and (uniques != 1 or action not in (None, str(Duplicates.RENAME))):
        raise PlanRefused(
            "--rename names a column of one unique", hint="Give it with --action rename and one --unique."
        )
    if options["fill"] and action not in (None, str(Duplicates.MERGE)):
        raise PlanRefused("--fill is about merging", hint="Give it with --action merge.")
