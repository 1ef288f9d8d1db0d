"""Checks that a wheel holds the package alone, and all of it."""

import sys
import zipfile
from pathlib import Path

PACKAGE = "integrity"
SHIPPED = {".py", ".html", ".txt", ".css", ".js", ".svg", ".json", ".toml", ".typed", ".po", ".mo", ".sql"}


def foreign_files(names: list[str]) -> list[str]:
    """Return the files of a wheel that are neither the package's nor its metadata."""
    return [
        name for name in names if (top := name.split("/")[0]) != PACKAGE and not top.endswith(".dist-info")
    ]


def missing_files(names: list[str]) -> list[str]:
    """Return the package's files that the wheel lacks: templates and static files are easily forgotten."""
    wanted = (path for path in sorted(Path(PACKAGE).rglob("*")) if path.suffix in SHIPPED)
    return [path.as_posix() for path in wanted if path.as_posix() not in names]


def main(wheel: str) -> int:
    """Print what is wrong with the wheel; return how many things are."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    mistakes = [f"{name}: does not belong in the wheel" for name in foreign_files(names)]
    mistakes += [f"{name}: is missing from the wheel" for name in missing_files(names)]
    print(*mistakes, sep="\n") if mistakes else print(f"{wheel}: {len(names)} files, {PACKAGE} alone")
    return len(mistakes)


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1]) else 0)
