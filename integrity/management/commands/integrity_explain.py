"""Explains an error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import connections

from integrity.exceptions import NotExplainable
from integrity.explaining import explain
from integrity.management.command import DONE, IntegrityCommand
from integrity.management.reports.explanations import explanation_blocks
from integrity.references import load_catalog

STDIN = "-"


class Command(IntegrityCommand):
    """Changes nothing; a text that is no such error, or that fits several targets, makes exit 2."""

    help = (
        "Explains an error about a foreign key or a duplicate: which rows, how many more, why, what to run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which error, and where it came from."""
        parser.add_argument(
            "words",
            nargs="*",
            metavar="TEXT|TARGET",
            help="the error as it was printed, with its DETAIL line, or - for standard input; "
            "and the database that it came from (default: every target is asked)",
        )
        parser.add_argument("--file", type=Path, metavar="FILE", help="read the error from this file")
        parser.add_argument(
            "--catalog",
            type=Path,
            metavar="FILE",
            help="a catalog.toml lent to the target for this run, in place of its own",
        )
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Explains."""
        target, text = _told(options["words"], options["file"])
        options["target"] = target
        catalog = load_catalog(target or "", options["catalog"]) if options["catalog"] else None
        found = explain(text, target, catalog=catalog)
        self.terminal.show(found.as_json(), list(explanation_blocks(found)))
        return DONE


def _told(words: list[str], file: Path | None) -> tuple[str | None, str]:
    """Returns the target, if one is named, and the text: an error has spaces, an alias has none."""
    names = [word for word in words if word in connections.databases or not _is_text(word)]
    texts = [word for word in words if word not in names]
    if file is not None:
        return _only(names), _read(file)
    if not texts and len(names) == 1 and names[0] not in connections.databases:
        return None, names[0]
    if not texts or texts == [STDIN]:
        return _only(names), _typed(bool(texts))
    return _only(names), "\n".join(texts)


def _is_text(word: str) -> bool:
    return word == STDIN or any(each.isspace() for each in word)


def _only(targets: list[str]) -> str | None:
    if len(targets) > 1:
        raise NotExplainable(
            "An error comes from one target", where=", ".join(targets), hint="Name one, or none."
        )
    return targets[0] if targets else None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise NotExplainable(
            f"The file cannot be read: {error.strerror}", where=str(file), hint="Correct its name."
        ) from error


def _typed(asked: bool) -> str:
    if not asked and sys.stdin.isatty():
        raise NotExplainable(
            "There is no text to explain",
            hint='Give it in quotes, with --file FILE, or on standard input: integrity_explain "ERROR: …"',
        )
    return sys.stdin.read()
