"""A PostgreSQL server of one's own, for the demo and the tests.

The PostgreSQL that comes in a wheel, and every other that the machine has, is started on the loopback
interface, in a folder of its own, by whoever runs this, and stopped when they are done.
PostgreSQL refuses to run as root; then it runs as the ordinary user that ``ServerAccount`` chooses.
"""

import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from integrity_project.postgres_account import PostgresError, ServerAccount, scratch_folder
from integrity_project.postgres_installation import Installation, find_servers, reachable

__all__ = ["Installation", "PostgresError", "PostgresServer", "find_servers", "start"]

HOST = "127.0.0.1"
SUPERUSER = "postgres"
START_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0
PORT_ATTEMPTS = 5

SETTINGS = {
    "listen_addresses": HOST,
    "max_connections": "100",
    "max_locks_per_transaction": "256",
    "shared_buffers": "64MB",
    "jit": "off",
    "timezone": "UTC",
    "logging_collector": "off",
}
"""What a demo and a test want of any server."""

FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
"""For data that may be lost when the machine stops."""


@dataclass(frozen=True)
class PostgresServer:
    """A server that runs because we started it; also a context manager that stops it."""

    installation: Installation
    data_dir: Path
    socket_dir: Path
    """Made for this server, with the data when no other folder was given; removed with it."""
    port: int
    process: "subprocess.Popen[bytes]" = field(repr=False)
    host: str = HOST

    @property
    def bin_dir(self) -> Path:
        """Where ``psql``, ``pg_dump`` and the others of the same version are."""
        return self.installation.bin_dir

    @property
    def version(self) -> str:
        """The version as the server says it: ``18.4``."""
        return self.installation.version

    @property
    def major(self) -> int:
        """The major version: ``18``."""
        return self.installation.major

    def url(self, database: str = "postgres", *, user: str = SUPERUSER) -> str:
        """Return the URL of a database on this server; nobody needs a password."""
        return f"postgresql://{user}@{self.host}:{self.port}/{database}"

    def stop(self) -> None:
        """Stop the server, kindly first, and remove what was made for it. May be called twice."""
        atexit.unregister(self.stop)
        _end(self.process)
        shutil.rmtree(self.socket_dir, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    installation: Installation, data_dir: Path | None = None, *, durable: bool = False
) -> PostgresServer:
    """Start a server and wait until it answers.

    Args:
        installation: Which PostgreSQL; see ``find_servers``.
        data_dir: Where its databases are kept; made when it is not there, used again when it is. Without it
            they are in a temporary folder and gone when the server stops.
        durable: Whether data must survive a crash of the machine; slower.

    Raises:
        PostgresError: It cannot be started; the message says why, with the end of the server's log.
    """
    account = ServerAccount.choose()
    installation = reachable(installation, account)
    socket_dir = scratch_folder(account, "integrity-pg-")
    data_dir = (data_dir or socket_dir / "data").absolute()
    try:
        _prepare(installation, data_dir, account)
        server = _launch(installation, data_dir, socket_dir, account, durable=durable)
    except BaseException:
        shutil.rmtree(socket_dir, ignore_errors=True)
        raise
    atexit.register(server.stop)
    return server


def _prepare(installation: Installation, data_dir: Path, account: ServerAccount) -> None:
    """Make ``data_dir`` a cluster of this version, unless it is one already."""
    version_file = data_dir / "PG_VERSION"
    if not version_file.exists():
        _initdb(installation, data_dir, account)
    elif (found := version_file.read_text().strip()) != str(installation.major):
        raise PostgresError(
            f"{data_dir} belongs to PostgreSQL {found}, and PostgreSQL {installation.version} cannot use it. "
            "Start the version that made it, or remove the folder."
        )


def _initdb(installation: Installation, data_dir: Path, account: ServerAccount) -> None:
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    account.take(data_dir)
    command: list[str | Path] = [
        installation.bin_dir / "initdb",
        *("-D", data_dir, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"),
    ]
    finished = account.run(command)
    if finished.returncode:
        raise PostgresError(
            f"initdb of PostgreSQL {installation.version} could not fill {data_dir}:\n"
            f"{finished.stderr.strip()}"
        )


def _launch(
    installation: Installation,
    data_dir: Path,
    socket_dir: Path,
    account: ServerAccount,
    *,
    durable: bool,
) -> PostgresServer:
    """Start on a free port; between finding it and using it another may take it, so try a few."""
    log = data_dir / "server.log"
    for _ in range(PORT_ATTEMPTS):
        port = _free_port()
        command = _command(installation, data_dir, socket_dir, port, durable=durable)
        process = account.spawn(command, log)
        try:
            if _wait_until_ready(process, data_dir):
                return PostgresServer(installation, data_dir, socket_dir, port, process)
        except BaseException:
            _end(process)
            raise
        if "could not bind" not in log.read_text(errors="replace"):
            break
    raise PostgresError(
        f"PostgreSQL {installation.version} did not start in {data_dir}. Its log ends:\n{_tail(log)}"
    )


def _command(
    installation: Installation, data_dir: Path, socket_dir: Path, port: int, *, durable: bool
) -> list[str | Path]:
    settings = {
        **SETTINGS,
        **({} if durable else FAST_SETTINGS),
        "port": str(port),
        "unix_socket_directories": str(socket_dir),
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [installation.bin_dir / "postgres", "-D", data_dir, *options]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: "subprocess.Popen[bytes]", data_dir: Path) -> bool:
    """Return whether the server came up; False when it ended by itself.

    The eighth line of ``postmaster.pid`` says ``ready`` when connections are accepted; this is what
    ``pg_ctl --wait`` looks at. Its first line must be our process: the file may be an older server's.
    """
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        if _says_ready(data_dir / "postmaster.pid", process.pid):
            return True
        time.sleep(0.02)
    raise PostgresError(f"PostgreSQL in {data_dir} was not ready after {START_TIMEOUT:.0f} seconds.")


def _says_ready(pid_file: Path, pid: int) -> bool:
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End one server by its process: SIGINT breaks sessions off, SIGQUIT does not wait for anything."""
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, request)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT)
