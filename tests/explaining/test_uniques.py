"""An error about a duplicate names the catalog's unique and the rows, of whatever kind the unique is."""

import pytest
from django.db import IntegrityError, connections

from integrity import explain
from integrity.explaining import Explanation
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE tags (id integer PRIMARY KEY, store integer NOT NULL, slug varchar(40), gone integer);
INSERT INTO tags VALUES (1, 1, 'Shoes', NULL), (2, 1, 'shoes', 5), (3, 2, 'hats', NULL);
"""
HEAD = '[[unique]]\ntable = "tags"\ncolumns = ["store", "slug"]\nname = "uq_tags"\nrationale = "A slug is an address"\n'
LIVE, ANY_CASE = 'where = "gone IS NULL"\n', 'case = "insensitive"\n'


def explained(lend: LendCatalog, statement: str, more: str) -> Explanation:
    with pytest.raises(IntegrityError) as caught, connections["target"].cursor() as cursor:
        cursor.execute(statement)
    return explain(str(caught.value), "target", catalog=lend(HEAD + more))


@pytest.mark.parametrize(
    ("index", "more", "row", "kind"),
    [
        ("(slug, store) WHERE gone IS NULL", LIVE, "(9, 1, 'Shoes', NULL)", " where gone IS NULL"),
        (
            "(store, lower(slug)) WHERE gone IS NULL",
            LIVE + ANY_CASE,
            "(9, 1, 'SHOES', NULL)",
            " without regard to case",
        ),
        (
            "(lower(slug), store) WHERE gone IS NULL",
            LIVE + ANY_CASE,
            "(9, 1, 'SHOES', NULL)",
            " without regard to case",
        ),
    ],
)
def test_a_refused_row_is_explained_by_the_catalogs_unique(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, index: str, more: str, row: str, kind: str
) -> None:
    empty_target.execute_script(TABLES + f"CREATE UNIQUE INDEX uq_tags ON tags {index}")
    found = explained(lend_catalog, f"INSERT INTO tags VALUES {row}", more)

    assert (found.constraint, found.constraint_state, found.table) == (
        "uq_tags",
        "holds for every row",
        "tags",
    )
    assert set(found.columns) == {"store", "slug"}
    assert f"uq_tags allows it once{kind}" in found.why[0] or empty_target.vendor == SQLITE
    assert found.why[-1] == "uq_tags: A slug is an address."
    if empty_target.vendor != SQLITE:
        assert (found.rows, found.gaps) == (1, ())
        assert [row[0] for row in empty_target.rows(found.queries[0])] == [1]


def test_a_unique_that_could_not_be_made_leads_to_the_repair(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES)
    found = explained(lend_catalog, "CREATE UNIQUE INDEX uq_tags ON tags (store, lower(slug))", ANY_CASE)

    assert (found.constraint, found.constraint_state) == ("uq_tags", "is not there")
    assert "manage.py integrity_deduplicate target --unique tags.store,slug" in " ".join(found.commands)
    assert empty_target.rows(found.queries[-1])[0][-1] == 2
    if empty_target.vendor != SQLITE:
        assert (found.rows, found.more_like_it) == (2, 0)


def test_an_unnamed_unique_of_another_table_is_not_meant(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(
        TABLES + "CREATE TABLE other (a integer UNIQUE); INSERT INTO other VALUES (1)"
    )
    found = explained(
        lend_catalog, "INSERT INTO other VALUES (1)", '[[unique]]\ntable = "tags"\ncolumns = ["store"]\n'
    )
    assert (found.table, found.columns) == ("other", ("a",))


def test_what_nobody_wrote_down_is_explained_as_before(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES + "CREATE UNIQUE INDEX theirs ON tags (abs(id))")
    found = explained(lend_catalog, "INSERT INTO tags VALUES (-3, 9, 'x', NULL)", "")

    assert found.table == "tags"
    assert found.constraint == "theirs"
