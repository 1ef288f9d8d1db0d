#!/usr/bin/env python
"""Runs Django's and this package's commands on the site that is shipped to try it with."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

NOT_DONE = 2
"""What commands end with that could not do their work: 1 would say that something was found."""


def main() -> None:
    """Run the command named in the arguments, with the project's settings unless others are named."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "integrity_project.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv:
            raise
        sys.stderr.write(f"error: {error}\n")
        sys.exit(NOT_DONE)


if __name__ == "__main__":
    main()
