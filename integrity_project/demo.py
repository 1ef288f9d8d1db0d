"""The story from broken to enforced, told in a terminal on four systems; then the site, to look around.

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
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from rich.console import Console

from fixtures import commerce, gaztime, mexc, trulybot
from integrity_project.chapters import commerce_chapter, gaztime_chapter, mexc_chapter, trulybot_chapter
from integrity_project.environment import flag
from integrity_project.postgres import PostgresError, PostgresServer, find_servers, start
from integrity_project.story import CHECKOUT, Story, StoryError

FOLDER = CHECKOUT / "var" / "demo"
ROWS = int(os.environ.get("DEMO_ROWS", "20000"))
USER = "admin"
PORTS = range(8000, 8020)


def main() -> int:
    """Tells the story and serves the site; returns the exit code."""
    begun = time.monotonic()
    console = Console(highlight=False)
    try:
        with _server() as server:
            story = Story(_environment(server), console)
            _prepare(story, server)
            gaztime_chapter(story)
            trulybot_chapter(story, server)
            commerce_chapter(story)
            mexc_chapter(story)
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
        f"commerce={server.url('commerce')} mexc=sqlite:///{FOLDER / 'mexc.sqlite3'}",
    }


def _prepare(story: Story, server: PostgresServer) -> None:
    story.chapter(
        "Four databases that lost their referential integrity",
        f"A gas delivery service, a support bot and a multi-tenant shop on PostgreSQL {server.version}, "
        "a trading bot on SQLite, all as their teams found them: no foreign keys, rows of users and stores "
        "that were deleted, an import that never found its parents. The largest tables have about "
        f"{ROWS:,} rows; nothing is downloaded.",
    )
    with story.console.status("building them …"):
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE trulybot")
            connection.execute("CREATE DATABASE commerce")
        trulybot.build(server.url("trulybot"), rows=ROWS)
        commerce.build(server.url("commerce"), rows=ROWS)
        gaztime.build(server.url("postgres"), rows=ROWS)
        mexc.build(FOLDER / "mexc.sqlite3", rows=ROWS)
        story.quietly("migrate", "--verbosity=0")
    story.run("integrity_targets")


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
    process = subprocess.Popen(story.command("runserver", "--noreload", address), env=story.environment)
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
