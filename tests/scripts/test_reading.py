"""Scripts and sources are read into statements, each with its place."""

from pathlib import Path

import pytest

from integrity.scripts.files import ScriptsUnreadable
from integrity.scripts.reading import read_scripts
from integrity.scripts.statement import Dialect, Script, Statement


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def read(folder: Path, name: str, text: str) -> Script:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return next(each for each in read_scripts([folder]) if each.path.name == Path(name).name)


def texts(script: Script) -> list[str]:
    return [each.text for each in script.statements]


def starts(script: Script) -> list[tuple[int, int]]:
    return [(each.place.line, each.place.column) for each in script.statements]


def test_scripts_come_in_the_order_of_their_numbers_and_sources_last(tmp_path: Path) -> None:
    for name in ("10_c.sql", "9_b.sql", "a.ts", "001_a.sql"):
        (tmp_path / name).write_text("")
    found = read_scripts([tmp_path])
    assert [each.path.name for each in found] == ["001_a.sql", "9_b.sql", "10_c.sql", "a.ts"]
    assert [each.number for each in found] == [1, 9, 10, None]


def test_what_is_hidden_installed_or_led_to_in_a_circle_is_not_read(tmp_path: Path) -> None:
    for folder in ("node_modules", ".git", ".venv", "kept"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.sql").write_text("SELECT 1")
    (tmp_path / "kept" / "circle").symlink_to(tmp_path)
    assert [each.path for each in read_scripts([tmp_path])] == [tmp_path / "kept" / "a.sql"]


def test_a_binary_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_bytes(b"SELECT 1;\0")
    assert [each.unread for each in read_scripts([tmp_path])] == ["it is binary"]


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScriptsUnreadable, match="no such file"):
        read_scripts([tmp_path / "none"])


def test_a_statement_ends_at_its_semicolon_and_nowhere_else(tmp_path: Path) -> None:
    script = read(
        tmp_path,
        "a.sql",
        "SELECT ';', \";\", $$;$$, $a$ $$; $a$ /* ; /* ; */ ; */ -- ;\n FROM a;\n  SELECT E'\\';' ;",
    )
    assert starts(script) == [(1, 1), (3, 3)]


def test_a_trigger_of_sqlite_is_one_statement(tmp_path: Path) -> None:
    script = read(
        tmp_path,
        "a.sql",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET x = CASE WHEN 1 THEN 2 END; DELETE FROM b; END;\n"
        "SELECT 1;",
    )
    assert starts(script) == [(1, 1), (2, 1)]


def test_a_dump_of_pg_dump_is_read_without_its_rows_and_commands(tmp_path: Path) -> None:
    script = read(
        tmp_path,
        "a.sql",
        "--\n-- PostgreSQL database dump\n--\n\\restrict abc\nSET lock_timeout = 0;\n"
        "COPY public.a (id, b) FROM stdin;\n1\tit's; \\\\\n\\.\n\n\nALTER TABLE ONLY public.a ADD PRIMARY KEY (id);\n",
    )
    assert script.dialect is Dialect.POSTGRESQL
    assert starts(script) == [(5, 1), (6, 1), (11, 1)]
    assert not [each.unparsed for each in script.statements if each.unparsed]


def test_sql_is_found_in_templates_strings_and_tags_of_a_source(tmp_path: Path) -> None:
    script = read(
        tmp_path,
        "a.ts",
        "import x from 'y'; // it's\n"
        "const re = /'`/g;\n"
        "await db.query(`SELECT * FROM ${table} WHERE id = $1`, [id]);\n"
        "const rows = await sql<Row[]>`select id from b where c = ${x}`;\n"
        'db.exec("DELETE FROM a " +\n  "WHERE id = " + id + " AND x = 1");\n'
        'console.log("UPDATE the user");\n'
        'throw new Error("CREATE TABLE failed");\n',
    )
    assert starts(script) == [(3, 17), (4, 31), (5, 10)]
    assert [each.dynamic for each in script.statements] == [True, True, True]
    assert not [each.unparsed for each in script.statements if each.unparsed]
    assert str(script.statements[2].place_at(script.statements[2].text.index("AND"))).endswith(":6:26")


