"""SQL inside Python: strings and f-strings, by what they are handed to or named after."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from integrity.scripts.engine_names import condition_engine, named_engine
from integrity.scripts.javascript_context import Context, is_message, is_reverse, takes_sql
from integrity.scripts.recognition import is_sql, may_begin, may_have_sql
from integrity.scripts.snippet import Lines, Pieces, Snippet
from integrity.scripts.splitting import Comment
from integrity.scripts.statement import Dialect

_LITERAL = re.compile(r"(?P<prefix>[rRbBuUfF]{0,3})(?P<quote>'''|\"\"\"|'|\")")
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|N\{[^}]*\}|([0-7]{1,3})|(\n|.))", re.DOTALL
)
_MEANT = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\n": ""}
_NAMED = re.compile(r"\{[A-Za-z_]\w*\}")
_FORMATTED = re.compile(r"\{[\w.\[\]!:]*\}|%\((\w+)\)[sd]")


def read_python(text: str) -> tuple[list[Snippet], list[Comment]]:
    """Returns the SQL of a source, and its comments.

    Raises:
        SyntaxError: it is not Python of this version.
    """
    silences = "integrity:" in text
    if not silences and not may_have_sql(text):
        return [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    reader = _Reader(text)
    reader.block(tree.body, _Around())
    comments = list(_comments(text, reader.lines)) if silences else []
    return sorted(reader.found, key=lambda each: each.offset(0)), comments


def _comments(text: str, lines: Lines) -> Iterator[Comment]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield Comment(lines.starts[token.start[0] - 1] + token.start[1], token.string)


@dataclass(frozen=True)
class _Around:
    """What is around an expression: names inside out, and the engine for which it is run."""

    names: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    called: str = ""
    condition: Dialect = Dialect.SHARED

    def within(self, name: str) -> _Around:
        return replace(self, names=(name, *self.names)) if name else self

    def meant_for(self, engine: Dialect | None) -> _Around:
        return replace(self, condition=engine) if engine and engine is not Dialect.SHARED else self

    def context(self) -> Context:
        engine = self.condition
        if engine is Dialect.SHARED:
            told = (named_engine(name) for name in (*self.names, *self.functions))
            engine = next((each for each in told if each and each is not Dialect.SHARED), Dialect.SHARED)
        return Context(
            certain=any(takes_sql(name) for name in self.names),
            silent=is_message(self.called),
            condition=engine,
            reverse=any(is_reverse(name) for name in (*self.names, *self.functions)),
        )


@dataclass
class _Reader:
    text: str
    found: list[Snippet] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lines = Lines.of(self.text)
        self.bytes = [line.encode() for line in self.text.split("\n")]

    # -- statements ----------------------------------------------------------------------------

    def block(self, body: list[ast.stmt], around: _Around) -> None:
        """Reads statements; an ``if`` of an engine that returns leaves the rest to the other."""
        for each in body:
            if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
                continue
            if isinstance(each, ast.If):
                around = self._if(each, around)
            else:
                self._statement(each, around)

    def _if(self, each: ast.If, around: _Around) -> _Around:
        told = condition_engine(ast.unparse(each.test))
        self.expression(each.test, around)
        self.block(each.body, around.meant_for(told))
        self.block(each.orelse, around.meant_for(told.other if told else None))
        ends = bool(each.body) and isinstance(each.body[-1], (ast.Return, ast.Raise, ast.Continue))
        return around.meant_for(told.other) if told and ends and not each.orelse else around

    def _statement(self, each: ast.stmt, around: _Around) -> None:
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inside = _Around(functions=(each.name, *around.functions), condition=around.condition)
            self.block(each.body, inside)
            return
        if isinstance(each, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            target = each.targets[0] if isinstance(each, ast.Assign) else each.target
            if each.value is not None:
                self.expression(each.value, around.within(_name(target)))
            return
        for name, value in ast.iter_fields(each):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                self.block(value, around)
            else:
                self._values(value, around.within("raise") if name == "exc" else around)

    def _values(self, value: object, around: _Around) -> None:
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, (ast.ExceptHandler, ast.match_case)):
                self.block(each.body, around)
            elif isinstance(each, ast.withitem):
                self.expression(each.context_expr, around)
            elif isinstance(each, ast.expr):
                self.expression(each, around)

    # -- expressions -----------------------------------------------------------------------------

    def expression(self, node: ast.expr, around: _Around) -> None:
        """Reads the strings of an expression."""
        if _is_text(node):
            self._string(node, around)
        elif isinstance(node, ast.Call):
            self._call(node, around)
        elif isinstance(node, ast.IfExp):
            told = condition_engine(ast.unparse(node.test))
            self.expression(node.body, around.meant_for(told))
            self.expression(node.orelse, around.meant_for(told.other if told else None))
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                name = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
                self.expression(value, around.within(name))
        else:
            self._parts(node, around)

    def _parts(self, node: ast.expr, around: _Around) -> None:
        for child in ast.iter_child_nodes(node):
            part = child.iter if isinstance(child, ast.comprehension) else child
            if isinstance(part, ast.expr):
                self.expression(part, around)

    def _call(self, node: ast.Call, around: _Around) -> None:
        name = _name(node.func)
        inside = replace(around.within(name), called=name)
        if isinstance(node.func, ast.Attribute):
            self.expression(node.func.value, around)
        for at, each in enumerate(node.args):
            self.expression(each, inside.within("reverse_sql") if name == "RunSQL" and at == 1 else inside)
        for keyword in node.keywords:
            self.expression(keyword.value, inside.within(keyword.arg or ""))

    # -- strings ---------------------------------------------------------------------------------

    def _string(self, node: ast.expr, around: _Around) -> None:
        pieces = Pieces()
        formatted = isinstance(node, ast.Call) or (
            isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod)
        )
        for part in _leaves(node):
            start, end = self._offset(part.lineno, part.col_offset), self._end(part)
            if isinstance(part, (ast.Constant, ast.JoinedStr)):
                self._literals(start, end, pieces, formatted=formatted)
            else:
                pieces.add_unknown(self.text[start:end], start)
        text = pieces.joined
        if not may_begin(text):
            return
        context = around.context()
        if not (context.silent and not context.certain) and is_sql(text, certain=context.certain):
            self.found.append(
                Snippet(
                    text,
                    tuple(pieces.marks),
                    context.certain,
                    condition=context.condition,
                    reverse=context.reverse,
                )
            )

    def _offset(self, line: int, column: int) -> int:
        """Where in the file a line and a column in bytes are, as ``ast`` counts."""
        return self.lines.starts[line - 1] + len(self.bytes[line - 1][:column].decode())

    def _end(self, node: ast.expr) -> int:
        return self._offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)

    def _literals(self, start: int, end: int, pieces: Pieces, *, formatted: bool) -> None:
        """Adds the literals that stand side by side from one offset to another."""
        at = start
        while at < end:
            literal = _LITERAL.match(self.text, at)
            if literal is None:
                newline = self.text.find("\n", at) if self.text[at] == "#" else at
                at = newline + 1 if newline >= 0 else end
                continue
            at = self._literal(literal, end, pieces, formatted=formatted)

    def _literal(self, literal: re.Match[str], end: int, pieces: Pieces, *, formatted: bool) -> int:
        prefix, quote = literal["prefix"].lower(), literal["quote"]
        at = kept = literal.end()
        while at < end and not self.text.startswith(quote, at):
            character = self.text[at]
            if character == "\\" and "r" not in prefix:
                escape = _ESCAPE.match(self.text, at)
                pieces.add(self.text[kept:at], kept)
                pieces.add(_unescaped(escape), at)
                at = kept = escape.end() if escape else at + 2
            elif character == "\\":
                at += 2
            elif "f" in prefix and self.text[at : at + 2] in ("{{", "}}"):
                pieces.add(self.text[kept : at + 1], kept)
                at = kept = at + 2
            elif "f" in prefix and character == "{":
                behind = _end_of_braces(self.text, at, end)
                pieces.add(self.text[kept:at], kept)
                pieces.add_unknown(self.text[at + 1 : behind - 1], at)
                at = kept = behind
            else:
                at += 1
        self._rest(kept, min(at, end), pieces, formatted=formatted)
        return at + len(quote)

    def _rest(self, start: int, end: int, pieces: Pieces, *, formatted: bool) -> None:
        """Adds plain text; what ``format`` or ``%`` fills in is unknown, and ``{name}`` is for ``format``."""
        at = start
        for hole in (_FORMATTED if formatted else _NAMED).finditer(self.text, start, end):
            pieces.add(self.text[at : hole.start()], at)
            pieces.add_unknown(hole.group().strip("{}"), hole.start())
            at = hole.end()
        pieces.add(self.text[at:end], at)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, (ast.Add, ast.Mod)) and _is_text(node.left)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in ("format", "strip") and _is_text(node.func.value)
    return isinstance(node, ast.JoinedStr)


def _leaves(node: ast.expr) -> Iterator[ast.expr]:
    """The parts of a text that are joined."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _leaves(node.left)
        yield from _leaves(node.right)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        yield from _leaves(node.left)
    elif isinstance(node, ast.Call) and _is_text(node) and isinstance(node.func, ast.Attribute):
        yield from _leaves(node.func.value)
    else:
        yield node


def _end_of_braces(text: str, start: int, end: int) -> int:
    depth = 0
    for at in range(start, end):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    return end


def _unescaped(escape: re.Match[str] | None) -> str:
    if escape is None:
        return ""
    code = escape.group(1) or escape.group(2) or escape.group(3)
    if code:
        return chr(min(int(code, 16), 0x10FFFF))
    if escape.group(4):
        return chr(int(escape.group(4), 8))
    return _MEANT.get(escape.group(5) or "", escape.group(5) or "?")
