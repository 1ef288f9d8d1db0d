"""The story from broken to enforced, told in a terminal; then the site, to look around.

Everything shown is the real command, run as anybody would run it; the demo ends with an error when one
does not end as it should.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console

from integrity_project.postgres import PostgresError, PostgresServer, find_servers, start
from integrity_project.story import CHECKOUT, Story, StoryError
from integrity_project.systems import SYSTEMS, Ground

FOLDER = CHECKOUT / "var" / "demo"
USER = "admin"
PORTS = range(8000, 8020)
NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven")


def tell(names: Sequence[str], *, rows: int, serve: bool) -> int:
    """Tells the stories of these systems, and serves the site afterwards.

    Args:
        names: keys of :data:`integrity_project.systems.SYSTEMS`, in the order of the telling.
        rows: how many rows the largest table of each gets, about.
        serve: whether admin is served on localhost at the end, until Ctrl-C.

    Returns:
        The exit code: 0, or 1 when something did not end as it should.
    """
    begun = time.monotonic()
    console = Console(highlight=False)
    try:
        with _server() as server:
            ground = Ground(server, FOLDER)
            story = Story(_environment(ground, names), console)
            _prepare(story, ground, names, rows)
            for name in names:
                SYSTEMS[name].chapter(story, ground)
            whole = "whole story" if len(names) > 1 else "story"
            console.print(f"\n[green]The {whole} took {time.monotonic() - begun:.0f} s.")
            if serve:
                with console.status("looking at all of them once more …"):
                    aliases = [alias for name in names for alias in SYSTEMS[name].urls(ground)]
                    story.quietly("integrity_audit", *aliases, ends_with=(0, 1, 2))
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


def _environment(ground: Ground, names: Sequence[str]) -> dict[str, str]:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    urls = [f"{alias}={url}" for name in names for alias, url in SYSTEMS[name].urls(ground).items()]
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "integrity_project.settings",
        "DATABASE_URL": f"sqlite:///{FOLDER / 'site.sqlite3'}",
        "INTEGRITY_TARGETS": " ".join(urls),
    }


def _prepare(story: Story, ground: Ground, names: Sequence[str], rows: int) -> None:
    several = len(names) > 1
    title = f"{NUMBERS[len(names)]} {'databases' if several else 'database'} that lost "
    title += f"{'their' if several else 'its'} referential integrity"
    listed = "; ".join(SYSTEMS[name].what for name in names)
    story.chapter(
        title,
        f"{listed[0].upper()}{listed[1:]}: as {'their teams' if several else 'its team'} found "
        f"{'them' if several else 'it'}. PostgreSQL is {ground.server.version}. The largest tables have "
        f"about {rows:,} rows; nothing is downloaded.",
    )
    with story.console.status("building …"):
        for name in names:
            SYSTEMS[name].build(ground, rows)
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
            f"ports {PORTS.start} to {PORTS.stop - 1} are all taken; free one and run the demo again"
        )
    address = f"127.0.0.1:{port}"
    story.chapter(
        "Triage in admin",
        f"http://{address}/admin/integrity/   user {USER}   password {password}\n"
        "What was rolled back is broken again, for you to triage: choose a target, then one of its findings, "
        "and decide what becomes of its orphans. Ctrl-C ends it all.",
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
