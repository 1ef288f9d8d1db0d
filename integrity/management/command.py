"""What all commands have in common: options, formats, errors in one line, and exit codes."""

from __future__ import annotations

import re
import sys
import traceback
from typing import Any

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    SystemCheckError,
    handle_default_options,
)
from django.db import connections

from integrity.detectors import Severity
from integrity.exceptions import ChecksFailed, Interrupted, NotRecorded, ReferentialIntegrityError
from integrity.management.options import add_everywhere
from integrity.management.stopping import Terminated, terminated_with_a_word
from integrity.management.terminal import Terminal

DONE, FOUND, NOT_DONE = 0, 1, 2


def exit_code(*, complete: bool, found: bool) -> int:
    """Returns how a command ends: what could not be looked at wins over what was found in the rest,
    because nobody knows what it would have been.

    Args:
        complete: whether everything was done or looked at that was asked for.
        found: whether something was found at or above ``--fail-on``, or failed, or was refused.
    """
    if not complete:
        return NOT_DONE
    return FOUND if found else DONE


class IntegrityCommand(BaseCommand):
    """A command: subclasses parse, call the function that does the work, and format what it returns.

    Exit 0: done. Exit 1: something was found, a verification failed, rows were refused. Exit 2: it could
    not be done, or not completely, whatever was found in the rest; every exception ends here, so that a
    crash never reads as findings.
    """

    requires_system_checks: list[str] = []
    terminal: Terminal

    def add_arguments(self, parser: CommandParser) -> None:
        """The options that every command takes."""
        add_everywhere(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Does it, and returns the exit code."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        """Called by Django."""
        self.terminal = self._terminal(options)
        code = self.work(options)
        if code:
            raise SystemExit(code)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Turns whatever goes wrong into one line and exit code 2."""
        try:
            return super().execute(*args, **options)
        except (CommandError, SystemExit):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if options.get("traceback"):
                self.stderr.write(traceback.format_exc(), style_func=str)
            raise self._failure(as_ours(error), options) from error

    def run_from_argv(self, argv: list[str]) -> None:
        """As Django does it, but for the words and the exit code of an error."""
        with terminated_with_a_word():
            self._run_from_argv(argv)

    def _run_from_argv(self, argv: list[str]) -> None:
        self._called_from_command_line = True
        parser = self.create_parser(argv[0], argv[1])
        given = parser.parse_args(argv[2:])
        handle_default_options(given)
        options = vars(given)
        args = options.pop("args", ())
        try:
            self.execute(*args, **options)
        except CommandError as error:
            code = NOT_DONE if isinstance(error, SystemCheckError) else error.returncode
            self.stderr.write(f"error: {error}")
            sys.exit(code)
        finally:
            connections.close_all()

    def target_of(self, options: dict[str, Any]) -> str:
        """The target that an error belongs to."""
        return str(options.get("target") or ", ".join(options.get("targets") or []))

    def fails(self, severities: list[Severity], options: dict[str, Any]) -> bool:
        """Whether something is as bad as ``--fail-on`` says."""
        limit = Severity(options["fail_on"]).rank
        return any(each.rank >= limit for each in severities)

    def _failure(self, error: ReferentialIntegrityError, options: dict[str, Any]) -> CommandError:
        terminal = self._terminal(options)
        if terminal.format == "json" and not isinstance(error, NotRecorded):  # its document was shown
            data: dict[str, Any] = {"target": self.target_of(options), "error": error_json(error)}
            if isinstance(error, ChecksFailed):
                data["checks"] = [each.as_json() for each in error.checks]
            terminal.show(data, [])
        return CommandError(str(error), returncode=NOT_DONE)

    def _terminal(self, options: dict[str, Any]) -> Terminal:
        colour = {"no_color": False, "force_color": True}
        forced = [value for name, value in colour.items() if options.get(name)]
        return Terminal(
            self.stdout,
            self.stderr,
            options.get("format") or "text",
            forced[0] if forced else None,
            quiet=options.get("verbosity") == 0,
        )


class UnexpectedError(ReferentialIntegrityError):
    """What nobody foresaw: said in one line all the same."""


def as_ours(error: BaseException) -> ReferentialIntegrityError:
    """Returns an error in this product's shape."""
    if isinstance(error, ReferentialIntegrityError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted(f"Stopped by {'SIGTERM' if isinstance(error, Terminated) else 'Ctrl-C'}")
    line = next(iter(str(error).strip().splitlines()), "")
    name = type(error).__name__
    return UnexpectedError(f"{name}: {line}".rstrip(": ."), hint="Run with --traceback to see where.")


def error_json(error: ReferentialIntegrityError) -> dict[str, str]:
    """Returns an error as plain values; ``kind`` is its class: ``unknown_target``."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
    return {"kind": kind, "what": error.what, "where": error.where, "hint": error.hint}
