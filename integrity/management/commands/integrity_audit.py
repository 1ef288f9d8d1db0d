"""Audits targets."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from integrity.audit import AuditResult
from integrity.exceptions import ReferentialIntegrityError
from integrity.management.blocks import Block, Line, Title
from integrity.management.command import NOT_DONE, IntegrityCommand, error_json, exit_code
from integrity.management.options import actor, add_references, add_target, positive
from integrity.management.reports.audits import audit_blocks
from integrity.tasks import audit_and_store

Outcome = AuditResult | ReferentialIntegrityError


class Command(IntegrityCommand):
    """Changes nothing in the target; what cannot be looked at makes exit 2."""

    help = "Audits targets, stores each run, and prints the findings and what was looked at."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which targets and references."""
        add_target(parser, several=True)
        add_references(parser)
        parser.add_argument(
            "--timeout",
            type=positive,
            metavar="SECONDS",
            help="how long one check may take (default: the setting)",
        )
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Audits one after the other; one that cannot be audited does not keep the others from it."""
        found = [(alias, self._audit(alias, options)) for alias in options["targets"]]
        documents = [_json(alias, each) for alias, each in found]
        blocks = [block for alias, each in found for block in _blocks(alias, each)]
        self.terminal.show(documents[0] if len(documents) == 1 else documents, blocks)
        return max(self._code(each, options) for _, each in found)

    def _audit(self, alias: str, options: dict[str, Any]) -> Outcome:
        timeout = options["timeout"]
        try:
            with self.terminal.progress(f"auditing {alias}") as told:
                return audit_and_store(
                    alias,
                    catalog_file=options["catalog"],
                    only=options["reference"],
                    statement_timeout_ms=None if timeout is None else timeout * 1000,
                    on_progress=told,
                    actor=actor(),
                )
        except ReferentialIntegrityError as error:
            if len(options["targets"]) == 1:
                raise
            self.terminal.say(f"error: {error}", "error")
            return error

    def _code(self, found: Outcome, options: dict[str, Any]) -> int:
        if isinstance(found, ReferentialIntegrityError):
            return NOT_DONE
        bad = self.fails([each.severity for each in found.findings], options)
        return exit_code(complete=found.coverage.complete, found=bad)


def _json(alias: str, found: Outcome) -> dict[str, Any]:
    if isinstance(found, ReferentialIntegrityError):
        return {"target": alias, "error": error_json(found)}
    return found.as_json()


def _blocks(alias: str, found: Outcome) -> list[Block]:
    if isinstance(found, ReferentialIntegrityError):
        return [Title(f"{alias}: not audited"), Line(str(found), "error")]
    return list(audit_blocks(found))
