"""What a patch makes of a checkout, by Git's own hand."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from integrity.operations.patching import patch_of, patch_root, relative
from integrity.operations.writer import WrittenFile

TEXTS = {
    "shop/migrations/__init__.py": "",
    "shop/migrations/0001_indexes.py": 'text = "a\fb"\n\nmore = 1\n',
    "shop/models.py": "first\nchanged\n" + "same\n" * 9 + "last, without an end of line",
    "größe/with a space.py": "x = 'ü'\n",
}


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    """A checkout in which catalogs are, one file among them that is changed."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    settings.INTEGRITY = {"CATALOG_ROOT": tmp_path / "src" / "catalogs"}
    (tmp_path / "src" / "catalogs" / "shop").mkdir(parents=True)
    (tmp_path / "src" / "catalogs" / "shop" / "models.py").write_text("first\nold\n" + "same\n" * 9 + "end\n")
    return tmp_path


def test_git_applies_it_to_new_and_changed_files_with_odd_names(root: Path) -> None:
    folder = root / "src" / "catalogs"
    files = [WrittenFile(folder / name, text) for name, text in TEXTS.items()]
    assert patch_root() == root
    assert relative(files[0], root) == "src/catalogs/shop/migrations/__init__.py"

    patch = patch_of(files, root)
    subprocess.run(["git", "apply", "-"], input=patch.encode(), cwd=root, check=True)

    assert {name: (folder / name).read_bytes().decode() for name in TEXTS} == TEXTS
    assert patch_of(files, root) == "", "nothing is left to be done"
