"""A foreign key goes into any CREATE TABLE text that SQLite can store, and out of it without a trace."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrity.database.identifiers import TableName
from integrity.database.schema import Action, ForeignKey
from integrity.database.sqlite.ddl import with_foreign_key, without_foreign_key

KEY = ForeignKey(
    'fk %s "it\'s"',
    TableName("main", "t"),
    ("a",),
    TableName("main", "p"),
    ("id",),
    on_delete=Action.SET_NULL,
)

NASTY = {
    "comment behind the last column": "CREATE TABLE t (a, b INTEGER -- the last, )\n)",
    "comment in front of the bracket": "CREATE TABLE t (a, b /* FOREIGN KEY ( */ )",
    "no space at all": "CREATE TABLE t(a,b)",
    "brackets as quotes": "CREATE TABLE [t] ([a] text, [b)] text)",
    "backticks": "CREATE TABLE `t` (`a` text, `b``,` text)",
    "double quotes": 'CREATE TABLE "t" ("a" text, "b"")" text)',
    "string as a name": "CREATE TABLE t ('a' text, 'b''' text)",
    "columns named like words": 'CREATE TABLE t (a, "foreign" int, [constraint] int, `check` int, key int)',
    "without rowid": "CREATE TABLE t (a PRIMARY KEY, b) WITHOUT ROWID",
    "comment behind the body": "CREATE TABLE t (a, b) -- the end (really)",
    "defaults with brackets": "CREATE TABLE t (a DEFAULT (1 + (2)), b TEXT DEFAULT ')' CHECK (b <> ','))",
    "constraints without commas": "CREATE TABLE t (a, b, UNIQUE (b) CHECK (a > ')') CONSTRAINT u UNIQUE (a))",
    "a dangling name": "CREATE TABLE t (a, b, CONSTRAINT u UNIQUE (b))",
    "generated column": "CREATE TABLE t (a, b AS (a || ')') STORED)",
    "types with commas": "CREATE TABLE t (a DECIMAL(10, 2), b VARCHAR(5))",
    "a key in a column": "CREATE TABLE t (a, b CONSTRAINT own REFERENCES p (id) ON DELETE CASCADE)",
    "a key in front": "CREATE TABLE t (a, b, CONSTRAINT own FOREIGN KEY (b) REFERENCES p (id))",
    "carriage returns": "CREATE TABLE t (\r\n  a,\r\n  b\r\n)",
    "not ASCII": 'CREATE TABLE t (a, größe, "日本" text) ',
}


def stored(sql: str) -> str:
    """Return the text as SQLite stores it; a mistake in it fails here."""
    with closing(sqlite3.connect(":memory:")) as file:
        file.execute("CREATE TABLE p (id INTEGER PRIMARY KEY)")
        file.execute(sql)
        return str(file.execute("SELECT sql FROM sqlite_master WHERE name = 't'").fetchone()[0])


def facts(sql: str) -> tuple[list[object], list[object], list[object]]:
    """Return SQLite's own reading of a text: columns, indexes, foreign keys."""
    with closing(sqlite3.connect(":memory:")) as file:
        file.execute("CREATE TABLE p (id INTEGER PRIMARY KEY)")
        file.execute(sql)
        pragmas = ("table_xinfo", "index_list", "foreign_key_list")
        columns, indexes, keys = (file.execute(f"PRAGMA {pragma}(t)").fetchall() for pragma in pragmas)
        return columns, indexes, keys


@pytest.mark.parametrize("sql", NASTY.values(), ids=NASTY.keys())
def test_a_key_is_added_and_nothing_else_changes(sql: str) -> None:
    before = stored(sql)
    after = with_foreign_key(before, KEY)

    columns, indexes, keys = facts(after)
    assert (columns, indexes) == facts(before)[:2]
    assert keys[0][2:] == ("p", "a", "id", "NO ACTION", "SET NULL", "NONE")
    assert len(keys) == len(facts(before)[2]) + 1


@pytest.mark.parametrize("sql", NASTY.values(), ids=NASTY.keys())
def test_it_is_removed_byte_for_byte(sql: str) -> None:
    before = stored(sql)
    assert without_foreign_key(with_foreign_key(before, KEY), KEY.name) == before


def test_of_two_keys_either_can_be_removed() -> None:
    other = ForeignKey("second", KEY.table, ("b",), KEY.referenced_table, ("id",))
    both = with_foreign_key(with_foreign_key("CREATE TABLE t (a, b -- x\n)", KEY), other)

    assert without_foreign_key(both, KEY.name) == with_foreign_key("CREATE TABLE t (a, b -- x\n)", other)
    assert without_foreign_key(both, "SECOND") == with_foreign_key("CREATE TABLE t (a, b -- x\n)", KEY)


