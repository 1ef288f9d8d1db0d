"""One at a time on a SQLite file, whoever and from wherever: the lock is beside the file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from integrity.database.sqlite.lock_file import held, lock_file

ELSEWHERE = """
import sys
from pathlib import Path
from integrity.database.sqlite.lock_file import held
with held(Path(sys.argv[1]), sys.argv[2]) as free:
    print(free)
"""


def free_elsewhere(database: Path, name: str, **environment: str) -> bool:
    """Whether another process could have the lock."""
    ran = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(database), name],
        capture_output=True, check=True, text=True, env=os.environ | environment,
    )  # fmt: skip
    return ran.stdout.strip() == "True"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop 100%.sqlite3"
    path.touch()
    return path


def test_another_process_does_not_get_it_wherever_its_temporary_files_are(
    database: Path, tmp_path: Path
) -> None:
    with held(database, "migrate") as free:
        assert free
        assert not free_elsewhere(database, "migrate", TMPDIR=str(tmp_path))
        assert free_elsewhere(database, "repair")
    assert free_elsewhere(database, "migrate")


def test_a_link_to_the_folder_is_the_same_file(database: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(database.parent, target_is_directory=True)
    with held(database, "migrate"):
        assert not free_elsewhere(tmp_path / "link" / database.name, "migrate")


def test_who_waits_is_told_once_and_gives_up(database: Path) -> None:
    told: list[int] = []
    with held(database, "migrate"), held(database, "migrate", 0.3, lambda: told.append(1)) as free:
        assert not free
    assert told == [1]


def test_without_a_file_or_a_folder_to_write_in_this_host_has_one_place(tmp_path: Path) -> None:
    nowhere = tmp_path / "gone" / "shop.sqlite3"
    with (
        held(nowhere, "migrate") as first,
        held(nowhere, "migrate") as second,
        held(None, "migrate") as other,
    ):
        assert (first, second, other) == (True, False, True)
    assert not lock_file(nowhere, "migrate").exists()
