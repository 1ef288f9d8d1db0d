"""Applies or reverses a target's migrations."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from integrity.database.session import Target
from integrity.exceptions import CatalogMissing
from integrity.management.command import DONE, FOUND, NOT_DONE, IntegrityCommand
from integrity.management.confirmation import confirm
from integrity.management.options import actor, add_queries, add_target, add_waiver, patience
from integrity.management.reports.measurements import measured_blocks
from integrity.management.reports.migrations import (
    changed_blocks,
    ledger_blocks,
    migrate_json,
    sql_blocks,
    status_blocks,
    status_json,
    step_lines,
    steps_blocks,
)
from integrity.management.reports.releases import release_blocks, release_json, release_line
from integrity.management.window import Window, window
from integrity.models import Occasion
from integrity.operations.environments import in_environment
from integrity.operations.executor import StepEvent
from integrity.operations.migration_states import MigrationState, migration_status
from integrity.operations.runner import MigrateResult, run_migrations
from integrity.tasks import (
    ReleaseStep,
    changes_since,
    failed,
    ledgers_of,
    longest_of,
    measure_and_store,
    migrate_and_store,
    plan_of_migrations,
    release,
    waived,
)
from integrity.verification import MeasuredQueries


class Command(IntegrityCommand):
    """A second run does nothing; what exists already is adopted. Reversing is asked about first."""

    help = "Applies the migrations of a target catalog, or reverses them down to NAME (zero: all)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which migrations, what is done with them, and when."""
        add_target(parser)
        parser.add_argument(
            "name",
            nargs="*",
            metavar="NAME",
            help="the migration to go to, or the beginning of its name; with --release more targets",
        )
        _add_what(parser)
        _add_when(parser)
        add_waiver(parser)
        add_queries(parser, "measure the catalog's hot queries before and after; exit 1 when one got slower")
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Does it, in the environment that was chosen."""
        with in_environment(options["environment"]), waived(options["without_approval"], actor()):
            if options["release"]:
                return self._release(options)
            if len(options["name"]) > 1:
                raise CommandError("Write one NAME; several targets take --release.", returncode=2)
            return self._work(options | {"name": next(iter(options["name"]), None)})

    def _release(self, options: dict[str, Any]) -> int:
        """Target after target; one that fails keeps no other from being released."""
        odd = [name for name in ("list", "check", "sql", "dry_run", "queries", "window") if options[name]]
        if odd:
            raise CommandError(f"--release goes without --{odd[0].replace('_', '-')}.", returncode=2)

        def told(alias: str, step: ReleaseStep) -> None:
            self.terminal.say(*release_line(alias, step))

        done = [
            release(
                alias,
                catalog_file=options["catalog"],
                phase=options["phase"],
                wait=options["wait"],
                checks=options["checks"],
                actor=actor(),
                accept_changes=options["accept_changes"],
                on_step=told,
            )
            for alias in dict.fromkeys([options["target"], *options["name"]])
        ]
        self.terminal.show(release_json(done), list(release_blocks(done)))
        return NOT_DONE if failed(done) else DONE

    def _work(self, options: dict[str, Any]) -> int:
        """Lists, shows, or migrates."""
        target = Target(options["target"])
        if options["list"] or options["check"]:
            return self._list(target, options)
        wanted = {"to": options["name"], "phase": options["phase"]}
        if options["sql"]:
            result = run_migrations(target, with_sql=True, **wanted)
            self.terminal.show({"target": target.alias, "sql": list(result.sql)}, list(sql_blocks(result)))
        elif options["dry_run"]:
            result = plan_of_migrations(target.alias, checks=options["checks"], **wanted)
            shown = list(steps_blocks(result, planned=True))
            self.terminal.show(migrate_json(result, dry_run=True), shown)
        elif options["queries"]:
            return self._migrate_and_measure(target, options, wanted)
        else:
            result = self._migrate(target, options, wanted)
            self.terminal.show(migrate_json(result), list(steps_blocks(result)))
        return DONE

    def _migrate_and_measure(self, target: Target, options: dict[str, Any], wanted: dict[str, Any]) -> int:
        """Slower queries fail it, but not where protection is taken back: that is what it means."""
        pending = run_migrations(target, plan_only=True, **wanted).steps
        before = self._measured(target, options, Occasion.BEFORE) if pending else None
        result = self._migrate(target, options, wanted)
        shown, blocks = migrate_json(result) | {"measured": None}, list(steps_blocks(result))
        if before is None or not result.steps:
            self.terminal.show(shown, blocks)
            return DONE
        try:
            found = self._measured(target, options, Occasion.AFTER, baseline=before.after.run)
        except BaseException:
            self.terminal.preview(blocks)
            raise
        self.terminal.show(shown | {"measured": found.as_json()}, [*blocks, *measured_blocks(found)])
        backwards = all(step.backwards for step in result.steps)
        worse = found.regressed or any(each.broken for each in found.comparisons)
        return FOUND if worse and not backwards else DONE

    def _measured(
        self, target: Target, options: dict[str, Any], occasion: Occasion, baseline: int | None = None
    ) -> MeasuredQueries:
        with self.terminal.progress(f"measuring queries {occasion.label}") as told:
            return measure_and_store(
                target.alias,
                catalog_file=options["catalog"],
                seconds=options["query_seconds"],
                occasion=occasion,
                baseline=baseline,
                actor=actor(),
                on_progress=told,
            )

    def _list(self, target: Target, options: dict[str, Any]) -> int:
        ledgers = ledgers_of(target.alias, options["catalog"])
        try:
            states = migration_status(target)
        except CatalogMissing:
            if not ledgers or options["check"]:
                raise
            states = []
        changed = changes_since(target.alias)
        blocks = [*status_blocks(target.alias, states), *changed_blocks(changed), *ledger_blocks(ledgers)]
        self.terminal.show(status_json(target.alias, states, ledgers) | {"changed": changed}, blocks)
        waiting = any(each.state in (MigrationState.PENDING, MigrationState.UNKNOWN) for each in states)
        return FOUND if options["check"] and waiting else DONE

    def _migrate(self, target: Target, options: dict[str, Any], wanted: dict[str, Any]) -> MigrateResult:
        hours: Window | None = options["window"]
        if hours:
            hours.refuse_outside(target.alias)
        if options["input"]:
            self._ask(run_migrations(target, plan_only=True, **wanted))

        longest = longest_of(target.alias) if hours else {}

        def admit(step: StepEvent) -> None:
            if hours:
                hours.admit(step, target.alias, longest)

        def told(step: StepEvent) -> None:
            for line in step_lines(step, every=options["verbosity"] > 1):
                self.terminal.say(*line)

        def waits(seconds: float) -> None:
            self.terminal.say(
                f"Another process is migrating {target}: waiting for up to {seconds:g} s …", "warning"
            )

        return migrate_and_store(
            target.alias,
            on_step=told,
            admit=admit,
            checks=options["checks"],
            actor=actor(),
            wait=options["wait"],
            on_wait=waits,
            accept_changes=options["accept_changes"],
            **wanted,
        )

    def _ask(self, result: MigrateResult) -> None:
        """Forwards is what was reviewed with the files; backwards takes protection away."""
        if any(step.backwards for step in result.steps):
            self.terminal.preview(list(steps_blocks(result, planned=True)))
            confirm(self.terminal, f"Reverse these migrations of {result.target}?")


def _add_what(parser: CommandParser) -> None:
    """Migrating, or something instead of it."""
    parser.add_argument(
        "--release",
        action="store_true",
        help="what a deployment does: wait for the server, make the log table first, apply what is "
        "pending; of several targets; exit 0 when all of it is done, also by somebody else",
    )
    parser.add_argument("--phase", type=int, choices=(1, 2, 3), help="not beyond this phase")
    parser.add_argument(
        "--dry-run", "--plan", action="store_true", help="list what would be done, change nothing"
    )
    parser.add_argument("--list", action="store_true", help="list all migrations and their state")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 when a migration is not applied"
    )
    parser.add_argument("--sql", action="store_true", help="print the SQL, change nothing")
    parser.add_argument(
        "--environment",
        metavar="NAME",
        help="which environment of the catalog this is (default: the setting ENVIRONMENT)",
    )


def _add_when(parser: CommandParser) -> None:
    """What is waited for, and what keeps a migration from being begun."""
    parser.add_argument(
        "--window",
        type=window,
        metavar="HH:MM-HH:MM",
        help="begin no migration outside of these hours, in the site's time zone, nor one that by how "
        "long it took elsewhere would not end within them",
    )
    parser.add_argument(
        "--no-checks",
        action="store_false",
        dest="checks",
        help="do not look for orphans, duplicates and locks before each migration, nor at what it did",
    )
    parser.add_argument(
        "--wait",
        type=patience,
        metavar="SECONDS",
        help="how long to wait for another process that migrates the target (default: 5; 0: not at all), "
        "with --release also for the server (default: 60)",
    )
    parser.add_argument(
        "--accept-changes",
        action="store_true",
        help="go on although something else changed what migrations made since the last of them",
    )
