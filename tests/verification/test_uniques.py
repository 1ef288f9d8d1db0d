"""Every unique is listed, and tried with a row that it must refuse."""

import pytest

from integrity.database.session import Target
from integrity.references.uniques import UniqueRule
from integrity.verification import ExpectedConstraint, UniqueState, VerifyResult, verify
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE stores (id integer PRIMARY KEY);
CREATE TABLE tags (id integer PRIMARY KEY, store integer NOT NULL REFERENCES stores (id), slug varchar(40),
                   gone integer, mail varchar(60) UNIQUE);
INSERT INTO stores VALUES (1), (2);
"""
ROWS = "INSERT INTO tags VALUES (1, 1, 'shoes', NULL, 'a@x'), (2, 1, 'hats', 5, 'b@x'), (3, 2, NULL, NULL, NULL);"
UNIQUE = '[[unique]]\ntable = "tags"\ncolumns = ["store", "slug"]\nname = "uq_tags"\n'


def verified(target: EmptyTarget, lend: LendCatalog, script: str, more: str = "") -> VerifyResult:
    target.execute_script(TABLES + script)
    return verify(Target("target"), lend(UNIQUE + more))


def state(result: VerifyResult, name: str = "uq_tags") -> UniqueState:
    (found,) = [each for each in result.uniques if each.name == name]
    return found


def codes(result: VerifyResult) -> list[str]:
    return [problem.code for problem in result.problems]


@pytest.mark.parametrize("rows", [ROWS, ""], ids=["rows", "an empty table"])
@pytest.mark.parametrize(
    ("index", "more"),
    [
        ("(store, slug)", ""),
        ("(store, slug) WHERE gone IS NULL", 'where = "gone IS NULL"'),
        ("(store, lower(slug))", 'case = "insensitive"'),
    ],
    ids=["plain", "partial", "case-insensitive"],
)
def test_every_kind_is_listed_and_tried(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, rows: str, index: str, more: str
) -> None:
    result = verified(
        empty_target, lend_catalog, f"{rows} CREATE UNIQUE INDEX uq_tags ON tags {index};", more
    )
    found = state(result)

    assert result.ok, result.problems
    assert (found.columns, found.validated, found.enforced, found.by) == (
        ("store", "slug"),
        True,
        True,
        "trial",
    )
    assert found.reason == ""
    assert empty_target.rows("SELECT count(*) FROM tags") == [(3 if rows else 0,)]
    listed = {each["name"] for each in result.as_json()["uniques"]}
    assert len(listed) == 2


def test_uniques_that_the_catalog_does_not_name_are_listed_and_tried(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    result = verified(empty_target, lend_catalog, ROWS + "CREATE UNIQUE INDEX uq_tags ON tags (store, slug);")
    (mail,) = [each for each in result.uniques if each.columns == ("mail",)]

    assert (mail.source, mail.constraint, mail.enforced, mail.by) == ("declared", True, True, "trial")


def test_a_missing_unique_and_the_rows_in_its_way_are_problems(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    result = verified(empty_target, lend_catalog, ROWS + "INSERT INTO tags VALUES (9, 1, 'shoes', 1, NULL);")

    assert codes(result) == ["duplicate_rows", "unique_missing"]
    duplicates, missing = result.problems
    assert duplicates.message == "2 rows share 1 value of tags.store,slug"
    assert "integrity_deduplicate target --unique tags.store,slug" in duplicates.suggestion
    assert missing.message == "Nothing enforces the unique uq_tags on tags.store,slug"
    assert (result.coverage.uniques, result.coverage.uniques_checked) == (1, 1)


def test_another_unique_does_not_pass_for_it(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    index = "CREATE UNIQUE INDEX uq_tags ON tags (store, slug) WHERE gone = 1;"
    result = verified(empty_target, lend_catalog, ROWS + index, 'where = "gone = 2"\n')

    assert codes(result) == ["unique_missing"]


def test_another_name_is_noted(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    result = verified(empty_target, lend_catalog, "CREATE UNIQUE INDEX theirs ON tags (store, slug);")
    assert state(result, "theirs").note == "the catalog calls it uq_tags"


def test_what_cannot_be_tried_is_read_from_the_system_catalog(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    trigger = (
        "CREATE TRIGGER t AFTER INSERT ON tags BEGIN SELECT 1; END;"
        if empty_target.vendor == SQLITE
        else "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER t AFTER INSERT ON tags FOR EACH ROW EXECUTE FUNCTION f();"
    )
    index = "CREATE UNIQUE INDEX uq_tags ON tags (store, slug);"
    found = state(verified(empty_target, lend_catalog, ROWS + index + trigger))

    assert (found.enforced, found.by, found.reason) == (True, "system catalog", "the table has triggers (t)")


def test_one_on_the_columns_of_another_key_is_read_from_the_system_catalog(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    script = ROWS + (
        "CREATE UNIQUE INDEX uq_tags ON tags (store, slug); CREATE UNIQUE INDEX same ON tags (slug, store);"
    )
    result = verified(empty_target, lend_catalog, script)

    assert result.ok
    assert state(result, "same").by == "system catalog"


def test_a_partitioned_table_is_tried(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(
        "CREATE TABLE e (id integer, day integer, slug text) PARTITION BY RANGE (day);"
        "CREATE TABLE e1 PARTITION OF e FOR VALUES FROM (0) TO (10);"
        "INSERT INTO e VALUES (1, 1, 'a'); ALTER TABLE e ADD CONSTRAINT uq_e UNIQUE (day, slug);"
    )
    catalog = lend_catalog('[[unique]]\ntable = "e"\ncolumns = ["day", "slug"]\nname = "uq_e"\n')
    result = verify(Target("target"), catalog)

    assert [(each.name, each.by, each.enforced) for each in result.uniques] == [("uq_e", "trial", True)]


def test_odd_names_are_tried(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(
        """CREATE TABLE "Odd %s" (id integer PRIMARY KEY, "a ""b%" varchar(9));"""
        """INSERT INTO "Odd %s" VALUES (1, 'x%'); CREATE UNIQUE INDEX "it's %d" ON "Odd %s" ("a ""b%");"""
    )
    catalog = lend_catalog("[[unique]]\ntable = '\"Odd %s\"'\ncolumns = ['a \"b%']\n")
    result = verify(Target("target"), catalog)

    assert [(each.name, each.by, each.enforced) for each in result.uniques] == [("it's %d", "trial", True)]


def test_a_unique_that_a_migration_made_and_somebody_dropped_is_said_to_be_lost(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES)
    with Target("target").reading() as session:
        table = session.schema().resolve("tags")
    rule = UniqueRule(table, ("store", "slug"), "uq_tags")
    expected = [ExpectedConstraint("uq_tags", table, ("store", "slug"), "0003_validate", rule)]
    result = verify(Target("target"), lend_catalog(UNIQUE), expected=expected)

    assert codes(result) == ["constraint_lost"]
    assert (
        "The unique uq_tags on tags.store,slug, made by 0003_validate, is gone" in result.problems[0].message
    )


def test_a_condition_that_does_not_parse_is_a_gap(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    result = verified(empty_target, lend_catalog, ROWS, 'where = "nonsense >"\n')

    assert codes(result) == ["unique_missing"]
    assert [each["unique"] for each in result.coverage.skipped] == ["tags.store,slug"]
    assert result.coverage.uniques_checked == 0


def test_nothing_is_tried_where_no_trial_was_asked_for(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES + "CREATE UNIQUE INDEX uq_tags ON tags (store, slug)")
    result = verify(Target("target"), lend_catalog(UNIQUE), trial=False)

    assert {(each.by, each.reason) for each in result.uniques} == {
        ("system catalog", "no trial was asked for")
    }
