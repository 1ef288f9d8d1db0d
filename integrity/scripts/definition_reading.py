"""Reads what a statement defines: CREATE, ALTER and DROP of either engine, and blocks that hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from integrity.database.sqlite.tokens import Token
from integrity.scripts.alteration_reading import alterations
from integrity.scripts.cursor import (
    Cursor,
    ObjectName,
    body_start,
    body_text,
    joined,
    read_tokens,
    split_list,
)
from integrity.scripts.definitions import Alter, Alteration, Definition, Event, Kind, Removal
from integrity.scripts.parsing import without_leading_comments
from integrity.scripts.statement import Place, Statement
from integrity.scripts.table_reading import TableParts, names_in

_HEADS = ("CREATE", "DROP", "ALTER", "SELECT", "DO")
_MODIFIERS = ("TEMP", "TEMPORARY", "UNLOGGED", "GLOBAL", "LOCAL", "MATERIALIZED", "RECURSIVE", "VIRTUAL",
              "FOREIGN", "CONSTRAINT", "DEFAULT", "TRUSTED")  # fmt: skip
_KINDS = {
    "TABLE": Kind.TABLE, "VIEW": Kind.VIEW, "INDEX": Kind.INDEX, "FUNCTION": Kind.FUNCTION,
    "PROCEDURE": Kind.FUNCTION, "AGGREGATE": Kind.FUNCTION, "TRIGGER": Kind.TRIGGER, "TYPE": Kind.TYPE,
    "DOMAIN": Kind.TYPE, "SEQUENCE": Kind.SEQUENCE,
}  # fmt: skip


def read_events(statement: Statement, schema: str = "") -> tuple[Event, ...]:
    """Returns what a statement does to the schema, in its order; nothing for one that only handles rows.

    Args:
        statement: the statement.
        schema: where objects are made whose schema is not written.
    """
    head = without_leading_comments(statement.text)[:8].upper()
    if not head.startswith(_HEADS) or (head.startswith("SELECT") and "INTO" not in statement.text.upper()):
        return ()
    return tuple(_Reader(statement, schema).events(read_tokens(statement.text)))


@dataclass
class _Reader:
    statement: Statement
    schema: str
    shift: int = 0
    conditional: bool = False

    def place(self, offset: int) -> Place:
        return self.statement.place_at(self.shift + offset)

    def events(self, tokens: Sequence[Token]) -> Iterator[Event]:
        cursor = Cursor(tokens, schema=self.schema)
        if cursor.accept("CREATE"):
            yield from self._create(cursor)
        elif cursor.accept("DROP"):
            yield from self._drop(cursor)
        elif cursor.accept("ALTER"):
            yield from self._alter(cursor)
        elif cursor.accept("SELECT"):
            yield from self._select_into(cursor)
        elif cursor.accept("DO"):
            yield from self._block(tokens)

    def _block(self, tokens: Sequence[Token]) -> Iterator[Event]:
        body = next((token for token in tokens if token.kind in ("body", "string")), None)
        if body is not None:
            inner = _Reader(self.statement, self.schema, self.shift + body_start(body), conditional=True)
            for part in statements_in(read_tokens(body_text(body))):
                yield from inner.events(part)

    def _create(self, cursor: Cursor) -> Iterator[Event]:
        head = cursor.tokens[0]
        replacing = cursor.accept("OR", "REPLACE")
        said = set()
        while word := cursor.accept_any(*_MODIFIERS, "UNIQUE"):
            said.add(word)
        word = cursor.accept_any(*_KINDS)
        if not word:
            return
        cursor.accept("CONCURRENTLY")
        guarded = cursor.accept("IF", "NOT", "EXISTS")
        start = cursor.here.start if cursor.here else head.start
        base = Definition(
            _KINDS[word], ObjectName("", ""), self.place(start), self.statement,
            if_not_exists=guarded, or_replace=replacing, temporary=bool(said & {"TEMP", "TEMPORARY"}),
            unique="UNIQUE" in said, conditional=self.conditional,
        )  # fmt: skip
        found = self._created(cursor, base, said)
        if found is not None:
            yield found

    def _created(self, cursor: Cursor, base: Definition, said: set[str]) -> Definition | None:
        if base.kind is Kind.INDEX:
            return self._index(cursor, base)
        name = cursor.object_name()
        if name is None:
            return None
        named = replace(base, name=name)
        if base.kind is Kind.TABLE:
            return self._table(cursor, named, virtual="VIRTUAL" in said)
        if base.kind is Kind.FUNCTION:
            return self._function(cursor, named)
        if base.kind is Kind.TRIGGER:
            return self._trigger(cursor, named)
        if base.kind is Kind.VIEW:
            columns = names_in(cursor.brackets())
            start = cursor.here.start if cursor.here else 0
            return replace(named, open=True, indexed=columns, body=self.statement.text, body_offset=start)
        if base.kind is Kind.TYPE and cursor.accept("AS"):
            return replace(
                named, base_type=joined(cursor.until("CHECK", "NOT", "DEFAULT", "CONSTRAINT", ";"))
            )
        return named

    def _table(self, cursor: Cursor, base: Definition, *, virtual: bool) -> Definition:
        parts = TableParts(self.place, self.schema, open=virtual)
        if not virtual and cursor.sees("("):
            parts.read_body(cursor.brackets())
        behind = Cursor(cursor.tokens[cursor.at :])
        parts.open |= behind.sees_any("AS", "INHERITS") or behind.sees("PARTITION", "OF")
        return replace(
            base, columns=tuple(parts.columns), keys=tuple(parts.keys), checks=tuple(parts.checks),
            foreign_keys=tuple(parts.foreign_keys), open=parts.open or not parts.columns,
        )  # fmt: skip

    def _index(self, cursor: Cursor, base: Definition) -> Definition | None:
        name = ObjectName("", "")
        if not cursor.sees("ON"):
            name = cursor.object_name() or name
        if not cursor.accept("ON"):
            return None
        cursor.accept("ONLY")
        table = cursor.object_name()
        if cursor.accept("USING"):
            cursor.at += 1
        inside = cursor.brackets()
        cursor.until("WHERE", ";")
        where = joined(cursor.until(";")[1:])
        terms = tuple(joined(part) for part in split_list(inside))
        schema = table.schema if table else ""
        return replace(
            base, name=replace(name, schema=name.schema or schema), table=table, terms=terms,
            indexed=names_in(inside), where=where,
        )  # fmt: skip

    def _function(self, cursor: Cursor, base: Definition) -> Definition:
        arguments = joined(cursor.brackets()).lower()
        rest = cursor.tokens[cursor.at :]
        language, body = "", None
        for token, following in zip(rest, (*rest[1:], None), strict=False):
            if token.is_word("LANGUAGE") and following is not None:
                language = following.name.lower()
            if body is None and token.is_word("AS") and following is not None:
                body = following if following.kind in ("body", "string") else None
        if body is None:
            return replace(base, arguments=arguments, language=language)
        offset = self.shift + body_start(body)
        return replace(base, arguments=arguments, language=language, body=body_text(body), body_offset=offset)

    def _trigger(self, cursor: Cursor, base: Definition) -> Definition:
        when = joined(cursor.until("ON"))
        cursor.accept("ON")
        table = cursor.object_name()
        cursor.until("EXECUTE", "BEGIN")
        base = replace(base, terms=(when,))
        if cursor.accept("EXECUTE"):
            cursor.accept_any("FUNCTION", "PROCEDURE")
            return replace(base, table=table, calls=cursor.object_name())
        if cursor.here is None:
            return replace(base, table=table)
        start = cursor.take().end
        return replace(base, table=table, body=self._text(start), body_offset=self.shift + start)

    def _text(self, start: int) -> str:
        return self.statement.text[self.shift + start :]

    def _drop(self, cursor: Cursor) -> Iterator[Event]:
        cursor.accept("MATERIALIZED")
        cursor.accept("FOREIGN")
        word = cursor.accept_any(*_KINDS)
        if not word:
            return
        cursor.accept("CONCURRENTLY")
        guarded = cursor.accept("IF", "EXISTS")
        cascade = any(token.is_word("CASCADE") for token in cursor.tokens[cursor.at :])
        while cursor.here is not None and cursor.sees_name():
            place = self.place(cursor.here.start)
            name = cursor.object_name()
            cursor.brackets()
            table = cursor.object_name() if cursor.accept("ON") else None
            if name is not None:
                yield Removal(
                    _KINDS[word], name, place, self.statement,
                    if_exists=guarded, cascade=cascade, table=table, conditional=self.conditional,
                )  # fmt: skip
            if not cursor.accept(","):
                return

    def _select_into(self, cursor: Cursor) -> Iterator[Event]:
        """``SELECT … INTO t FROM …`` makes a table, but not in PL/pgSQL."""
        if self.conditional:
            return
        cursor.until("INTO", "FROM")
        if cursor.accept("INTO"):
            temporary = bool(cursor.accept_any("TEMP", "TEMPORARY"))
            cursor.accept("TABLE")
            start = cursor.here.start if cursor.here else 0
            name = cursor.object_name()
            if name is not None:
                yield Definition(
                    Kind.TABLE, name, self.place(start), self.statement, temporary=temporary, open=True
                )

    def _alter(self, cursor: Cursor) -> Iterator[Event]:
        cursor.accept("FOREIGN")
        word = cursor.accept_any("TABLE", "VIEW", "INDEX", "FUNCTION", "TRIGGER", "SEQUENCE", "TYPE")
        if not word:
            return
        guarded = cursor.accept("IF", "EXISTS")
        cursor.accept("ONLY")
        start = cursor.here.start if cursor.here else 0
        name = cursor.object_name()
        cursor.accept("*")
        if name is None:
            return
        base = Alteration(
            _KINDS[word], name, self.place(start), self.statement,
            table_guarded=guarded, conditional=self.conditional,
        )  # fmt: skip
        if word == "TABLE":
            yield from alterations(cursor, base, self.place)
        elif cursor.accept("RENAME", "TO"):
            yield replace(base, action=Alter.RENAME, new_name=".".join(cursor.parts()[-1:]))


_STARTS = (
    "CREATE",
    "ALTER",
    "DROP",
    "INSERT",
    "UPDATE",
    "DELETE",
    "SELECT",
    "PERFORM",
    "TRUNCATE",
    "EXECUTE",
)
_BEFORE = ("BEGIN", "THEN", "ELSE", "LOOP", "DECLARE")


def statements_in(tokens: Sequence[Token]) -> list[tuple[Token, ...]]:
    """Splits the body of a block or routine into what it does: each begins with its verb."""
    found: list[tuple[Token, ...]] = []
    cursor = Cursor(tokens)
    while cursor:
        part = cursor.until(";")
        cursor.accept(";")
        while part and part[0].is_word(*_BEFORE):
            part = part[1:]
        found += _behind_conditions(part)
    return [part for part in found if part]


def _behind_conditions(part: tuple[Token, ...]) -> list[tuple[Token, ...]]:
    """``IF … THEN CREATE …`` holds a condition and a statement."""
    starts = [at for at, token in enumerate(part) if token.is_word(*_BEFORE) and at + 1 < len(part)]
    cuts = [at for at in starts if part[at + 1].is_word(*_STARTS)]
    if not cuts:
        return [part]
    return [part[: cuts[-1]], part[cuts[-1] + 1 :]]
