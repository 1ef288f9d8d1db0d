"""Reads scripts and sources into statements, each with its place and what it is meant for."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from integrity.scripts.engine_names import declared_engine, dumped_by, engine_of_path
from integrity.scripts.files import File, files
from integrity.scripts.javascript import read_javascript
from integrity.scripts.parsing import Parsed, parse, without_warnings
from integrity.scripts.python_source import read_python
from integrity.scripts.snippet import Lines, Snippet
from integrity.scripts.splitting import Comment, Cut, split
from integrity.scripts.statement import Dialect, Place, Script, Silence, Statement

OnRead = Callable[[int, int, str], None]
_SILENCE = re.compile(r"\bintegrity:\s*ignore(?P<file>-file)?\b(?:\s*\[(?P<codes>[^\]]*)\])?", re.IGNORECASE)
_ONLY_UNKNOWN = re.compile(r"(?:\$\{(?:[^{}]|\{[^{}]*\})*\}\s*)+")
"""What a program fills in as a whole is SQL from elsewhere."""
_BREAKS_OFF = re.compile(
    r"(?:[,(=]|\b(?:FROM|WHERE|SET|VALUES|AND|OR|ON|IN|BY|AS|INTO|JOIN|SELECT))\s*\Z", re.IGNORECASE
)
_parsed = lru_cache(maxsize=20_000)(parse)


def read_scripts(
    paths: Sequence[Path | str], *, dialect: Dialect | None = None, on_read: OnRead | None = None
) -> list[Script]:
    """Returns the scripts of files and folders, in the order in which they are run; sources come last.

    Args:
        paths: files and folders.
        dialect: what all of them are meant for (default: each by its comment, name, folder or dump).
        on_read: told how many are read of how many, and which.

    Raises:
        ScriptsUnreadable: one of the paths is not there.
    """
    found = files([Path(path) for path in paths])
    scripts = []
    with undisturbed():
        for done, file in enumerate(found, start=1):
            scripts.append(read_file(file, dialect))
            if on_read is not None:
                on_read(done, len(found), file.shown)
    return scripts


def read_sql(text: str, shown: str, dialect: Dialect | None = None) -> Script:
    """Returns SQL text that is in no file as a script."""
    with without_warnings():
        return read_file(File(Path(shown).with_suffix(".sql"), shown, text), dialect)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keeps garbage from being collected meanwhile, which is for nothing: trees of statements are many
    small objects that stay."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        with without_warnings():
            yield
    finally:
        if enabled:
            gc.enable()


def read_file(file: File, dialect: Dialect | None = None) -> Script:
    """Returns one file as a script."""
    meant, deduced = (dialect, "asked for") if dialect else _meant_for(file)
    script = Script(
        file.path,
        file.shown,
        meant,
        number=None if file.is_version else file.number,
        deduced=deduced,
        unread=file.unread,
        reverse=file.reverse,
        is_source=file.is_source,
        dumped=not file.is_source and dumped_by(file.text) is not None,
        text=file.text,
    )
    if file.unread:
        return script
    try:
        return _read(script)
    except SyntaxError as error:
        return replace(script, unread=f"it is not Python: {error.msg}, line {error.lineno}")
    except RecursionError:
        return replace(script, unread="it is nested too deep")


def _meant_for(file: File) -> tuple[Dialect, str]:
    for engine, how in (
        (declared_engine(file.text), "by its comment"),
        (dumped_by(file.text), "by the tool that wrote it"),
        (engine_of_path(file.named), "by its name"),
    ):
        if engine is not None:
            return engine, how
    return Dialect.SHARED, ""


def _read(script: Script) -> Script:
    lines = Lines.of(script.text)
    comments: list[Comment] = []
    statements: list[Statement] = []
    for snippet in _snippets(script, comments):
        found = split(snippet.text)
        comments += (Comment(snippet.offset(each.start), each.text) for each in found.comments)
        statements += (
            _statement(script, snippet, cut, lines)
            for cut in found.cuts
            if not _ONLY_UNKNOWN.fullmatch(snippet.text, cut.start, cut.end)
        )
    silences = tuple(_silences(script, comments, statements, lines))
    return replace(script, statements=tuple(statements), silences=silences)


def _snippets(script: Script, comments: list[Comment]) -> list[Snippet]:
    if not script.is_source:
        return [Snippet(script.text, ((0, 0),), certain=True)]
    read = read_python if script.path.suffix.lower() == ".py" else read_javascript
    snippets, found = read(script.text)
    comments += found
    return snippets


def _statement(script: Script, snippet: Snippet, cut: Cut, lines: Lines) -> Statement:
    text = snippet.text[cut.start : cut.end]
    marks = _marks(snippet, cut, lines)
    engine = _engine(script, snippet)
    found = Parsed(problem=cut.open) if cut.open else _parsed(text, engine, in_source=script.is_source)
    return Statement(
        text,
        Place(script.shown, *marks[0][1:]),
        script.dialect,
        found.tree,
        found.problem,
        condition=snippet.condition,
        reverse=snippet.reverse or script.reverse,
        dynamic="${" in text or (script.is_source and bool(found.problem) and _is_piece(text)),
        in_source=script.is_source,
        end_line=lines.at(snippet.offset(max(cut.end - 1, cut.start)))[0],
        marks=marks,
    )


def _is_piece(text: str) -> bool:
    """Whether a program goes on with a statement elsewhere: a list of lines, an open bracket."""
    return _BREAKS_OFF.search(text) is not None or text.count("(") != text.count(")")


def _engine(script: Script, snippet: Snippet) -> Dialect:
    return script.dialect if snippet.condition is Dialect.SHARED else snippet.condition


def _marks(snippet: Snippet, cut: Cut, lines: Lines) -> tuple[tuple[int, int, int], ...]:
    """Where the statement and each of its pieces begin, by line and column."""
    first = (0, *lines.at(snippet.offset(cut.start)))
    others = (
        (index - cut.start, *lines.at(offset))
        for index, offset in snippet.marks
        if cut.start < index < cut.end
    )
    return (first, *others)


def _silences(
    script: Script, comments: Iterable[Comment], statements: Sequence[Statement], lines: Lines
) -> Iterator[Silence]:
    """What comments silence: their line, or the statement that follows one that stands alone; a file."""
    for comment in comments:
        for found in _SILENCE.finditer(comment.text):
            line, column = lines.at(comment.start + found.start())
            place = Place(script.shown, line, column)
            codes = tuple(each.strip() for each in (found["codes"] or "").split(",") if each.strip())
            if found["file"]:
                yield Silence(place, 1, len(lines.starts), codes)
                continue
            begins, _ = lines.at(comment.start)
            start = lines.starts[begins - 1]
            alone = not script.text[start : comment.start].strip(" \t{*/")
            ends, _ = lines.at(comment.start + len(comment.text))
            yield Silence(place, begins, _last_line(statements, ends) if alone else ends, codes)


def _last_line(statements: Sequence[Statement], line: int) -> int:
    """The last line of the statement that begins next after a comment; in one, the next line."""
    for each in sorted(statements, key=lambda each: each.place):
        if each.place.line <= line < each.end_line:
            return line + 1
        if each.place.line > line:
            return each.end_line
    return line
