"""A process that migrates and is killed by itself in its third operation of a kind."""

import os
import signal
from typing import Any

from integrity import operations
from integrity.database.session import Target
from integrity.operations.runner import run_migrations


def main(alias: str, kind: str) -> None:
    """Die in the third operation of class ``kind``, after its work and before anything notes it."""
    operation = getattr(operations, kind)
    made, calls = operation.made, []

    def dying(self: Any, *arguments: Any) -> None:
        made(self, *arguments)
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    operation.made = dying
    run_migrations(Target(alias))
