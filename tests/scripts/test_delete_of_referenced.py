"""Deleting what others refer to is found, with what each reference makes of it."""

from pathlib import Path

import pytest

from integrity.references.catalog import load_catalog
from tests.scripts.checking import Find, find

__all__ = ["find"]

CODE = "delete_of_referenced"
TABLES = (
    "CREATE TABLE p (id INT PRIMARY KEY);\n"
    "CREATE TABLE c (id INT, p_id INT REFERENCES p(id) ON DELETE CASCADE);\n"
    "CREATE TABLE n (id INT, p_id INT REFERENCES p(id) ON DELETE SET NULL);\n"
    "CREATE TABLE r (id INT, p_id INT REFERENCES p(id));\n"
)


def test_each_reference_says_what_becomes_of_its_rows(find: Find) -> None:
    (finding,) = find(CODE, {"a.sql": TABLES + "DELETE FROM p WHERE id = 1;"})
    assert (finding.object, finding.place.line, str(finding.severity)) == ("p", 5, "warning")
    assert finding.details == (
        "c.p_id ON DELETE CASCADE: the rows of c that name them go, too",
        "n.p_id ON DELETE SET NULL: the rows of n stay and refer to NULL",
        "r.p_id ON DELETE NO ACTION: it fails while rows of r name them",
    )
    assert [each.place.line for each in finding.related] == [2, 3, 4]


def test_a_reference_that_is_set_to_null_and_must_not_be_fails(find: Find) -> None:
    text = "CREATE TABLE p (id INT); CREATE TABLE c (p_id INT NOT NULL REFERENCES p(id) ON DELETE SET NULL); DELETE FROM p;"
    (finding,) = find(CODE, {"a.sql": text})
    assert str(finding.severity) == "error"
    assert "NOT NULL" in finding.details[0]


def test_truncating_and_dropping_are_found(find: Find) -> None:
    found = find(CODE, {"1_a.sql": TABLES, "2_b.sql": "TRUNCATE TABLE p;", "3_c.sql": "TRUNCATE p CASCADE;", "4_d.sql": "DROP TABLE IF EXISTS p CASCADE;"})  # fmt: skip
    assert [str(each.severity) for each in found] == ["error", "warning", "warning"]
    assert "refuses" in found[0].details[0]
    assert "emptied" in found[1].details[0]
    assert "orphans" in found[2].details[0]


def test_deletions_within_blocks_and_sources_are_found(find: Find) -> None:
    found = find(
        CODE,
        {
            "1_a.sql": TABLES,
            "2_b.sql": "DO $$\nBEGIN\n  DELETE FROM p;\nEND $$;",
            "app.ts": "db.query('DELETE FROM p WHERE id = $1', [id])",
        },
    )
    assert [(Path(each.place.file).name, each.place.line) for each in found] == [
        ("2_b.sql", 3),
        ("app.ts", 1),
    ]


def test_what_the_catalog_wants_counts_before_what_scripts_say(find: Find, tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    file.write_text('[[reference]]\nfrom = "c.p_id"\nto = "p.id"\non_delete = "restrict"\n')
    catalog = load_catalog("default", file)
    (finding,) = find(CODE, {"a.sql": "CREATE TABLE p (id INT); DELETE FROM p;"}, catalog=catalog)
    assert finding.details == (
        "c.p_id ON DELETE RESTRICT (as the catalog wants it): it fails while rows of c name them",
    )


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM c; DELETE FROM n; DELETE FROM r; DELETE FROM p;",
        "TRUNCATE p, c, n, r;",
        "DROP TABLE c, n, r; DELETE FROM p; DROP TABLE p;",
        "DELETE FROM c WHERE id = 1;",
        "CREATE TABLE new_p (id INT); DROP TABLE p; ALTER TABLE new_p RENAME TO p;",
        "CREATE TABLE up (id INT PRIMARY KEY, up_id INT REFERENCES up(id)); DELETE FROM up;",
        "CREATE TRIGGER g AFTER DELETE ON p EXECUTE FUNCTION f();",
        "ALTER TABLE c DROP COLUMN p_id; ALTER TABLE n DROP COLUMN p_id; DROP TABLE r; DELETE FROM p;",
    ],
)
def test_deletions_that_break_no_reference_are_no_alarm(find: Find, text: str) -> None:
    assert find(CODE, {"a.sql": TABLES + text}) == []


def test_scripts_that_take_back_and_other_engines_are_no_alarm(find: Find) -> None:
    files = {
        "postgres/1_a.sql": TABLES,
        "sqlite/2_b.sql": "DELETE FROM p;",
        "postgres/1_a.down.sql": "DROP TABLE p;",
    }
    assert find(CODE, files) == []
