"""SQL inside TypeScript and JavaScript: strings and templates, by what they are handed to or named after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from integrity.scripts.javascript_context import Context, contexts
from integrity.scripts.recognition import is_sql, may_begin, may_have_sql
from integrity.scripts.snippet import Pieces, Snippet
from integrity.scripts.splitting import Comment, end_of_placeholder

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<word>[A-Za-z_$\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*)
      | (?P<number>\d[\w.]*)
      | (?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
      | (?P<mark>=>|===|!==|==|!=|&&|\|\||\?\?|\?\.|\.\.\.|.)""",
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?![*/])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_BEFORE_REGEX = (
    "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "yield", "await",
)  # fmt: skip
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]+)\}|(.))", re.DOTALL)


@dataclass(frozen=True)
class JsToken:
    """A piece of a source: ``word``, ``number``, ``string``, ``template``, ``regex`` or ``mark``."""

    kind: str
    text: str
    start: int
    end: int


@dataclass
class JsSource:
    """A source's tokens, those inside of ``${…}`` apart, and its comments."""

    tokens: list[list[JsToken]] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


def read_javascript(text: str) -> tuple[list[Snippet], list[Comment]]:
    """Returns the SQL of a source, and its comments."""
    source = JsSource()
    if "integrity:" not in text and not may_have_sql(text):
        return [], []
    _read(text, 0, len(text), source)
    found = [snippet for tokens in source.tokens for snippet in _snippets(text, tokens)]
    return sorted(found, key=lambda each: each.offset(0)), source.comments


def _read(text: str, at: int, end: int, source: JsSource) -> None:
    """Reads from one offset to another, and what stands in templates after it."""
    tokens: list[JsToken] = []
    inner: list[tuple[int, int]] = []
    while at < end:
        token, comment = _next(text, at, tokens)
        if comment:
            source.comments.append(Comment(token.start, token.text))
        elif token.kind != "space":
            tokens.append(token)
        if token.kind == "template":
            inner += [(start + 2, stop - 1) for start, stop in _placeholders(token)]
        at = max(token.end, at + 1)
    source.tokens.append(tokens)
    for start, stop in inner:
        _read(text, start, stop, source)


def _next(text: str, at: int, tokens: list[JsToken]) -> tuple[JsToken, bool]:
    if text[at] == "`":
        end = _end_of_template(text, at)
        return JsToken("template", text[at:end], at, end), False
    if text[at] == "/" and _may_be_regex(tokens):
        regex = _REGEX.match(text, at)
        if regex:
            return JsToken("regex", regex.group(), at, regex.end()), False
    match = _TOKEN.match(text, at)
    assert match is not None
    kind = str(match.lastgroup)
    return JsToken(kind, match.group(), at, match.end()), kind == "comment"


def _may_be_regex(tokens: list[JsToken]) -> bool:
    if not tokens:
        return True
    last = tokens[-1]
    if last.kind == "word":
        return last.text in _BEFORE_REGEX
    return last.kind == "mark" and last.text not in (")", "]", "}")


def _end_of_template(text: str, at: int) -> int:
    at += 1
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == "`":
            return at + 1
        elif text.startswith("${", at):
            at = _end_of_expression(text, at)
        else:
            at += 1
    return len(text)


def _end_of_expression(text: str, start: int) -> int:
    """Where ``${…}`` ends: strings and templates in it may hold brackets."""
    depth, at = 0, start + 1
    while at < len(text):
        if text[at] == "`":
            at = _end_of_template(text, at)
            continue
        if text[at] in "'\"":
            match = _TOKEN.match(text, at)
            at = match.end() if match else at + 1
            continue
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
        if depth == 0:
            return at
    return len(text)


def _placeholders(token: JsToken) -> Iterator[tuple[int, int]]:
    """Where the ``${…}`` of a template stand in the file."""
    at = 1
    while at < len(token.text):
        if token.text[at] == "\\":
            at += 2
        elif token.text.startswith("${", at):
            end = _end_of_expression(token.text, at)
            yield token.start + at, token.start + end
            at = end
        else:
            at += 1


# -- snippets ----------------------------------------------------------------------------------


def _snippets(text: str, tokens: list[JsToken]) -> Iterator[Snippet]:
    around = contexts(tokens)
    place = 0
    while place < len(tokens):
        if tokens[place].kind not in ("string", "template"):
            place += 1
            continue
        pieces = Pieces()
        behind = _joined(text, tokens, place, pieces)
        snippet = _snippet(pieces, around[place])
        if snippet is not None:
            yield snippet
        place = behind


def _snippet(pieces: Pieces, context: Context) -> Snippet | None:
    text = pieces.joined
    if not may_begin(text) or (context.silent and not context.certain):
        return None
    if not is_sql(text, certain=context.certain):
        return None
    return Snippet(
        text,
        tuple(pieces.marks),
        context.certain,
        condition=context.condition,
        reverse=context.reverse,
    )


def _joined(text: str, tokens: list[JsToken], place: int, pieces: Pieces) -> int:
    """Adds a string and what ``+`` adds to it; returns the place behind all of it."""
    _add(tokens[place], pieces)
    place += 1
    while place + 1 < len(tokens) and tokens[place].text == "+":
        following = tokens[place + 1]
        if following.kind in ("string", "template"):
            _add(following, pieces)
            place += 2
            continue
        end = _end_of_operand(tokens, place + 1)
        pieces.add_unknown(text[following.start : tokens[end - 1].end], following.start)
        place = end
    return place


def _end_of_operand(tokens: list[JsToken], place: int) -> int:
    depth, start = 0, place
    while place < len(tokens):
        mark = tokens[place].text if tokens[place].kind == "mark" else ""
        if depth == 0 and mark in ("+", ",", ";", ")", "]", "}", ":", "?") and place > start:
            return place
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(mark, 0)
        place += 1
    return place


def _add(token: JsToken, pieces: Pieces) -> None:
    at, end = token.start + 1, token.end - 1
    if token.kind == "template":
        for start, stop in _placeholders(token):
            _add_text(token, at, start, pieces)
            pieces.add(_as_placeholder(token.text[start - token.start : stop - token.start]), start)
            at = stop
    _add_text(token, at, end, pieces)


def _as_placeholder(written: str) -> str:
    """``${…}`` as the rest reads it: brackets in strings inside of it must not end it early."""
    if end_of_placeholder(written, 0) == len(written):
        return written
    return "${" + re.sub(r"[{}]", "_", written[2:-1]) + "}"


def _add_text(token: JsToken, start: int, stop: int, pieces: Pieces) -> None:
    """Adds what is written, with its escapes made what they mean."""
    at = start
    for escape in _ESCAPE.finditer(token.text, start - token.start, stop - token.start):
        begins = token.start + escape.start()
        if begins < at:
            continue
        pieces.add(token.text[at - token.start : escape.start()], at)
        pieces.add(_unescaped(escape), begins)
        at = token.start + escape.end()
    pieces.add(token.text[at - token.start : stop - token.start], at)


def _unescaped(escape: re.Match[str]) -> str:
    code = escape.group(1) or escape.group(2) or escape.group(3)
    if code:
        return chr(min(int(code, 16), 0x10FFFF))
    return _ESCAPES.get(escape.group(4), escape.group(4))
