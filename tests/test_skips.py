"""CI does not pass over a skip that nobody accepted."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.skips import KNOWN_SKIPS, known_patterns, unknown_reasons

SKIPPING_TEST = "import pytest\n\n@pytest.mark.skip(reason={reason!r})\ndef test_it():\n    pass\n"
PLUGINS = ("xdist", "tests.skips")
ROOT = Path(__file__).resolve().parents[1]


def test_comments_and_empty_lines_are_no_patterns() -> None:
    assert known_patterns("# why\n\nno Chromium: *  # a note\n") == ["no Chromium: *"]


def test_a_reason_is_known_by_its_pattern() -> None:
    assert unknown_reasons(["no Chromium: bring it", "too slow"], ["no Chromium: *"]) == ["too slow"]


def test_the_list_knows_the_missing_browser() -> None:
    assert unknown_reasons(["no Chromium: x"], known_patterns(KNOWN_SKIPS.read_text())) == []


@pytest.mark.parametrize(
    ("ci", "reason", "workers", "exit_code"),
    [
        ("true", "too slow", "0", 1),
        ("true", "too slow", "1", 1),
        ("true", "no Chromium: bring it", "0", 0),
        ("", "too slow", "0", 0),
    ],
)
def test_an_unknown_skip_fails_a_run_in_ci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ci: str, reason: str, workers: str, exit_code: int
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "test_it.py").write_text(SKIPPING_TEST.format(reason=reason))
    finished = _run_pytest(tmp_path, "-n", workers)
    assert finished.returncode == exit_code, finished.stdout
    assert f"skipped 1 times{': NOT in tests/known_skips.txt' if reason == 'too slow' else ''}: {reason}" in (
        finished.stdout
    )


def _run_pytest(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    plugins = [word for name in PLUGINS for word in ("-p", name)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--rootdir", folder, "-c", "/dev/null", *options, folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
