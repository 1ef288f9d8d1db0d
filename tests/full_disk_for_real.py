"""A real full disk: ``unshare -m python -m tests.full_disk_for_real FOLDER MAJOR``, by root.

The disk is a small one in memory, in a mount namespace of its own, and ends with the process. MAJOR is a
PostgreSQL; 0 is SQLite in WAL mode. Whatever changes a target is begun with more and more room until it comes
to its end, and taken back alike; each line that is printed is one such way, and how often there was no room.
"""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import django

SIZE = 40 * 1024 * 1024
NOTE = "'" + "so many words that a page of a file is soon full of them, " * 3 + "'"
SHOP = f"""
CREATE TABLE customers (id integer PRIMARY KEY, code integer, name text);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, total integer, note text);
INSERT INTO customers WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
SELECT i, i / 2, {NOTE} FROM n;
INSERT INTO orders WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
SELECT i, i % 600, i, {NOTE} FROM n;
"""
REFERENCE = """
[[reference]]
from = "orders.customer_id"
to = "customers.id"
on_delete = "{action}"

[[unique]]
table = "customers"
columns = ["code"]
name = "customers_code_key"
"""
COLUMNS = ({"name": "id", "type": "text", "null": False}, {"name": "words", "type": "text"})


@contextmanager
def disk(folder: Path) -> Iterator[None]:
    """A small disk."""
    folder.mkdir()
    options = f"size={SIZE},mode=1777"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def room(folder: Path, left: int) -> Iterator[None]:
    """Fill the disk but for so many bytes."""
    stat, ballast = os.statvfs(folder), folder / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, stat.f_bavail * stat.f_frsize - left))
    try:
        yield
    finally:
        ballast.unlink()


def tried(folder: Path, work: Callable[[], Any], look: Callable[[], None] = lambda: None) -> int:
    """Do something with more room each time; return how often there was not enough."""
    from integrity.exceptions import NoRoom  # noqa: PLC0415 - Django has to be set up

    for failed in range(100):
        try:
            with room(folder, failed * failed * 20_000):
                work()
        except NoRoom:
            look()
        else:
            return failed
    raise AssertionError("it never came to its end")


def repaired(folder: Path, url: str, action: str) -> int:
    """A repair, gone on with until it ends, and its rollback."""
    from integrity.database.session import Target  # noqa: PLC0415 - Django has to be set up
    from integrity.plans import DuplicateRequest, Request, make_deduplication_plan, make_plan  # noqa: PLC0415
    from integrity.references import load_catalog  # noqa: PLC0415
    from integrity.references.uniques import Duplicates  # noqa: PLC0415
    from integrity.repairs import list_runs, resume_repair, roll_back, run_repair  # noqa: PLC0415
    from tests.repairs.world import _postgres_rows, _sqlite_rows  # noqa: PLC0415

    rows = _sqlite_rows if url.startswith("sqlite") else _postgres_rows
    file = folder.with_name("catalog.toml")
    file.write_text(REFERENCE.format(action="SET NULL" if action == "merge" else action))
    target, catalog = Target("target"), load_catalog("target", file)
    before = rows(url)
    if action == "merge":
        wish = DuplicateRequest(action=Duplicates.MERGE)
        plan = make_deduplication_plan(target, catalog, [wish])
    else:
        plan = make_plan(target, catalog, [Request(suggested=True)])

    def go_on() -> None:
        if list_runs(target):
            resume_repair(target, 1, catalog=catalog)
        else:
            run_repair(target, plan, catalog=catalog)

    failed = tried(folder, go_on)
    assert rows(url) != before
    failed += tried(folder, lambda: roll_back(target, 1, catalog=catalog))
    assert rows(url) == before
    return failed


def migrated(folder: Path, url: str, what: str) -> int:
    """A migration and its reverse, each of which is done or not done."""
    from django.conf import settings  # noqa: PLC0415 - Django has to be set up

    from integrity.operations import AddIndex, ConvertColumn, RecreateTable  # noqa: PLC0415
    from tests.operations.conftest import Shop  # noqa: PLC0415
    from tests.operations.test_full_disk import state  # noqa: PLC0415
    from tests.servers import EmptyTarget  # noqa: PLC0415

    text = {"postgresql": "id::text", "sqlite": "CAST(id AS text)"}
    operations = {
        "index": AddIndex(table="orders", columns=("note", "id"), name="orders_note_idx"),
        "conversion": ConvertColumn(table="orders", column="total", from_type="integer", to_type="text"),
        "new table": RecreateTable(
            table="orders", columns=COLUMNS, primary_key=("id",), copy={"id": text, "words": "note"}
        ),
    }
    root = folder.with_name(f"catalogs_{os.urandom(4).hex()}")
    settings.INTEGRITY = {"CATALOG_ROOT": root}
    vendor = "sqlite" if url.startswith("sqlite") else "postgresql"
    shop = Shop(EmptyTarget("target", vendor, url), root)
    shop.migration("0001_step", operations[what])
    before = state(shop)

    def as_before() -> None:
        assert state(shop) == before

    failed = tried(folder, shop.run, as_before)
    done = state(shop)
    assert done != before

    def as_done() -> None:
        assert state(shop) == done

    failed += tried(folder, lambda: shop.run(to="zero"), as_done)
    assert state(shop) == before
    return failed


WAYS = {
    **dict.fromkeys(["CASCADE", "SET NULL", "merge"], repaired),
    **dict.fromkeys(["index", "conversion", "new table"], migrated),
}


@contextmanager
def shop_of(folder: Path, server: Any, number: int) -> Iterator[str]:
    """A shop on the small disk, as the target; its URL."""
    import psycopg  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    from integrity_project.targets import database_settings  # noqa: PLC0415

    name = f"shop{number}"
    if server is None:
        url = f"sqlite:///{folder / name}"
        with closing(sqlite3.connect(folder / name)) as connection:
            connection.executescript(f"PRAGMA journal_mode = WAL; {SHOP}")
    else:
        url = server.url(name)
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} TABLESPACE small".encode())
        with psycopg.connect(url, autocommit=True) as connected:
            connected.execute(SHOP.encode())
    connections.databases["target"] = database_settings(url, alias="target")
    connections.configure_settings(connections.databases)
    yield url
    connections["target"].close()
    del connections["target"]
    if server is None:
        for each in folder.glob(f"{name}*"):
            each.unlink()
    else:
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def server_of(folder: Path, major: int) -> Iterator[Any]:
    """A PostgreSQL with a tablespace on the small disk; None for SQLite."""
    import psycopg  # noqa: PLC0415

    from integrity_project.postgres import find_servers, start  # noqa: PLC0415

    if not major:
        yield None
        return
    with start(next(each for each in find_servers() if each.major == major)) as server:
        space, owner = folder / "space", server.data_dir.stat()
        space.mkdir()
        os.chown(space, owner.st_uid, owner.st_gid)
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute(f"CREATE TABLESPACE small LOCATION '{space}'".encode())
        yield server


def main(where: str, major: str) -> None:
    """Go every way."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    folder = Path(where) / "disk"
    with disk(folder), server_of(folder, int(major)) as server:
        for number, (what, way) in enumerate(WAYS.items()):
            with shop_of(folder, server, number) as url:
                print(f"{what}: {way(folder, url, what)}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
