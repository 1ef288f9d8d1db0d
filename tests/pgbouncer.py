"""A real PgBouncer in transaction mode, in front of a test's PostgreSQL database.

It is the package ``pgbouncer`` of the system; nobody can bring it in a wheel. Where it is not, the tests
that need it are skipped, counted and named. It runs on the loopback interface as whoever runs the tests, for
root as the ordinary user that servers run as too, and is ended by its process.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from integrity_project.postgres import HOST, PostgresServer
from integrity_project.postgres_account import ServerAccount, scratch_folder

PLACES = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
MISSING = "no PgBouncer: this machine has none; install the package pgbouncer"

CONFIGURATION = """
[databases]
* = host={host} port={server_port}

[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = {pool_size}
min_pool_size = 0
reserve_pool_size = 0
max_client_conn = 50
server_reset_query_always = 0
query_wait_timeout = 5
"""
TRIES = 5


@dataclass(frozen=True)
class Pooler:
    """A PgBouncer that runs because a test started it."""

    port: int
    folder: Path = field(repr=False)
    process: "subprocess.Popen[bytes]" = field(repr=False)

    def url(self, direct: str) -> str:
        """The URL that reaches by way of the pooler what ``direct`` reaches past it."""
        head, _, tail = direct.rpartition("@")
        return f"{head}@{HOST}:{self.port}/{tail.partition('/')[2]}"

    def stop(self) -> None:
        """End it, its clients with it, and remove what was made for it."""
        for request in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.process.pid, request)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(5)
        shutil.rmtree(self.folder, ignore_errors=True)


StartPooler = Callable[..., Pooler]


def start(server: PostgresServer, *, pool_size: int = 3, users: Sequence[str] = ("postgres",)) -> Pooler:
    """Start one in front of a server, for these users, and wait until it answers.

    Between finding a free port and using it another process may take it, so try a few.
    """
    for _ in range(TRIES):
        pooler = _start(server, pool_size, users)
        if _answers(pooler):
            return pooler
        log = (pooler.folder / "log").read_text(errors="replace")
        pooler.stop()
    return pytest.fail(f"PgBouncer did not start. Its log ends:\n{log[-2_000:]}")


def _start(server: PostgresServer, pool_size: int, users: Sequence[str]) -> Pooler:
    program = shutil.which("pgbouncer", path=PLACES)
    if program is None:
        pytest.skip(MISSING)
    account = ServerAccount.choose()
    folder = scratch_folder(account, "integrity-pool-")
    port = _free_port()
    names, settings, log = folder / "users.txt", folder / "pgbouncer.ini", folder / "log"
    names.write_text("".join(f'"{user}" ""\n' for user in users))
    settings.write_text(
        CONFIGURATION.format(host=HOST, port=port, server_port=server.port, pool_size=pool_size, users=names)
    )
    return Pooler(port, folder, account.spawn([program, settings], log))


@pytest.fixture
def start_pooler() -> Iterator[StartPooler]:
    """Return a function that starts a PgBouncer in front of a server; all end with the test."""
    with contextlib.ExitStack() as ending:

        def start_one(server: PostgresServer, **options: object) -> Pooler:
            pooler = start(server, **options)  # type: ignore[arg-type]
            ending.callback(pooler.stop)
            return pooler

        yield start_one


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _answers(pooler: Pooler) -> bool:
    """Whether it takes connections."""
    until = time.monotonic() + 60
    while time.monotonic() < until and pooler.process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((HOST, pooler.port), timeout=1):
            return True
        time.sleep(0.02)
    return False
