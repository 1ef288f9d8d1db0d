"""A unique stands where the database says that it forbids the same, and nowhere else."""

import pytest

from integrity.database.identifiers import TableName
from integrity.database.session import Target
from integrity.references.uniques import UniqueRule, cannot_repeat, standing_key
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE tags (id integer PRIMARY KEY, store integer NOT NULL, slug varchar(40), gone integer,
                   note varchar(40), "odd % ""name" varchar(40));
"""


LOOSE = "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"


def has_icu(target: EmptyTarget) -> bool:
    return bool(target.rows("SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'"))


def rule(**facts: object) -> UniqueRule:
    schema = "main" if Target("target").vendor == "sqlite" else "public"
    return UniqueRule(TableName(schema, "tags"), **{"columns": ("store", "slug"), **facts})  # type: ignore[arg-type]


def standing(target: EmptyTarget, script: str, **facts: object) -> str:
    """Make an index and return the name of the key that stands for the rule."""
    target.execute_script(TABLES + script)
    with Target("target").reading() as session:
        found = standing_key(session.schema(), rule(**facts), session)
    return found.name if found else ""


@pytest.mark.parametrize(
    ("index", "facts"),
    [
        ("(store, slug)", {}),
        ("(slug, store DESC)", {}),
        ("(store, slug) WHERE gone IS NULL", {"where": "gone is null"}),
        ("(store, slug) WHERE (gone IS NULL)", {"where": '(("gone") IS NULL)'}),
        ("(store, slug) WHERE note = '100%'", {"where": "note = '100%'"}),
        ("(store, lower(slug))", {"ignores_case": True}),
        ("(lower(slug), store)", {"ignores_case": True}),
        ("(store, LOWER(slug)) WHERE gone > 1", {"ignores_case": True, "where": "gone>1"}),
        ('(lower("odd % ""name"))', {"ignores_case": True, "columns": ('odd % "name',)}),
        ("(store)", {"columns": ("store",), "nulls_distinct": False}),
    ],
)
def test_a_unique_stands_however_it_is_written(
    empty_target: EmptyTarget, index: str, facts: dict[str, object]
) -> None:
    assert standing(empty_target, f"CREATE UNIQUE INDEX theirs ON tags {index}", **facts) == "theirs"


@pytest.mark.parametrize(
    ("index", "facts"),
    [
        ("(store, slug) WHERE gone IS NULL", {}),
        ("(store, slug)", {"where": "gone IS NULL"}),
        ("(store, slug) WHERE gone IS NULL", {"where": "gone IS NOT NULL"}),
        ("(store, slug) WHERE gone = 1", {"where": "gone = 2"}),
        ("(store, slug) WHERE gone = 1", {"where": "store = 1"}),
        ("(store, slug)", {"ignores_case": True}),
        ("(store, lower(slug))", {}),
        ("(store, upper(slug))", {"ignores_case": True}),
        ("(store, lower(note))", {"ignores_case": True}),
        ("(store, slug, gone)", {}),
        ("(slug)", {}),
        ("(store, slug)", {"nulls_distinct": False}),
        ("((store + 0), slug)", {}),
    ],
)
def test_a_unique_that_forbids_something_else_does_not_stand(
    empty_target: EmptyTarget, index: str, facts: dict[str, object]
) -> None:
    assert standing(empty_target, f"CREATE UNIQUE INDEX theirs ON tags {index}", **facts) == ""


def test_an_ordinary_index_is_no_unique(empty_target: EmptyTarget) -> None:
    assert standing(empty_target, "CREATE INDEX theirs ON tags (store, slug)") == ""


def test_a_collation_of_its_own_makes_another_unique(empty_target: EmptyTarget) -> None:
    if empty_target.vendor != SQLITE:
        if not has_icu(empty_target):
            return
        script = LOOSE + "CREATE UNIQUE INDEX theirs ON tags (store, slug COLLATE loose)"
    else:
        script = "CREATE UNIQUE INDEX theirs ON tags (store, slug COLLATE NOCASE)"
    assert standing(empty_target, script) == ""


def test_a_column_that_ignores_case_by_itself_needs_no_other_unique(empty_target: EmptyTarget) -> None:
    if empty_target.vendor == SQLITE:
        script = "CREATE TABLE s (slug text COLLATE NOCASE NOT NULL); CREATE UNIQUE INDEX theirs ON s (slug)"
    elif not has_icu(empty_target):
        return
    else:
        script = (
            LOOSE
            + "CREATE TABLE s (slug text COLLATE loose NOT NULL); CREATE UNIQUE INDEX theirs ON s (slug)"
        )
    empty_target.execute_script(script)
    with Target("target").reading() as session:
        schema = session.schema()
        found = standing_key(schema, UniqueRule(schema.resolve("s"), ("slug",)), session)
    assert found is not None


def test_an_order_of_its_own_forbids_the_same(empty_target: EmptyTarget) -> None:
    if empty_target.vendor != SQLITE:
        script = 'CREATE UNIQUE INDEX theirs ON tags (store, slug COLLATE "C")'
        assert standing(empty_target, script) == "theirs"


def test_nocase_is_what_case_insensitive_means_on_sqlite(empty_target: EmptyTarget) -> None:
    if empty_target.vendor != SQLITE:
        return
    script = "CREATE UNIQUE INDEX theirs ON tags (store, slug COLLATE NOCASE)"
    assert standing(empty_target, script, ignores_case=True) == "theirs"


def test_without_a_session_nothing_partial_is_said_to_stand(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(TABLES + "CREATE UNIQUE INDEX theirs ON tags (store, slug) WHERE gone = 1")
    with Target("target").reading() as session:
        schema = session.schema()
    assert standing_key(schema, rule(where="gone = 1")) is None


def test_what_contains_a_key_cannot_repeat(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(TABLES)
    with Target("target").reading() as session:
        schema = session.schema()
    assert cannot_repeat(schema, rule(columns=("id", "store"))) is not None
    assert cannot_repeat(schema, rule(columns=("store", "slug"))) is None
