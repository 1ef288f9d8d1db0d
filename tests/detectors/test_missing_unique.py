"""A unique of the catalog that nothing enforces is found; one that stands under any name is not."""

import pytest

from integrity.audit import audit
from integrity.database.session import Target
from integrity.detectors import Finding, Severity
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

TABLES = "CREATE TABLE tags (id integer PRIMARY KEY, store integer NOT NULL, slug varchar(40), gone integer);"


def found(lend: LendCatalog, columns: str = '"store", "slug"', more: str = "") -> list[Finding]:
    catalog = lend(
        f'[[unique]]\ntable = "tags"\ncolumns = [{columns}]\nname = "uq_tags"\nrationale = "Because"\n{more}'
    )
    return audit(Target("target"), catalog).with_code("missing_unique")


def test_a_missing_unique_is_an_error_with_its_reason(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES)
    (finding,) = found(lend_catalog)

    assert (finding.severity, finding.object) == (Severity.ERROR, "uq_tags")
    assert finding.message == "Nothing enforces the unique uq_tags on tags.store,slug: Because"
    assert finding.suggestion == "manage.py integrity_makemigrations target"


@pytest.mark.parametrize(
    ("index", "more"),
    [
        ("(slug, store)", ""),
        ("(store, slug) WHERE gone IS NULL", 'where = "gone is null"'),
        ("(store, lower(slug))", 'case = "insensitive"'),
    ],
)
def test_one_that_stands_under_another_name_is_not_missing(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, index: str, more: str
) -> None:
    empty_target.execute_script(f"{TABLES} CREATE UNIQUE INDEX theirs ON tags {index}")
    assert found(lend_catalog, more=more) == []


@pytest.mark.parametrize(
    "index", ["INDEX i ON tags (store, slug)", "UNIQUE INDEX i ON tags (store, slug) WHERE gone IS NULL"]
)
def test_what_forbids_less_does_not_stand_for_it(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, index: str
) -> None:
    empty_target.execute_script(f"{TABLES} CREATE {index}")
    assert len(found(lend_catalog)) == 1


def test_one_that_a_key_keeps_anyway_is_a_warning(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES)
    (finding,) = found(lend_catalog, '"store", "id"')

    assert finding.severity is Severity.WARNING
    assert "no value can repeat: the primary key is on id" in finding.message


def test_what_a_failed_build_left_is_named(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(f"{TABLES} INSERT INTO tags VALUES (1, 1, 'a'), (2, 1, 'a')")
    with pytest.raises(Exception, match="could not create unique index"):
        empty_target.execute_script("CREATE UNIQUE INDEX CONCURRENTLY uq_tags ON tags (store, slug)")
    (finding,) = found(lend_catalog)

    assert "the index uq_tags is what a failed build left of it" in finding.message


def test_a_view_cannot_be_bound(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(
        "CREATE TABLE base (store integer, slug text); CREATE VIEW tags AS SELECT store, slug FROM base"
    )
    (finding,) = found(lend_catalog)
    assert "tags is a view, which no unique can bind" in finding.suggestion
