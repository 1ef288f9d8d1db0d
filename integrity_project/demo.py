"""The story from broken to enforced, told in a terminal on three systems; then the site, to look around.

Everything shown is the real command, run as anybody would run it; the demo ends with an error when one
does not end as it should. ``SERVE=0`` ends after the story.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from fixtures import gaztime, mexc, trulybot
from integrity_project.environment import flag
from integrity_project.postgres import PostgresError, PostgresServer, find_servers, start

CHECKOUT = Path(__file__).resolve().parent.parent
FOLDER = CHECKOUT / "var" / "demo"
ROWS = int(os.environ.get("DEMO_ROWS", "20000"))
USER = "admin"
PORTS = range(8000, 8020)


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
        self.console.print(Text(f"$ manage.py {' '.join(words)}", style="bold"))
        self.console.file.flush()
        code = subprocess.run(self._command(*words), env=self.environment, check=False).returncode
        if code not in ends_with:
            raise StoryError(f"manage.py {' '.join(words)} ended with {code}, not {ends_with[0]}")

    def quietly(self, *words: str, **environment: str) -> None:
        """Runs ``manage.py`` without showing it.

        Raises:
            StoryError: with what it printed, when it fails.
        """
        done = subprocess.run(
            self._command(*words),
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StoryError(f"manage.py {' '.join(words)} failed:\n{done.stdout}{done.stderr}")

    @staticmethod
    def _command(*words: str) -> list[str]:
        return [sys.executable, str(CHECKOUT / "manage.py"), *words]


def main() -> int:
    """Tells the story and serves the site; returns the exit code."""
    begun = time.monotonic()
    console = Console(highlight=False)
    try:
        with _server() as server:
            story = Story(_environment(server), console)
            _prepare(story, server)
            _gaztime(story)
            _trulybot(story, server)
            _mexc(story)
            console.print(f"\n[green]The whole story took {time.monotonic() - begun:.0f} s.")
            if flag("SERVE", default=True):
                _serve(story)
    except (StoryError, PostgresError) as error:
        console.print(f"\n[bold red]The demo stopped:[/] {error}", markup=True)
        return 1
    except KeyboardInterrupt:
        console.print("\nGood-bye.")
    return 0


@contextmanager
def _server() -> Iterator[PostgresServer]:
    installations = find_servers()
    if not installations:
        raise PostgresError("There is no PostgreSQL, not even the wheel's: run make install again.")
    with start(installations[0]) as server:
        yield server


def _environment(server: PostgresServer) -> dict[str, str]:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "integrity_project.settings",
        "DATABASE_URL": f"sqlite:///{FOLDER / 'site.sqlite3'}",
        "INTEGRITY_TARGETS": f"gaztime={server.url('postgres')} trulybot={server.url('trulybot')} "
        f"mexc=sqlite:///{FOLDER / 'mexc.sqlite3'}",
    }


def _prepare(story: Story, server: PostgresServer) -> None:
    story.chapter(
        "Three databases that lost their referential integrity",
        f"A gas delivery service and a support bot on PostgreSQL {server.version}, a trading bot on SQLite, "
        f"all as their teams found them: no foreign keys, deleted users whose rows stayed, an import that "
        f"never found its parents. About {ROWS:,} orders and as many executions; nothing is downloaded.",
    )
    with story.console.status("building them …"):
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE trulybot")
        trulybot.build(server.url("trulybot"), rows=ROWS)
        gaztime.build(server.url("postgres"), rows=ROWS)
        mexc.build(FOLDER / "mexc.sqlite3", rows=ROWS)
        story.quietly("migrate", "--verbosity=0")
    story.run("integrity_targets")


def _gaztime(story: Story) -> None:
    story.chapter(
        "gaztime · PostgreSQL",
        "Stop the bleeding first: indexes, then foreign keys that bind new rows. Then clean, then validate.",
    )
    story.say("A backup first.")
    story.run("integrity_backup", "gaztime")
    story.say("What is wrong? Exit code 1 says: there are findings.")
    story.run("integrity_audit", "gaztime", ends_with=(1,))
    story.say("What would be done about it, through every level, before anything is.")
    story.run("integrity_plan", "gaztime")
    story.say("Phases 1 and 2: the indexes, and the foreign keys for new rows, while others go on writing.")
    story.run("integrity_migrate", "gaztime", "--phase", "2")
    story.say("The repair, by the catalog's policies: every row that it touches is in the journal first.")
    story.run("integrity_cleanup", "gaztime", "--no-input", "--require-backup")
    story.say("Phase 3: the foreign keys hold for every row.")
    story.run("integrity_migrate", "gaztime")
    story.say(
        "And the proof: rows that must be refused are tried, plans are read, flows are run and taken back."
    )
    story.run("integrity_verify", "gaztime")
    story.say(
        "One thing back: the orders of pods that are gone. A foreign key stands in the way, and says so."
    )
    one = ("integrity_rollback", "gaztime", "1", "--reference", "orders.pod_id", "--no-input")
    story.run(*one, ends_with=(2,))
    story.run(*one, "--unvalidate")


def _trulybot(story: Story, server: PostgresServer) -> None:
    story.chapter(
        "trulybot · PostgreSQL as Supabase has it",
        "A migration stopped half way, production is half migrated, and all that anybody has is this:\n\n"
        + _error(server),
    )
    story.say("What does it mean? Which rows, how many more like it, why, and what to run.")
    story.run("integrity_explain", trulybot.ERROR)
    story.say("Before anything is deleted: is it worth keeping? Exit code 1 says: there are orphans.")
    story.run("integrity_diagnose", "trulybot", "--reference", "orders.user_id", ends_with=(1,))
    story.say("First the foreign keys for new rows; what the failed migration had made is adopted.")
    story.run("integrity_backup", "trulybot")
    story.run("integrity_migrate", "trulybot", "--phase", "2")
    story.say("The repair that the team had decided on. Every row is in the journal, and in error_logs.")
    story.run("integrity_cleanup", "trulybot", "--no-input", "--require-backup")
    story.say("Were the orders worth keeping? They come back, each as it was, and can be looked at again.")
    story.run(
        "integrity_rollback", "trulybot", "1", "--reference", "orders.user_id", "--unvalidate", "--no-input"
    )
    story.say("They were not. Once more; then leads.user_id, a text in five spellings, becomes a UUID.")
    story.run("integrity_cleanup", "trulybot", "--no-input", "--require-backup")
    story.run("integrity_migrate", "trulybot")
    story.run("integrity_verify", "trulybot")
    story.run("integrity_log", "trulybot")


def _error(server: PostgresServer) -> str:
    """Runs what the failed migration ran, and returns what it says."""
    try:
        with psycopg.connect(server.url("trulybot")) as connection:
            connection.execute(trulybot.FAILING_STATEMENT)
    except psycopg.errors.ForeignKeyViolation as error:
        said = error.diag
        return f"ERROR:  {said.sqlstate}: {said.message_primary}\n{said.message_detail}"
    raise StoryError("the failing migration did not fail")


def _mexc(story: Story) -> None:
    story.chapter(
        "mexc · SQLite",
        "Its catalog keeps orphans until somebody decides. Somebody does, as the delete actions suggest.",
    )
    story.run("integrity_backup", "mexc")
    story.run("integrity_audit", "mexc", ends_with=(1,))
    story.run("integrity_cleanup", "mexc", "--action", "suggested", "--no-input")
    story.say("Foreign keys are written into the stored schema in place, whatever the size of the file.")
    story.run("integrity_migrate", "mexc")
    story.run("integrity_verify", "mexc")
    story.say("Everything back, structure and rows, and the comparison that proves it.")
    story.run("integrity_rollback", "mexc", "1", "--with-migrations", "--no-input")
    story.run("integrity_log", "mexc")


def _serve(story: Story) -> None:
    """Serves admin on localhost until Ctrl-C."""
    password = secrets.token_urlsafe(9)
    story.quietly(
        "createsuperuser", "--no-input", f"--username={USER}", f"--email={USER}@example.org",
        DJANGO_SUPERUSER_PASSWORD=password,
    )  # fmt: skip
    port = next((port for port in PORTS if _is_free(port)), None)
    if port is None:
        raise StoryError(
            f"ports {PORTS.start} to {PORTS.stop - 1} are all taken; free one and run make demo again"
        )
    address = f"127.0.0.1:{port}"
    story.chapter(
        "Triage in admin",
        f"http://{address}/admin/   user {USER}   password {password}\n"
        "mexc is broken again, for you to triage. Ctrl-C ends it all.",
    )
    process = subprocess.Popen(story._command("runserver", "--noreload", address), env=story.environment)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        process.wait()
    finally:
        process.terminate()
        process.wait()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


if __name__ == "__main__":
    sys.exit(main())
