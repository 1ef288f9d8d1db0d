"""Files that are written whole, or not at all: what stands there is replaced only when all of them are."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from integrity.exceptions import FileNotWritten


def replace_files(files: Mapping[Path, str]) -> None:
    """Writes files, with the folders that they need.

    A disk that is full in the middle leaves each as it was: half a script, or a script without the one that
    takes it back, would be worse than none, and what people wrote must not be lost for it.

    Raises:
        FileNotWritten: with the reason; nothing is written.
    """
    at, written = Path(), list[tuple[Path, Path]]()
    try:
        for at, text in files.items():
            if at.exists() and not at.is_file():  # a pipe, a terminal
                at.write_text(text, encoding="utf-8")
            else:
                _write_beside(at.resolve(), text, written)
        for temporary, at in written:
            temporary.replace(at)
    except OSError as error:
        raise FileNotWritten(
            f"It could not be written: {error.strerror}",
            where=str(at),
            hint="Nothing was written. Make room there, or see whether it may be written, and try again.",
        ) from error
    finally:
        for temporary, _ in written:
            temporary.unlink(missing_ok=True)


def _write_beside(file: Path, text: str, written: list[tuple[Path, Path]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    written.append((Path(name), file))
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(descriptor)
    if file.exists():
        shutil.copymode(file, name)
    else:
        Path(name).chmod(0o666 & ~_umask())


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
