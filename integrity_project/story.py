"""What a story in a terminal is told with: chapters, words, and commands whose output is shown."""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
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
        code = subprocess.run(
            self.command(*words), env=self.environment, cwd=CHECKOUT, check=False
        ).returncode
        if code not in ends_with:
            raise StoryError(f"manage.py {' '.join(words)} ended with {code}, not {ends_with[0]}")

    def quietly(self, *words: str, **environment: str) -> None:
        """Runs ``manage.py`` without showing it.

        Raises:
            StoryError: with what it printed, when it fails.
        """
        done = subprocess.run(
            self.command(*words),
            env=self.environment | environment,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StoryError(f"manage.py {' '.join(words)} failed:\n{done.stdout}{done.stderr}")

    @staticmethod
    def command(*words: str) -> list[str]:
        """Returns what runs ``manage.py`` with these words."""
        return [sys.executable, str(CHECKOUT / "manage.py"), *words]
