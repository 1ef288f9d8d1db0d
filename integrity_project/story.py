"""What a story in a terminal is told with: chapters, words, and commands whose output is shown."""

import multiprocessing
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from multiprocessing.context import ForkServerContext
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

CHECKOUT = Path(__file__).resolve().parent.parent


class StoryError(Exception):
    """A command of the story did not end as it should."""


@dataclass
class Story:
    """Tells what happens and runs the commands of it."""

    environment: dict[str, str]
    console: Console = field(default_factory=lambda: Console(highlight=False))

    def chapter(self, title: str, text: str) -> None:
        """Begins a part of the story."""
        self.console.print()
        self.console.print(Panel(Text(text), title=f"[bold]{title}", title_align="left", border_style="cyan"))

    def say(self, text: str) -> None:
        """Says what comes next."""
        self.console.print(f"\n[cyan]▸ {text}")

    def run(self, *words: str, ends_with: Sequence[int] = (0,)) -> None:
        """Runs ``manage.py`` with these words, its output on the terminal.

        Raises:
            StoryError: it ended with another code than it should.
        """
        self.console.print(Text(f"$ manage.py {shlex.join(words)}", style="bold"), soft_wrap=True)
        self.console.file.flush()
        code = self._ended(words)
        if code not in ends_with:
            raise StoryError(f"manage.py {' '.join(words)} ended with {code}, not {ends_with[0]}")

    def _ended(self, words: Sequence[str]) -> int | None:
        """Runs a command in a process of its own, which begins where Django is imported already."""
        # Not before the environment of the server that forks is known.
        from integrity_project.preloaded import manage  # noqa: PLC0415

        process = self._forks.Process(target=manage, args=tuple(words))
        process.start()
        process.join()
        return process.exitcode

    @cached_property
    def _forks(self) -> ForkServerContext:
        """The environment is that of the server which forks, for all of them."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["integrity_project.preloaded"])
        os.environ.update(self.environment)
        return context

    def quietly(self, *words: str, ends_with: Sequence[int] = (0,), **environment: str) -> None:
        """Runs ``manage.py`` without showing it.

        Raises:
            StoryError: with what it printed, when it ends with another code than it should.
        """
        done = subprocess.run(
            self.command(*words),
            env=self.environment | environment,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in ends_with:
            raise StoryError(f"manage.py {' '.join(words)} failed:\n{done.stdout}{done.stderr}")

    @staticmethod
    def command(*words: str) -> list[str]:
        """Returns what runs ``manage.py`` with these words."""
        return [sys.executable, str(CHECKOUT / "manage.py"), *words]
