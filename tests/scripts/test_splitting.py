"""Whatever statements hold, joined and split again they are the same, and places point at them."""

from hypothesis import given
from hypothesis import strategies as st

from integrity.scripts.reading import read_sql
from integrity.scripts.splitting import split
from integrity.scripts.statement import Dialect

_WORDS = st.sampled_from(
    ["SELECT", "a", "from", "x1", "case", "END", "é", "1.5", "(", ")", "=", ",", "::", "$1", "?", "\n", " "]
)
_INSIDE = st.text(alphabet=st.sampled_from("ab;'\"`$-/*\\\n{}[]"), max_size=8)
_QUOTED = st.one_of(
    _INSIDE.map(lambda text: "'" + text.replace("'", "''") + "'"),
    _INSIDE.map(lambda text: '"' + text.replace('"', '""') + '"'),
    _INSIDE.map(lambda text: f"$q${text}$q$"),
    _INSIDE.map(lambda text: "/*" + text.replace("*", "x").replace("/", "y") + "*/"),
    st.just("/* a /* ; */ b */"),
    _INSIDE.map(lambda text: "-- " + text.replace("\n", " ").replace(">", "") + "\n"),
    st.just("${a ? `;` : {b: 1}}"),
)
_STATEMENT = st.lists(st.one_of(_WORDS, _QUOTED), max_size=8).map(
    lambda parts: "SELECT " + " ".join(parts) + " x"
)
_TRIGGER = st.just(
    "CREATE TRIGGER t AFTER UPDATE ON a BEGIN SELECT CASE WHEN 1 THEN ';' END; DELETE FROM b; END"
)
_STATEMENTS = st.lists(st.one_of(_STATEMENT, _TRIGGER), max_size=6)
_BETWEEN = st.sampled_from(
    [";", " ;\n", ";\n\n-- note; it's\n", "; /* note; */ ", ";\n--> statement-breakpoint\n", ";;"]
)


@given(_STATEMENTS, st.lists(_BETWEEN, min_size=6, max_size=6))
def test_statements_joined_and_split_again_are_the_same(statements: list[str], between: list[str]) -> None:
    text = "".join(each + mark for each, mark in zip(statements, between, strict=False))
    cuts = split(text).cuts
    assert [text[cut.start : cut.end] for cut in cuts] == statements
    assert not [cut.open for cut in cuts if cut.open]


@given(st.text(alphabet=st.sampled_from("aE ;'\"`$-/*\\\n{}[]().")))
def test_no_text_is_too_odd_to_be_split_and_nothing_but_marks_between_statements_is_lost(text: str) -> None:
    found = split(text)
    at = 0
    for cut in found.cuts:
        assert at <= cut.start < cut.end <= len(text)
        assert text[cut.start].strip()
        at = cut.end


@given(_STATEMENTS)
def test_every_place_points_at_its_text(statements: list[str]) -> None:
    text = ";\n  ".join(statements)
    lines = text.split("\n")
    for statement in read_sql(text, "a.sql", Dialect.SHARED).statements:
        for index, character in enumerate(statement.text):
            place = statement.place_at(index)
            if character != "\n":
                assert lines[place.line - 1][place.column - 1] == character
