"""An index is called redundant only where another does everything that it does."""

import pytest

from integrity.audit import audit
from integrity.database.session import Target
from integrity.references.catalog import Catalog
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

TABLES = "CREATE TABLE c (id integer PRIMARY KEY, a integer, b integer, t varchar(20));"


def found(target: EmptyTarget, script: str) -> list[tuple[str, str]]:
    target.execute_script(TABLES + script)
    findings = audit(Target("target"), Catalog()).with_code("redundant_index")
    return [(each.object, each.evidence["by"]) for each in findings]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("CREATE INDEX i ON c (a); CREATE INDEX j ON c (a, b)", ("i", "j")),
        ("CREATE INDEX i ON c (a, b); CREATE UNIQUE INDEX u ON c (a, b)", ("i", "u")),
        ("CREATE INDEX a_one ON c (a); CREATE INDEX b_two ON c (a)", ("b_two", "a_one")),
        ("CREATE UNIQUE INDEX u ON c (a); CREATE UNIQUE INDEX v ON c (a)", ("v", "u")),
        ("CREATE INDEX i ON c (a) WHERE b > 1; CREATE INDEX j ON c (a, b) WHERE b > 1", ("i", "j")),
        ("CREATE INDEX i ON c (lower(t)); CREATE INDEX j ON c (lower(t), a)", ("i", "j")),
        ("CREATE INDEX i ON c (a DESC); CREATE INDEX j ON c (a DESC, b)", ("i", "j")),
    ],
)
def test_what_another_index_begins_with_is_redundant(
    empty_target: EmptyTarget, script: str, expected: tuple[str, str]
) -> None:
    assert found(empty_target, script) == [expected]


def test_what_stays_is_named_where_several_would_do(empty_target: EmptyTarget) -> None:
    script = "CREATE INDEX i ON c (a); CREATE INDEX j ON c (a, b); CREATE INDEX k ON c (a, b, t)"
    assert sorted(found(empty_target, script)) == [("i", "k"), ("j", "k")]


@pytest.mark.parametrize(
    "script",
    [
        "CREATE INDEX i ON c (b); CREATE INDEX j ON c (a, b)",
        "CREATE INDEX i ON c (a, b); CREATE INDEX j ON c (b, a)",
        "CREATE INDEX i ON c (a) WHERE b > 1; CREATE INDEX j ON c (a)",
        "CREATE INDEX i ON c (a); CREATE INDEX j ON c (a) WHERE b > 1",
        "CREATE INDEX i ON c (a) WHERE b > 1; CREATE INDEX j ON c (a) WHERE b > 2",
        "CREATE INDEX i ON c (a DESC); CREATE INDEX j ON c (a, b)",
        "CREATE INDEX i ON c (lower(t)); CREATE INDEX j ON c (t)",
        "CREATE UNIQUE INDEX u ON c (a); CREATE INDEX j ON c (a, b)",
        "CREATE UNIQUE INDEX u ON c (a); CREATE UNIQUE INDEX v ON c (a, b)",
        "CREATE TABLE d (a integer UNIQUE, b integer); CREATE INDEX j ON d (a, b)",
        "CREATE TABLE d (a integer, b integer, PRIMARY KEY (a, b)); CREATE INDEX j ON d (a, b, a)",
    ],
)
def test_what_does_something_of_its_own_is_left_in_peace(empty_target: EmptyTarget, script: str) -> None:
    assert found(empty_target, script) == []


@pytest.mark.parametrize(
    "script",
    [
        "CREATE INDEX i ON c (t text_pattern_ops); CREATE INDEX j ON c (t)",
        'CREATE INDEX i ON c (t COLLATE "C"); CREATE INDEX j ON c (t, a)',
        "CREATE INDEX i ON c (a) INCLUDE (t); CREATE INDEX j ON c (a, b)",
        "CREATE INDEX i ON c USING hash (a); CREATE INDEX j ON c (a)",
        "CREATE INDEX i ON c USING brin (a); CREATE INDEX j ON c USING brin (a, b)",
        "CREATE INDEX i ON c (a NULLS FIRST); CREATE INDEX j ON c (a)",
        "CREATE UNIQUE INDEX i ON c (a); CREATE UNIQUE INDEX j ON c (a);"
        "ALTER TABLE c ALTER a SET NOT NULL, REPLICA IDENTITY USING INDEX j; DROP INDEX i",
        "CREATE UNIQUE INDEX j ON c (a); CREATE TABLE d (a integer REFERENCES c (a));"
        "ALTER TABLE c ADD CONSTRAINT u UNIQUE (a)",
    ],
)
def test_what_postgresql_tells_apart_is_left_in_peace(empty_target: EmptyTarget, script: str) -> None:
    if empty_target.vendor != SQLITE:
        assert found(empty_target, script) == []


def test_columns_that_are_kept_beside_count(empty_target: EmptyTarget) -> None:
    if empty_target.vendor != SQLITE:
        script = "CREATE INDEX i ON c (a) INCLUDE (b); CREATE INDEX j ON c (a, b)"
        assert found(empty_target, script) == [("i", "j")]


def test_a_collation_of_its_own_counts_on_sqlite(empty_target: EmptyTarget) -> None:
    if empty_target.vendor == SQLITE:
        assert found(empty_target, "CREATE INDEX i ON c (t COLLATE NOCASE); CREATE INDEX j ON c (t, a)") == []


def test_an_invalid_index_makes_nothing_redundant(empty_target: EmptyTarget) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(
        TABLES + "INSERT INTO c (id, a) VALUES (1, 1), (2, 1); CREATE INDEX i ON c (a)"
    )
    with pytest.raises(Exception, match="could not create unique index"):
        empty_target.execute_script("CREATE UNIQUE INDEX CONCURRENTLY u ON c (a)")
    assert audit(Target("target"), Catalog()).with_code("redundant_index") == []
