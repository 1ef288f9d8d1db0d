"""Keys whose type is not that of what they refer to are found, against every definition of it."""

import pytest

from tests.scripts.checking import Find, find

__all__ = ["find"]

CODE = "key_type_mismatch"


def test_a_number_that_refers_to_a_text_is_found(find: Find) -> None:
    (finding,) = find(
        CODE,
        {
            "1_a.sql": "CREATE TABLE c (id TEXT PRIMARY KEY);",
            "2_b.sql": "CREATE TABLE p (\n  id INT,\n  c_id INTEGER NOT NULL REFERENCES c(id)\n);",
        },
    )
    assert (finding.object, finding.place.line) == ("p.c_id", 3)
    assert "p.c_id is INTEGER, but c.id is TEXT at" in finding.message
    assert finding.related[0].place.line == 1


def test_of_several_definitions_of_the_target_those_that_do_not_fit_are_named(find: Find) -> None:
    (finding,) = find(
        CODE,
        {
            "016_c.sql": "CREATE TABLE IF NOT EXISTS c (id SERIAL PRIMARY KEY);",
            "036_p.sql": "CREATE TABLE p (c_id INTEGER REFERENCES c);",
            "route.ts": "db.query(`CREATE TABLE IF NOT EXISTS c (id TEXT PRIMARY KEY)`)",
        },
    )
    assert "TEXT at" in finding.message
    assert "route.ts" in finding.message
    assert "It would fit SERIAL at" in finding.message


@pytest.mark.parametrize(
    ("own", "other"),
    [
        ("UUID", "TEXT"),
        ("text", "uuid"),
        ("VARCHAR(36)", "uuid"),
        ("BIGINT", "VARCHAR(10)"),
        ("numeric", "integer"),
    ],
)
def test_types_that_are_not_compared_are_found(find: Find, own: str, other: str) -> None:
    found = find(
        CODE,
        {"a.sql": f"CREATE TABLE c (id {other} PRIMARY KEY); CREATE TABLE p (c_id {own}); ALTER TABLE p ADD CONSTRAINT k FOREIGN KEY (c_id) REFERENCES c (id);"},
    )  # fmt: skip
    assert len(found) == 1


@pytest.mark.parametrize(
    ("own", "other"),
    [
        ("INTEGER", "SERIAL"),
        ("BIGINT", "INT"),
        ("INT4", "bigserial"),
        ("VARCHAR(20)", "TEXT"),
        ("character varying", "VARCHAR(9)"),
        ("citext", "text"),
        ("integer", "numeric(10)"),
        ("mood", "text"),
        ("UUID", "uuid"),
        ("", "TEXT"),
        ("key_text", "TEXT"),
    ],
)
def test_types_that_are_compared_are_no_mismatch(find: Find, own: str, other: str) -> None:
    text = "CREATE DOMAIN key_text AS VARCHAR(40) NOT NULL; CREATE TABLE c (id {} PRIMARY KEY); CREATE TABLE p (c_id {} REFERENCES c(id));"
    assert find(CODE, {"a.sql": text.format(other, own)}) == []


@pytest.mark.parametrize(
    "files",
    [
        {"postgres/1_a.sql": "CREATE TABLE c (id UUID PRIMARY KEY);", "sqlite/1_a.sql": "CREATE TABLE p (c TEXT REFERENCES c(id));"},
        {"sqlite/1_a.sql": "CREATE TABLE c (id BIGINT PRIMARY KEY); CREATE TABLE p (c INTEGER REFERENCES c(id));"},
        {"1_a.sql": "CREATE TABLE c (id INT PRIMARY KEY); ALTER TABLE c ALTER COLUMN id TYPE text; CREATE TABLE p (c TEXT REFERENCES c(id));"},
        {"1_a.sql": "CREATE TABLE p (c TEXT REFERENCES nowhere(id));"},
        {"1_a.sql": "CREATE TABLE t (id UUID, a INT, PRIMARY KEY (id, a)); CREATE TABLE p (x UUID, y INT, FOREIGN KEY (x, y) REFERENCES t);"},
        {"1_a.sql": "CREATE TABLE t (id TEXT PRIMARY KEY, up TEXT REFERENCES t);"},
    ],
)  # fmt: skip
def test_other_engines_later_types_and_unknown_targets_are_no_mismatch(
    find: Find, files: dict[str, str]
) -> None:
    assert find(CODE, files) == []


def test_each_column_of_a_composite_key_is_compared(find: Find) -> None:
    text = "CREATE TABLE t (a INT, b TEXT, PRIMARY KEY (a, b)); CREATE TABLE p (x INT, y UUID, FOREIGN KEY (x, y) REFERENCES t);"
    (finding,) = find(CODE, {"1_a.sql": text})
    assert finding.object == "p.y"
