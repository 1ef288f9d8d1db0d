"""Carries out the jobs that pages ask for."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandParser

from integrity import conf, models
from integrity.management.blocks import Line
from integrity.management.command import DONE, NOT_DONE, IntegrityCommand
from integrity.management.options import seconds
from integrity.management.stopping import Stopper
from integrity.tasks.background.working import Workshop

_STYLES = {models.RunState.FAILED: "error", models.RunState.FINISHED: "good"}


class Command(IntegrityCommand):
    """Runs until it is told to end: by SIGTERM, Ctrl-C, or with ``--once`` when nothing waits."""

    help = (
        "Carries out audits, backups, plans, repairs, rollbacks, verifications and migrations that pages ask "
        "for. Told to end, it stops repairs between two batches; the next worker goes on with them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """How much, and how often."""
        parser.add_argument("--once", action="store_true", help="end when nothing waits any more")
        parser.add_argument(
            "--threads", type=_threads, default=1, metavar="N", help="how many jobs at once (default: 1)"
        )
        parser.add_argument(
            "--name", default="", help="how pages call this worker (default: host and number)"
        )
        parser.add_argument(
            "--interval",
            type=seconds,
            default=1.0,
            metavar="SECONDS",
            help="how long to wait for the next look when nothing waits (default: 1)",
        )
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Works, and says what came of each job."""
        self._warn()
        with Stopper(self.terminal.say) as stop:
            shop = Workshop(
                **({"name": options["name"]} if options["name"] else {}),
                threads=options["threads"],
                interval=options["interval"],
                leaving=lambda: stop() is not None,
                told=self._told,
            )
            self.terminal.say(f"{shop.name} waits for jobs", "faint")
            done = shop.run(once=options["once"])
        if options["once"]:
            self.terminal.show(
                {"worker": shop.name, "jobs": [_facts(job) for job in done]},
                [Line(f"{len(done):,} jobs carried out", "good" if done else "faint")],
            )
        return NOT_DONE if any(job.state == models.RunState.FAILED for job in done) else DONE

    def _warn(self) -> None:
        carrier = conf.carrier()
        if carrier in (models.Carrier.THREAD, models.Carrier.TASKS):
            self.terminal.say(
                f'INTEGRITY["CARRIER"] is "{carrier}": new jobs are not given to this worker', "warning"
            )

    def _told(self, job: models.Job) -> None:
        said = f"job {job.pk}: {job.kind} of {job.target}: {job.get_state_display()}"
        self.terminal.say(f"{said} {job.error}".strip(), _STYLES.get(models.RunState(job.state), ""))


def _threads(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number of threads: give 1 or more.")
    return int(text)


def _facts(job: models.Job) -> dict[str, Any]:
    return {
        "job": job.pk,
        "target": job.target.alias,
        "kind": job.kind,
        "state": job.state,
        "result": job.result,
        "error": job.error,
    }
