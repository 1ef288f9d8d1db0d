"""Two processes that migrate one target at once: one does it, the other waits or leaves with a word."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile

import pytest

from integrity.database.session import Target
from integrity.operations import AddIndex
from tests.commands import environment, manage
from tests.forking import Process
from tests.operations.commanding import start
from tests.operations.conftest import Shop

pytestmark = pytest.mark.newest_postgres_only

SLOW = """
import pathlib, time
from django.db.migrations import RunPython
from integrity.operations import CatalogMigration

def slow(apps, editor):
    pathlib.Path({begun!r}).touch()
    while not pathlib.Path({go!r}).exists():
        time.sleep(0.02)

class Migration(CatalogMigration):
    target = "target"
    dependencies = [("catalog_target", "0001_index")]
    operations = [RunPython(slow, RunPython.noop)]
"""


class Slow:
    """A shop whose second migration waits until it may go on, and processes that migrate it."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self.shop, self.begun, self.go = shop, folder / "begun", folder / "go"
        shop.migration("0001_index", AddIndex(table="orders", columns=("status",), name="orders_status_idx"))
        text = SLOW.format(begun=str(self.begun), go=str(self.go))
        (shop.root / shop.alias / "migrations" / "0002_slow.py").write_text(text)
        self.env = environment(folder / "site.sqlite3", {"target": shop.target.url})

    def start(self, *options: str) -> Process:
        return start(self.env, self.shop.root, "integrity_migrate", "target", "--no-input", *options)

    def wait_until_begun(self) -> None:
        until = time.monotonic() + 30
        while not self.begun.exists():
            assert time.monotonic() < until
            time.sleep(0.02)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site's own database, migrated once."""
    file = tmp_path_factory.mktemp("site") / "site.sqlite3"
    assert manage(environment(file, {}), "migrate", "--verbosity", "0").code == 0
    return file


@pytest.fixture
def slow(shop: Shop, tmp_path: Path, site: Path) -> Slow:
    copyfile(site, tmp_path / "site.sqlite3")
    return Slow(shop, tmp_path)


@contextmanager
def migrating(slow: Slow) -> Iterator[Process]:
    """A process in the middle of the second migration."""
    process = slow.start()
    try:
        slow.wait_until_begun()
        yield process
    finally:
        slow.go.touch()
        process.kill()
        process.communicate()


def test_who_does_not_wait_leaves_with_a_word(slow: Slow) -> None:
    with migrating(slow) as first:
        second = slow.start("--wait", "0")
        _, said = second.communicate(timeout=60)
        assert second.returncode == 2
        assert "Another process is migrating target" in said
        assert "Nothing was changed" in said

        slow.go.touch()
        first.communicate(timeout=60)
        assert first.returncode == 0


def test_who_waits_finds_nothing_to_do(slow: Slow) -> None:
    with migrating(slow) as first:
        second = slow.start("--wait", "60")
        assert second.stderr is not None
        waiting = second.stderr.readline()
        slow.go.touch()
        out, said = second.communicate(timeout=60)
        first.communicate(timeout=60)

    assert (first.returncode, second.returncode) == (0, 0)
    assert "waiting for up to 60 s" in waiting + said
    assert "Nothing to do" in out


def test_a_holder_that_is_killed_holds_nothing_any_more(slow: Slow) -> None:
    with migrating(slow) as first:
        os.kill(first.pid, signal.SIGKILL)
        first.communicate(timeout=60)

    second = slow.start("--wait", "30")
    out, said = second.communicate(timeout=60)

    assert second.returncode == 0, said
    assert "0002_slow" in out
    with Target(slow.shop.alias).reading() as session:
        assert session.value("SELECT count(*) FROM django_migrations WHERE app = 'catalog_target'") == 2
