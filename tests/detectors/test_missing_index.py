"""The catalog's indexes are there, and a reference without any index is warned of."""

import pytest

from integrity.audit import audit
from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.detectors import Severity
from integrity.references.catalog import Catalog
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE p (id integer PRIMARY KEY);
CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id), q integer);
"""
CATALOG = '[[index]]\ntable = "c"\ncolumns = ["p"]\nname = "c_p_idx"\nrationale = "Because"\n'


def found(catalog: Catalog | None = None) -> list[tuple[Severity, str]]:
    result = audit(Target("target"), catalog or Catalog())
    return [(each.severity, each.object) for each in result.with_code("missing_index")]


def test_an_index_of_the_catalog_that_is_missing_is_an_error(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES)
    catalog = lend_catalog(CATALOG)

    assert found(catalog) == [(Severity.ERROR, "c_p_idx")]
    (finding,) = audit(Target("target"), catalog).with_code("missing_index")
    assert finding.message == "The index c_p_idx on c.p is missing: Because"


@pytest.mark.parametrize("name", ["c_p_idx", "another"])
def test_an_index_is_there_under_any_name(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, name: str
) -> None:
    empty_target.execute_script(TABLES + f"CREATE INDEX {name} ON c (p)")

    assert found(lend_catalog(CATALOG)) == []


@pytest.mark.parametrize(
    "index",
    ["CREATE INDEX i ON c (q, p)", "CREATE INDEX i ON c (p) WHERE q > 0", "CREATE INDEX i ON c ((p + 1))"],
)
def test_another_index_is_not_the_catalogs(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, index: str
) -> None:
    empty_target.execute_script(TABLES + index)

    assert found(lend_catalog(CATALOG)) == [(Severity.ERROR, "c_p_idx")]


def test_an_index_of_another_method_is_not_the_catalogs(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(TABLES + "CREATE INDEX i ON c USING brin (p)")

    assert found(lend_catalog(CATALOG)) == [(Severity.ERROR, "c_p_idx")]


def test_a_reference_without_an_index_is_a_warning(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(TABLES)

    assert found() == [(Severity.WARNING, "reference")]


@pytest.mark.parametrize(
    "sql",
    [
        TABLES + "CREATE INDEX i ON c (p, q)",
        TABLES + "CREATE INDEX i ON c (p, (q + 1))",
        "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (id integer PRIMARY KEY REFERENCES p (id))",
        "CREATE TABLE p (id integer PRIMARY KEY);"
        "CREATE TABLE c (p integer REFERENCES p (id), n integer, PRIMARY KEY (p, n))",
        "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (p integer UNIQUE REFERENCES p (id))",
    ],
    ids=["a longer index", "an expression behind", "the key itself", "the key's beginning", "a unique"],
)
def test_a_reference_that_some_index_serves_is_left_in_peace(empty_target: EmptyTarget, sql: str) -> None:
    empty_target.execute_script(sql)

    assert found() == []


def test_an_index_that_begins_with_an_expression_serves_no_reference(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(TABLES + "CREATE INDEX i ON c ((q + 1), p)")

    assert found() == [(Severity.WARNING, "reference")]


def test_nothing_is_said_of_indexes_when_one_reference_was_asked_for(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES)
    result = audit(Target("target"), lend_catalog(CATALOG), only=[parse_path("c.p")])

    assert result.with_code("missing_index") == []


@pytest.mark.parametrize("entry", ["index", "unique"])
def test_a_reference_that_an_index_of_the_catalog_will_serve_is_not_missed_twice(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, entry: str
) -> None:
    empty_target.execute_script(TABLES)
    leading = lend_catalog(f'[[{entry}]]\ntable = "c"\ncolumns = ["p", "q"]\nname = "c_p_q"\n')
    behind = lend_catalog(f'[[{entry}]]\ntable = "c"\ncolumns = ["q", "p"]\nname = "c_q_p"\n')

    assert (Severity.WARNING, "reference") not in found(leading)
    assert (Severity.WARNING, "reference") in found(behind)


@pytest.mark.parametrize(("index", "served"), [("y", True), ("x", True), ("z, y", False)])
def test_a_composite_reference_is_served_by_one_of_its_columns(
    empty_target: EmptyTarget, index: str, served: bool
) -> None:
    empty_target.execute_script(
        "CREATE TABLE p (a integer, b integer, PRIMARY KEY (a, b));"
        "CREATE TABLE c (x integer, y integer, z integer, FOREIGN KEY (x, y) REFERENCES p (a, b));"
        f"CREATE INDEX i ON c ({index})"
    )

    assert ((Severity.WARNING, "reference") not in found()) is served
