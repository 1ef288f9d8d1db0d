"""What a CREATE FUNCTION or CREATE PROCEDURE says beside its body (manual, CREATE FUNCTION).

The server's own text of a function is read by the same rules, so that both say the same where they mean it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from integrity.database.postgresql.tokens import Token, tokens
from integrity.exceptions import NotCheckable

_MODES = ("IN", "OUT", "INOUT", "VARIADIC")
_TWO_WORDS = ("DOUBLE", "CHARACTER", "BIT", "TIMESTAMP", "TIME", "NATIONAL", "INTERVAL")
_SECOND_WORDS = (
    "PRECISION",
    "VARYING",
    "CHARACTER",
    "CHAR",
    "WITH",
    "WITHOUT",
    "YEAR",
    "MONTH",
    "DAY",
    "HOUR",
)
_USUAL = {"VOLATILE", "INVOKER", "UNSAFE"}
_NUMBERS = {"COST": ("100", "1"), "ROWS": ("1000", "0")}


@dataclass(frozen=True)
class Argument:
    """One argument; ``kind`` is its type as written, ``default`` its default as words."""

    mode: str
    name: str
    kind: str
    default: str = ""


@dataclass
class Signature:
    """``returns`` is a type as written, empty where OUT arguments say it; ``options`` are those that differ
    from the usual."""

    what: str
    arguments: list[Argument] = field(default_factory=list)
    returns: str = ""
    is_set: bool = False
    options: set[str] = field(default_factory=set)

    @property
    def kinds(self) -> list[str]:
        """All types that it names."""
        return [each.kind for each in self.arguments] + ([self.returns] if self.returns else [])


def signature(create: str) -> Signature:
    """Reads a CREATE statement.

    Raises:
        NotCheckable: where it says something that only the server can understand.
    """
    written = tokens(create.strip().rstrip(";"))
    start = next((place for place, each in enumerate(written) if each.is_mark("(")), None)
    what = next((each.text.upper() for each in written if each.is_word("FUNCTION", "PROCEDURE")), "")
    if start is None or not what:
        raise NotCheckable(f"There is no list of arguments in {create[:60]!r}")
    end = _closing(written, start)
    found = Signature(what, [_argument(each) for each in _split(written[start + 1 : end])])
    _options(written[end + 1 :], found)
    return found


def _closing(found: Sequence[Token], start: int) -> int:
    depth = 0
    for place in range(start, len(found)):
        depth += found[place].is_mark("(") - found[place].is_mark(")")
        if depth == 0:
            return place
    raise NotCheckable("A bracket is not closed")


def _split(found: Sequence[Token]) -> Iterator[list[Token]]:
    """The pieces between commas that stand in no bracket."""
    piece: list[Token] = []
    depth = 0
    for token in found:
        depth += token.is_mark("(", "[") - token.is_mark(")", "]")
        if depth == 0 and token.is_mark(","):
            yield piece
            piece = []
        else:
            piece.append(token)
    if piece:
        yield piece


def _argument(piece: Sequence[Token], mode: str = "IN") -> Argument:
    cut = next((at for at, each in enumerate(piece) if _gives(each)), None)
    default = _bare(piece[cut + 1 :]) if cut is not None else ""
    left = list(piece[:cut])
    if left and left[0].is_word(*_MODES):
        mode = left.pop(0).text.upper()
        if mode == "IN" and left and left[0].is_word("OUT"):
            mode = "INOUT"
            left.pop(0)
    name = left.pop(0).name if _is_named(left) else ""
    return Argument(mode, name, _kind(left), default)


def _gives(token: Token) -> bool:
    return token.is_word("DEFAULT") or token.is_mark("=", ":=")


def _is_named(left: Sequence[Token]) -> bool:
    """Whether a name stands before the type: a type of one's own is one word, or has dots or brackets."""
    if len(left) < 2 or left[1].is_mark(".", "(", "["):
        return False
    return not (left[0].is_word(*_TWO_WORDS) and left[1].is_word(*_SECOND_WORDS))


