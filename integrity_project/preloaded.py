"""Commands in processes of their own that need not import everything first.

The server that forks them imports this module once (``multiprocessing``'s forkserver): starting Django
takes longer than most commands of a story take.
"""

import os
import sys
from pathlib import Path

import django
from django.core.management import execute_from_command_line
from django.urls import get_resolver

CHECKOUT = Path(__file__).resolve().parent.parent

django.setup()
_ = get_resolver().url_patterns  # admin and its forms come with them


def manage(*words: str) -> None:
    """Runs ``manage.py`` with these words; the process's exit code is the command's."""
    os.chdir(CHECKOUT)
    sys.argv = ["manage.py", *words]
    execute_from_command_line(sys.argv)
