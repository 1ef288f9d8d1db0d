"""Processes of their own that need not import Django first.

Many tests kill, stop or race real processes. Each would spend two seconds on imports before it does anything,
so one process per test session imports everything once and forks them: they have process ids, signals, exit
codes and connections of their own, like any other. (``multiprocessing``'s forkserver does the same, but there
is only one of it in a process, and its processes share its environment.)

A process begins with the function ``main`` of a module; what it prints goes to pipes.
"""

import atexit
import contextlib
import fcntl
import importlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

CHECKOUT = Path(__file__).parent.parent
NUMBER = struct.Struct("i")
OUTPUT = 1 << 20
"""Bytes that a process may print before somebody has to read them."""


class Process:
    """A process as ``subprocess.Popen`` shows it, as far as tests ask."""

    def __init__(self, status: socket.socket, stdout: IO[str], stderr: IO[str]) -> None:
        self._status = status
        self.stdout, self.stderr = stdout, stderr
        self.pid = self._number()
        self.returncode: int | None = None
        self._printed = "", ""

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.returncode = self._number()
            with self._status, self.stdout, self.stderr:
                self._printed = self.stdout.read(), self.stderr.read()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            TimeoutExpired: it still runs.
        """
        if self.poll() is None and not select.select([self._status], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it with a signal that it cannot catch."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Return what it printed until its end: to its output, and of errors.

        Raises:
            TimeoutExpired: it still runs.
        """
        self.wait(timeout)
        return self._printed

    def _number(self) -> int:
        packed = self._status.recv(NUMBER.size)
        assert packed, "the process that forks the others is gone"
        return int(NUMBER.unpack(packed)[0])


def start(module: str, *arguments: object, env: Mapping[str, str] | None = None) -> Process:
    """Start ``module.main(*arguments)`` in a process of its own.

    Args:
        module: a module of the tests.
        arguments: what it is given, as text.
        env: its environment; without, the one of this process.
    """
    request = {"module": module, "arguments": list(map(str, arguments)), "env": dict(env or os.environ)}
    ours, theirs = socket.socketpair()
    (out, out_end), (err, err_end) = _pipe(), _pipe()
    with theirs, TemporaryFile("w+") as asked:
        json.dump(request, asked)
        asked.flush()
        asked.seek(0)
        socket.send_fds(_forker(), [b"."], [asked.fileno(), out_end, err_end, theirs.fileno()])
    os.close(out_end)
    os.close(err_end)
    return Process(ours, os.fdopen(out), os.fdopen(err))


def _pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, OUTPUT)
    return reading, writing


@cache
def _forker() -> socket.socket:
    """Start the process that forks the others; it ends when this process does."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "tests.forking", str(theirs.fileno())]
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    with theirs:
        forker = subprocess.Popen(command, cwd=CHECKOUT, env=env, pass_fds=[theirs.fileno()])
    atexit.register(lambda: (ours.close(), forker.wait()))
    return ours


def serve(requests: socket.socket) -> None:
    """Fork a process for each request, and report each one's id and, later, its exit code."""
    running: dict[int, socket.socket] = {}
    wakened, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready = select.select([requests, wakened], [], [])[0]
        if wakened in ready:
            wakened.recv(1024)
            _report_ended(running)
        if requests in ready:
            message, given, _, _ = socket.recv_fds(requests, 1, 4)
            if not message:
                return
            asked, out, err, status = given
            pid = os.fork()
            if not pid:
                for each in (requests, wakened, waker, *running.values()):
                    each.close()
                os.close(status)
                _become(asked, out, err)
            for number in (asked, out, err):
                os.close(number)
            running[pid] = socket.socket(fileno=status)
            _tell(running[pid], pid)


def _report_ended(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with running.pop(pid) as reported:
            _tell(reported, os.waitstatus_to_exitcode(status))


def _tell(status: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # whoever asked is gone
        status.send(NUMBER.pack(number))


def _become(asked: int, out: int, err: int) -> None:
    """Do what was asked for, in the process that was forked for it; never returns."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, end in ((1, out), (2, err)):
        os.dup2(end, number)
        os.close(end)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    sys.stdin, sys.stdout, sys.stderr = open(0, closefd=False), open(1, "w"), open(2, "w", 1)  # noqa: SIM115
    with open(asked) as file:
        request = json.load(file)
    os.environ.clear()
    os.environ.update(request["env"])
    sys.path[:0] = filter(None, request["env"].get("PYTHONPATH", "").split(os.pathsep))
    os._exit(_exit_code(request))


def _exit_code(request: dict[str, Any]) -> int:
    """As Python ends: with the code of a SystemExit, else with a traceback and 1."""
    code: object = 0
    try:
        forget_settings()
        settle()
        importlib.import_module(request["module"]).main(*request["arguments"])
    except SystemExit as ending:
        code = ending.code or 0
        if not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    return int(str(code))


def settle() -> None:
    """Take the settings of this environment instead of those that everything was imported under."""
    from django.apps import apps  # noqa: PLC0415
    from django.conf import empty, settings  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    before = settings.INSTALLED_APPS
    settings._wrapped = empty
    for connection in connections.all(initialized_only=True):
        del connections[connection.alias]
    connections._settings = None  # type: ignore[attr-defined]
    vars(connections).pop("settings", None)
    if before != settings.INSTALLED_APPS:
        apps.set_installed_apps(settings.INSTALLED_APPS)


def forget_settings() -> None:
    """Have the modules of settings read the environment again."""
    for name in ("tests.settings", "integrity_project.settings"):
        sys.modules.pop(name, None)


def preload() -> None:
    """Import what the processes need."""
    import django  # noqa: PLC0415

    django.setup()
    from django.urls import get_resolver  # noqa: PLC0415

    _ = get_resolver().url_patterns
    for name in ("integrity.operations.runner", "integrity.repairs", "integrity.plans", "psycopg"):
        importlib.import_module(name)


if __name__ == "__main__":
    preload()
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        serve(asked)