def test_a_column_that_was_added_meanwhile_stays() -> None:
    with closing(sqlite3.connect(":memory:")) as file:
        file.execute("CREATE TABLE p (id INTEGER PRIMARY KEY)")
        file.execute(with_foreign_key("CREATE TABLE t (a, b)", KEY))
        file.execute("ALTER TABLE t ADD COLUMN later DEFAULT ','")
        now = file.execute("SELECT sql FROM sqlite_master WHERE name = 't'").fetchone()[0]

    columns, _, keys = facts(without_foreign_key(now, KEY.name))
    assert [column[1] for column in columns] == ["a", "b", "later"]  # type: ignore[index]
    assert keys == []


@pytest.mark.parametrize(
    "rest",
    [
        "CONSTRAINT k FOREIGN KEY (a) REFERENCES p (id) CHECK (b > 0)",
        "CHECK (b > 0) CONSTRAINT k FOREIGN KEY (a) REFERENCES p (id)",
    ],
)
def test_a_constraint_that_is_joined_without_a_comma_stays(rest: str) -> None:
    columns, indexes, keys = facts(without_foreign_key(f"CREATE TABLE t (a, b, {rest})", "k"))

    assert (len(columns), indexes, keys) == (2, [], [])
    assert "CHECK (b > 0)" in without_foreign_key(f"CREATE TABLE t (a, b, {rest})", "k")


@pytest.mark.parametrize(
    ("column", "rest"),
    [
        ("a CONSTRAINT k REFERENCES p (id)", "a"),
        ("a int NOT NULL DEFAULT 5 CONSTRAINT K REFERENCES p (id) ON DELETE SET NULL -- why\n", None),
        ("a CONSTRAINT k NOT NULL CONSTRAINT [k] REFERENCES p ON DELETE SET DEFAULT NOT DEFERRABLE",
         "a CONSTRAINT k NOT NULL"),
        ("a REFERENCES q (id) CONSTRAINT \"k\" REFERENCES p (id)", "a REFERENCES q (id)"),
    ],
)  # fmt: skip
def test_a_key_at_the_end_of_a_column_is_taken_out_of_it(column: str, rest: str | None) -> None:
    rest = rest or "a int NOT NULL DEFAULT 5 -- why\n"
    assert without_foreign_key(f"CREATE TABLE t (x, {column}, b)", "k") == f"CREATE TABLE t (x, {rest}, b)"


@pytest.mark.parametrize(
    "column",
    [
        "a CONSTRAINT k REFERENCES p (id) UNIQUE",
        "a CONSTRAINT k REFERENCES p (id) ON DELETE SET NULL NOT NULL",
        "a CONSTRAINT k REFERENCES p DEFAULT 5",
        "a CONSTRAINT k REFERENCES p CONSTRAINT other CHECK (a)",
        "a CONSTRAINT k CHECK (a) REFERENCES p (id)",
    ],
)
def test_a_key_in_the_midst_of_a_column_is_not_touched(column: str) -> None:
    with pytest.raises(KeyError):
        without_foreign_key(f"CREATE TABLE t ({column})", "k")


def test_a_unique_of_the_name_is_not_taken_for_the_key() -> None:
    with pytest.raises(KeyError):
        without_foreign_key("CREATE TABLE t (a, CONSTRAINT k UNIQUE (a))", "k")


def test_a_text_without_a_body_is_refused() -> None:
    with pytest.raises(ValueError, match="not a CREATE TABLE"):
        with_foreign_key("CREATE VIRTUAL TABLE t USING fts5", KEY)


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
quotes = st.sampled_from(['"', "`", "["])
gaps = st.sampled_from(["", " ", "\n", " -- note, (\n", "/* ) , */", "\t"])
constraints = st.sampled_from(["", "NOT NULL", "DEFAULT ')'", "CHECK (1 < (2))", "COLLATE NOCASE", "UNIQUE"])


def written(name: str, quote: str) -> str:
    """Quote a name in one of SQLite's ways."""
    if quote == "[":
        return f"[{name.replace(']', '')}x]"
    return quote + name.replace(quote, quote * 2) + quote


@given(st.lists(st.tuples(names, quotes, gaps, constraints, gaps), min_size=1, max_size=4), gaps, gaps)
def test_whatever_the_columns_are_called_and_however_they_are_written(
    columns: list[tuple[str, str, str, str, str]], before_end: str, behind: str
) -> None:
    body = "a, " + ",".join(
        f"{before} {written(f'{name}{place}', quote)} {rule}{after}"
        for place, (name, quote, before, rule, after) in enumerate(columns)
    )
    text = stored(f"CREATE TABLE t({body}{before_end}){behind}")

    edited = with_foreign_key(text, KEY)

    assert facts(edited)[:2] == facts(text)[:2]
    assert [key[3] for key in facts(edited)[2]] == ["a"]  # type: ignore[index]
    assert without_foreign_key(edited, KEY.name) == text
