#!/usr/bin/env python
"""Runs Django's and this package's commands on the site that is shipped to try it with."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command named in the arguments, with the project's settings unless others are named."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "integrity_project.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
