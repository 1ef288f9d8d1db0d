"""``manage.py demo``: the story of every system, or of some."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrity.database.schema import did_you_mean
from integrity_project.demo import tell
from integrity_project.environment import flag
from integrity_project.systems import SYSTEMS

LEAST_ROWS = 100


class Command(BaseCommand):
    """Builds broken databases, heals them before your eyes, and serves the site to look around.

    The environment gives the defaults: ``SERVE=0`` ends after the story, ``DEMO_ROWS`` is its size.
    """

    help = "Tells the story from broken to enforced on real databases, then serves admin on localhost."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which systems, how large, and whether to go on."""
        systems = ", ".join(f"{name} ({system.what})" for name, system in SYSTEMS.items())
        parser.add_argument("systems", nargs="*", metavar="SYSTEM", help=f"default: all of them: {systems}")
        parser.add_argument(
            "--rows", type=int, default=int(os.environ.get("DEMO_ROWS", "20000")),
            help="how many rows the largest table of each gets, about (default: %(default)s)",
        )  # fmt: skip
        parser.add_argument(
            "--no-serve", action="store_true", help="end after the story, as with SERVE=0 in the environment"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Tells it; its exit code becomes the process's."""
        names = list(dict.fromkeys(options["systems"])) or list(SYSTEMS)
        for name in names:
            if name not in SYSTEMS:
                raise CommandError(f"There is no system {name!r}. {did_you_mean(name, list(SYSTEMS))}")
        if options["rows"] < LEAST_ROWS:
            raise CommandError(f"--rows {options['rows']} is too few; give it at least {LEAST_ROWS}.")
        serve = flag("SERVE", default=True) and not options["no_serve"]
        sys.exit(tell(names, rows=options["rows"], serve=serve))