def test_sql_is_found_in_strings_of_python(tmp_path: Path) -> None:
    script = read(
        tmp_path,
        "a.py",
        '"""Select an option from the list."""\n'
        "def f(cursor, table):\n"
        '    cursor.execute(f"SELECT {table}.a FROM {table}")\n'
        '    q = (\n        "INSERT INTO a "  # why\n        "VALUES (%s)"\n    )\n'
        '    x = """\n    CREATE TABLE b (\n        id integer\n    )"""\n'
        '    y = "delete the rows"\n'
        '    raise ValueError("DELETE FROM a is not allowed")\n',
    )
    assert starts(script) == [(3, 22), (5, 10), (9, 5)]
    assert str(script.statements[1].place_at(len("INSERT INTO a "))).endswith(":6:10")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.sql", "SELECT 1", Dialect.SHARED),
        ("a.sql", "-- dialect: sqlite\nSELECT 1", Dialect.SQLITE),
        ("a.sql", "-- dialect: shared\nSELECT 1", Dialect.SHARED),
        ("sqlite/a.sql", "SELECT 1", Dialect.SQLITE),
        ("a_postgres.sql", "SELECT 1", Dialect.POSTGRESQL),
        ("schema.pg.sql", "SELECT 1", Dialect.POSTGRESQL),
    ],
)
def test_a_script_is_meant_for_what_its_comment_or_name_says(
    tmp_path: Path, name: str, text: str, expected: Dialect
) -> None:
    assert read(tmp_path, name, text).dialect is expected


def conditions(script: Script) -> list[Dialect]:
    return [each.condition for each in script.statements]


def test_a_condition_of_a_source_says_which_engine_runs_a_statement(tmp_path: Path) -> None:
    script = read(
        tmp_path,
        "a.ts",
        "if (isSQLite) { db.exec('DELETE FROM a1'); } else { db.exec('DELETE FROM a2'); }\n"
        "if (dbType !== 'sqlite') { db.exec('DELETE FROM a3'); }\n"
        "db.exec(dbType === 'postgresql' ? 'DELETE FROM a4' : 'DELETE FROM a5');\n"
        "db.exec('DELETE FROM a6');\n"
        "const s = { postgres: 'DELETE FROM a7', sqlite: 'DELETE FROM a8' };\n"
        "function f() { if (isSQLite) { return; } db.exec('DELETE FROM a9'); }\n",
    )
    p, s, b = Dialect.POSTGRESQL, Dialect.SQLITE, Dialect.SHARED
    assert conditions(script) == [s, p, p, p, s, b, p, s, p]


def test_a_condition_of_python_says_which_engine_runs_a_statement(tmp_path: Path) -> None:
    script = read(
        tmp_path,
        "a.py",
        "def f(c):\n"
        "    if connection.vendor == 'sqlite':\n        c.execute('DELETE FROM a1')\n"
        "    else:\n        c.execute('DELETE FROM a2')\n"
        "    if connection.vendor != 'postgresql':\n        return\n"
        "    c.execute('DELETE FROM a3')\n",
    )
    assert conditions(script) == [Dialect.SQLITE, Dialect.POSTGRESQL, Dialect.POSTGRESQL]


def test_what_is_not_understood_says_why(tmp_path: Path) -> None:
    script = read(tmp_path, "a.sql", "SELEC * FROM a;\nSELECT * FROM WHERE;\nSELECT 'a;\n")
    assert all(each.unparsed for each in script.statements)
    assert "not closed" in script.statements[-1].unparsed


@pytest.mark.parametrize(
    "text",
    [
        "DO $$ BEGIN NULL; END $$",
        "CREATE EXTENSION IF NOT EXISTS pgcrypto",
        "CREATE OR REPLACE FUNCTION f() RETURNS trigger AS $$ BEGIN RETURN NEW; END; $$ LANGUAGE plpgsql",
        "CREATE VIRTUAL TABLE s USING fts5(a)",
        "PRAGMA foreign_keys = ON",
        "ALTER TABLE ONLY public.a OWNER TO b",
        "GRANT SELECT ON a TO b",
        "VACUUM",
        "WITH a AS (SELECT 1) SELECT * FROM a",
    ],
)
def test_what_is_known_by_its_first_words_is_understood(tmp_path: Path, text: str) -> None:
    statement: Statement = read(tmp_path, "a.sql", text).statements[0]
    assert not statement.unparsed
