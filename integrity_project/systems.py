"""The systems that the demo tells of: how each is built, and where its story is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from fixtures import commerce, cts, gaztime, mexc, trulybot
from fixtures.broken import MINIMUM_ROWS
from integrity_project.chapters import (
    commerce_chapter,
    cts_chapter,
    gaztime_chapter,
    mexc_chapter,
    trulybot_chapter,
)
from integrity_project.postgres import PostgresServer
from integrity_project.story import Story


@dataclass(frozen=True)
class Ground:
    """Where the demo's databases are kept: a server, and a folder for files."""

    server: PostgresServer
    folder: Path

    def database(self, name: str) -> str:
        """Returns the URL of the server's database of that name."""
        return self.server.url(name)

    def file(self, name: str) -> Path:
        """Returns the path of the SQLite file of that name."""
        return self.folder / f"{name}.sqlite3"

    def made(self, name: str) -> str:
        """Makes an empty database on the server; returns its URL."""
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.database(name)


@dataclass(frozen=True)
class System:
    """A broken system.

    ``urls`` gives the targets that it becomes, by alias; ``build`` makes them with so many rows in the
    largest table; ``chapter`` tells its story.
    """

    what: str
    urls: Callable[[Ground], dict[str, str]]
    build: Callable[[Ground, int], object]
    chapter: Callable[[Story, Ground], None]


def _build_cts(ground: Ground, rows: int) -> None:
    """Builds it on both engines; what there is to tell of it are its tables, so that a tenth is enough."""
    few = max(MINIMUM_ROWS, rows // 10)
    cts.build(ground.made("cts"), rows=few)
    cts.build(ground.file("cts_file"), rows=few)


SYSTEMS = {
    "gaztime": System(
        "a gas delivery service on PostgreSQL",
        lambda ground: {"gaztime": ground.database("gaztime")},
        lambda ground, rows: gaztime.build(ground.made("gaztime"), rows=rows),
        lambda story, ground: gaztime_chapter(story),
    ),
    "trulybot": System(
        "a support bot on PostgreSQL",
        lambda ground: {"trulybot": ground.database("trulybot")},
        lambda ground, rows: trulybot.build(ground.made("trulybot"), rows=rows),
        lambda story, ground: trulybot_chapter(story, ground.server),
    ),
    "commerce": System(
        "a multi-tenant shop on PostgreSQL",
        lambda ground: {"commerce": ground.database("commerce")},
        lambda ground, rows: commerce.build(ground.made("commerce"), rows=rows),
        lambda story, ground: commerce_chapter(story),
    ),
    "cts": System(
        "a trading suite on PostgreSQL and in a SQLite file",
        lambda ground: {
            "cts": ground.database("cts"),
            "cts_file": f"sqlite:///{ground.file('cts_file')}?catalog=cts",
        },
        _build_cts,
        lambda story, ground: cts_chapter(story),
    ),
    "mexc": System(
        "a trading bot on SQLite",
        lambda ground: {"mexc": f"sqlite:///{ground.file('mexc')}"},
        lambda ground, rows: mexc.build(ground.file("mexc"), rows=rows),
        lambda story, ground: mexc_chapter(story),
    ),
}