def _kind(found: Sequence[Token]) -> str:
    if not found or any(each.is_mark("%") for each in found):
        raise NotCheckable("The type of an argument is another column's")
    return " ".join(each.text for each in found)


def _bare(found: Sequence[Token]) -> str:
    """An expression without casts and quotes: ``'x'::text`` as ``x``."""
    words: list[str] = []
    skip = False
    for token in found:
        if token.is_mark("::"):
            skip = True
        elif skip and (token.is_identifier or token.is_mark("[", "]", ".")):
            continue
        elif not token.is_mark("(", ")"):
            skip = False
            words.append(token.text.strip("'").lower() if token.kind == "string" else token.name)
    return "".join(words)


def _options(found: Sequence[Token], into: Signature) -> None:
    place = 0
    while place < len(found):
        token = found[place]
        reader = next((read for words, read in _READERS if token.is_word(*words)), _plain)
        place = reader(found, place, into)


def _plain(found: Sequence[Token], place: int, into: Signature) -> int:
    token = found[place]
    if token.is_word("IMMUTABLE", "STABLE", "WINDOW", "STRICT"):
        into.options.add(token.text.upper())
    elif token.is_word("LEAKPROOF") and not (place and found[place - 1].is_word("NOT")):
        into.options.add("LEAKPROOF")
    return place + 1


def _valued(found: Sequence[Token], place: int, into: Signature) -> int:
    """SECURITY, PARALLEL, COST, ROWS, SUPPORT."""
    word = found[place].text.upper()
    value = found[place + 1].text.upper() if place + 1 < len(found) else ""
    if value not in _USUAL and value not in _NUMBERS.get(word, ()):
        into.options.add(f"{word} {value}")
    return place + 2


def _quoted(found: Sequence[Token], place: int, into: Signature) -> int:
    """LANGUAGE, AS: they are compared with the body."""
    return place + 2


_CLAUSES = (
    "LANGUAGE", "AS", "IMMUTABLE", "STABLE", "VOLATILE", "WINDOW", "STRICT", "NOT", "LEAKPROOF", "CALLED",
    "RETURNS", "SECURITY", "EXTERNAL", "PARALLEL", "COST", "ROWS", "SUPPORT", "SET", "TRANSFORM",
)  # fmt: skip


def _upto(found: Sequence[Token], place: int) -> int:
    return next((at for at in range(place, len(found)) if found[at].is_word(*_CLAUSES)), len(found))


def _set(found: Sequence[Token], place: int, into: Signature) -> int:
    end = _upto(found, place + 1)
    if any(each.is_word("CURRENT") for each in found[place:end]):
        raise NotCheckable("SET … FROM CURRENT depends on who runs it")
    words = [each for each in found[place + 1 : end] if not (each.is_word("TO") or each.is_mark("=", ","))]
    values = [each.text[1:-1] if each.kind == "string" else each.name for each in words]
    into.options.add(f"SET {' '.join(values)}")
    return end


def _returns(found: Sequence[Token], place: int, into: Signature) -> int:
    if place + 1 < len(found) and found[place + 1].is_word("NULL"):
        into.options.add("STRICT")
        return _upto(found, place + 5)
    end = _upto(found, place + 1)
    kind = list(found[place + 1 : end])
    if kind and kind[0].is_word("TABLE"):
        into.is_set = True
        into.arguments += [_argument(each, "TABLE") for each in _split(kind[2:-1])]
        return end
    if kind and kind[0].is_word("SETOF"):
        into.is_set = True
        kind = kind[1:]
    into.returns = _kind(kind)
    return end


_READERS = (
    (("RETURNS",), _returns),
    (("SET",), _set),
    (("SECURITY", "PARALLEL", "COST", "ROWS", "SUPPORT"), _valued),
    (("LANGUAGE", "AS"), _quoted),
)
