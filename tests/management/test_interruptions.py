"""A repair that is stopped, or killed, in the middle: nothing is lost, and nothing half done."""

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from integrity.audit import OnProgress, Progress
from integrity.management.command import IntegrityCommand
from integrity.management.stopping import Stopper
from integrity.management.terminal import Terminal
from tests.commands import environment, manage, run, run_json, start
from tests.forking import Process
from tests.management.conftest import CATALOG, Shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

ORPHANS = 4 * 3_000
SETTINGS = """
from integrity_project.settings import *
INTEGRITY = {"BATCH_ROWS": 50, "BATCH_SECONDS": 0.0001}
"""
LEFT = "SELECT count(*) FROM lines WHERE order_id >= 100000"
ACTION = ("--action", "suggested", "--no-input")


@pytest.fixture
def large_shop(shop: Shop, settings: Any) -> Shop:
    """The shop with lines enough for many batches."""
    settings.INTEGRITY |= {"BATCH_ROWS": 50, "BATCH_SECONDS": 0.0001}
    shop.execute(
        "INSERT INTO lines (id, order_id, label) WITH RECURSIVE n(i) AS "
        f"(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ORPHANS}) "
        "SELECT 1000 + i, 100000 + i % 700, 'lost' FROM n"
    )
    return shop


@pytest.fixture(scope="module")
def migrated_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site's own database with its tables, to be copied."""
    site = tmp_path_factory.mktemp("site") / "site.sqlite3"
    ran = manage(environment(site, {}), "migrate", "-v0")
    assert ran.code == 0, ran.err
    return site


@pytest.fixture
def cleanup(large_shop: Shop, tmp_path: Path, migrated_site: Path) -> Process:
    """A cleanup in a process of its own, some of its batches done."""
    site = tmp_path / "other_site.sqlite3"
    shutil.copyfile(migrated_site, site)
    (tmp_path / "small_batches.py").write_text(SETTINGS)
    lent = tmp_path / "lent.toml"
    lent.write_text(CATALOG)
    env = environment(
        site,
        {"target": large_shop.target.url},
        DJANGO_SETTINGS_MODULE="small_batches",
        PYTHONPATH=str(tmp_path),
    )
    process = start(env, "integrity_cleanup", "target", *ACTION, "--catalog", lent)
    for _ in seconds(60):
        if process.poll() is not None or large_shop.rows(LEFT)[0][0] < ORPHANS:
            return process
    raise AssertionError("it never began")


def seconds(limit: float) -> Iterator[None]:
    until = time.monotonic() + limit
    while time.monotonic() < until:
        yield
        time.sleep(0.01)


@pytest.mark.parametrize("polite", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_batch_finish_and_says_how_to_go_on(
    large_shop: Shop, cleanup: Process, polite: signal.Signals
) -> None:
    cleanup.send_signal(polite)
    out, err = cleanup.communicate(timeout=60)
    assert cleanup.returncode == 2, err
    assert "stopping after this batch" in err
    assert "--resume 1" in out
    assert "Traceback" not in err
    assert 0 < large_shop.rows(LEFT)[0][0] < ORPHANS
    assert [each["state"] for each in run_json("log", "target")["runs"]] == ["cancelled"]
    resumed = run_json("cleanup", "target", "--resume", 1, "--no-input")
    assert sum(each["deleted"] for each in resumed["rows"].values()) == ORPHANS + 1
    assert large_shop.rows(LEFT)[0][0] == 0


def test_kill_minus_nine_loses_nothing(large_shop: Shop, cleanup: Process) -> None:
    cleanup.kill()
    cleanup.communicate(timeout=60)
    assert cleanup.returncode == -signal.SIGKILL
    left = large_shop.rows(LEFT)[0][0]
    assert 0 < left < ORPHANS
    assert [each["state"] for each in run_json("log", "target")["runs"]] == ["interrupted"]
    resumed = run_json("cleanup", "target", "--resume", 1, "--no-input")
    assert sum(each["deleted"] for each in resumed["rows"].values()) == ORPHANS + 1
    back = run_json("rollback", "target", 1, "--no-input")
    assert back["proof"]["rows_equal"] is True
    assert all(each["table_equal"] for each in back["proof"]["tables"].values())
    assert large_shop.rows(LEFT)[0][0] == ORPHANS


def test_a_killed_repair_can_be_taken_back_as_it_is(large_shop: Shop, cleanup: Process) -> None:
    cleanup.kill()
    cleanup.communicate(timeout=60)
    back = run_json("rollback", "target", 1, "--no-input")
    assert back["proof"]["rows_equal"] is True
    assert back["proof"]["schema_equal"] is True
    assert all(each["table_equal"] for each in back["proof"]["tables"].values())
    assert large_shop.rows(LEFT)[0][0] == ORPHANS


def test_ctrl_c_at_once_leaves_whole_batches(large_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    before = large_shop.state()

    @contextmanager
    def impatient(terminal: Terminal, what: str) -> Iterator[OnProgress]:
        told: list[Progress] = []

        def on_progress(progress: Progress) -> None:
            told.append(progress)
            if what.startswith("repairing") and len(told) == 3:
                raise KeyboardInterrupt

        yield on_progress

    with monkeypatch.context() as patch:
        patch.setattr(Terminal, "progress", impatient)
        ran = run("cleanup", "target", *ACTION)
    assert ran.code == 2
    assert "--resume 1" in ran.err
    assert 0 < large_shop.rows(LEFT)[0][0] < ORPHANS
    assert run("rollback", "target", 1, "--no-input").code == 0
    assert large_shop.state() == before


def test_the_first_signal_asks_and_the_second_insists() -> None:
    said: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    with Stopper(said.append) as stop:
        assert stop() is None
        signal.raise_signal(signal.SIGINT)
        assert stop() == "cancelled"
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert len(said) == 1
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_after_the_last_batch_does_not_keep_the_result_from_being_shown() -> None:
    said: list[str] = []
    with Stopper(said.append) as stop:
        with stop.running():
            assert stop() is None
        signal.raise_signal(signal.SIGTERM)
        said.append("the result")
    assert said == ["the result"]


class Elsewhere(IntegrityCommand):
    """A command whose process is ended while no batch is running."""

    def work(self, options: dict[str, Any]) -> int:
        signal.raise_signal(signal.SIGTERM)
        return 0


def test_sigterm_outside_of_batches_ends_a_command_with_a_word_and_exit_code_two(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as stop:
        Elsewhere().run_from_argv(["manage.py", "integrity_elsewhere"])
    assert stop.value.code == 2
    assert "error: Stopped by SIGTERM" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


def test_sigterm_right_after_a_run_is_no_silent_death(capsys: pytest.CaptureFixture[str]) -> None:
    class Shortly(IntegrityCommand):
        def work(self, options: dict[str, Any]) -> int:
            with Stopper(self.terminal.say) as stop, stop.running():
                pass
            signal.raise_signal(signal.SIGTERM)
            return 0

    with pytest.raises(SystemExit):
        Shortly().run_from_argv(["manage.py", "integrity_shortly"])
    assert "error: Stopped by SIGTERM" in capsys.readouterr().err
