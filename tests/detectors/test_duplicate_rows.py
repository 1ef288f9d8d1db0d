"""Every row that stands in the way of a unique is counted, and none that does not."""

from typing import Any

import pytest
from django.db import connections

from integrity.audit import AuditResult, audit
from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.detectors import Finding
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE tags (id integer PRIMARY KEY, store integer, slug varchar(40), gone integer);
INSERT INTO tags VALUES (1, 1, 'shoes', NULL), (2, 1, 'shoes', NULL), (3, 1, 'Shoes', NULL),
    (4, 1, 'hats', NULL), (5, 2, 'shoes', 1), (6, 2, 'shoes', NULL), (7, 2, 'shoes', 1),
    (8, 3, NULL, NULL), (9, 3, NULL, NULL);
"""
UNIQUE = '[[unique]]\ntable = "tags"\ncolumns = ["store", "slug"]\nname = "uq_tags"\n'


def audited(lend: LendCatalog, more: str = "", catalog: str = UNIQUE) -> AuditResult:
    return audit(Target("target"), lend(catalog + more))


def found(lend: LendCatalog, more: str = "", catalog: str = UNIQUE) -> Finding:
    (finding,) = audited(lend, more, catalog).with_code("duplicate_rows")
    return finding


def values(finding: Finding) -> list[tuple[list[Any], int, list[list[Any]]]]:
    return [
        ([str(part) for part in each["value"]], each["rows"], [[int(k) for k in key] for key in each["keys"]])
        for each in finding.evidence["samples"]
    ]


def test_values_rows_and_keys_are_told_the_commonest_first(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES)
    finding = found(lend_catalog)

    assert (finding.rows, finding.evidence["values"], finding.evidence["surplus"]) == (5, 2, 3)
    assert values(finding) == [(["2", "shoes"], 3, [[5], [6], [7]]), (["1", "shoes"], 2, [[1], [2]])]
    assert finding.message == "2 values of tags.store,slug occur more than once: 5 rows, 3 too many"
    assert "manage.py integrity_deduplicate target --unique tags.store,slug" in finding.suggestion


@pytest.mark.parametrize(
    ("more", "rows"),
    [
        ('nulls = "not distinct"', 7),
        ('case = "insensitive"', 6),
        ('where = "gone IS NULL"', 2),
        ('where = "gone = 1"', 2),
        ("where = \"slug LIKE 'sh%'\"", 5),
        ('case = "insensitive"\nwhere = "gone IS NULL"', 3),
        ('case = "insensitive"\nnulls = "not distinct"', 8),
    ],
)
def test_what_is_a_duplicate_is_what_the_rule_says(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, more: str, rows: int
) -> None:
    empty_target.execute_script(TABLES)
    assert found(lend_catalog, more).rows == rows


@pytest.mark.parametrize(
    "rows",
    [
        "",
        "(1, 1, NULL, 1), (2, 1, NULL, 1)",
        "(1, NULL, 'a', 1), (2, NULL, 'a', 1)",
        "(1, 1, 'a', 1), (2, 2, 'a', 1)",
    ],
    ids=["an empty table", "NULL in one column", "NULL in another", "another store"],
)
def test_what_may_occur_twice_is_no_duplicate(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, rows: str
) -> None:
    script = TABLES.partition("INSERT")[0]
    empty_target.execute_script(script + (f"INSERT INTO tags VALUES {rows}" if rows else ""))
    result = audited(lend_catalog)

    assert result.with_code("duplicate_rows") == []
    assert result.coverage.complete
    assert (result.coverage.uniques, result.coverage.uniques_checked) == (1, 1)


def test_a_unique_that_stands_is_not_counted(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(TABLES + "DELETE FROM tags; CREATE UNIQUE INDEX u ON tags (store, slug)")
    result = audited(lend_catalog)

    assert result.with_code("duplicate_rows") == []
    assert result.with_code("missing_unique") == []


def test_a_column_that_ignores_case_finds_what_its_collation_finds(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor == SQLITE:
        kind = "text COLLATE NOCASE"
    elif empty_target.rows("SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'"):
        empty_target.execute_script(
            "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
        )
        kind = "text COLLATE loose"
    else:
        return
    empty_target.execute_script(
        f"CREATE TABLE s (id integer PRIMARY KEY, slug {kind}); INSERT INTO s VALUES (1, 'a'), (2, 'A'), (3, 'b')"
    )
    finding = found(lend_catalog, catalog='[[unique]]\ntable = "s"\ncolumns = ["slug"]\n')

    assert finding.rows == 2
    assert [keys for _, _, keys in values(finding)] == [[[1], [2]]]


def test_masked_columns_show_neither_values_nor_keys(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES)
    finding = found(lend_catalog, '[mask]\ncolumns = ["tags.slug,id"]\n')

    assert {str(each["value"][1]) for each in finding.evidence["samples"]} == {"(masked)"}
    assert {str(key) for each in finding.evidence["samples"] for (key,) in each["keys"]} == {"(masked)"}


def test_tables_without_a_key_and_odd_names_are_counted(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(
        'CREATE TABLE "Odd %s" ("n" integer, "a ""b%" varchar(9)); '
        """INSERT INTO "Odd %s" VALUES (1, '5%'), (1, '5%'), (2, 'x')"""
    )
    finding = found(
        lend_catalog,
        catalog='[[unique]]\ntable = \'"Odd %s"\'\ncolumns = ["n", "a \\"b%"]\ncase = "insensitive"\n',
    )

    assert finding.rows == 2
    assert finding.evidence["samples"][0]["keys"] == []


def test_a_condition_that_does_not_parse_is_a_gap_and_nothing_else(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES)
    result = audited(lend_catalog, 'where = "nonsense >"')

    assert not result.coverage.complete
    assert [each["unique"] for each in result.coverage.skipped] == ["tags.store,slug"]
    assert result.coverage.uniques_checked == 0
    assert [each.code for each in result.findings] == ["missing_unique"]


def test_values_that_cannot_be_compared_are_a_gap(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script("CREATE TABLE j (id integer PRIMARY KEY, data json)")
    result = audited(lend_catalog, catalog='[[unique]]\ntable = "j"\ncolumns = ["data"]\n')

    assert "equality operator" in result.coverage.skipped[0]["reason"]


def test_a_narrowed_audit_says_nothing_of_uniques(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES + "CREATE TABLE c (id integer PRIMARY KEY, t integer REFERENCES tags)")
    result = audit(Target("target"), lend_catalog(UNIQUE), only=[parse_path("c.t")])

    assert not [each for each in result.findings if each.table.name == "tags"]


def test_a_partitioned_table_is_counted_as_one(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(
        "CREATE TABLE e (id integer, day integer, slug text) PARTITION BY RANGE (day);"
        "CREATE TABLE e1 PARTITION OF e FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE e2 PARTITION OF e FOR VALUES FROM (10) TO (20);"
        "INSERT INTO e VALUES (1, 1, 'a'), (2, 11, 'a'), (3, 12, 'b')"
    )
    assert found(lend_catalog, catalog='[[unique]]\ntable = "e"\ncolumns = ["slug"]\n').rows == 2


def test_the_fingerprint_stays_while_rows_come_and_go(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES)
    before = found(lend_catalog).fingerprint
    empty_target.execute_script("INSERT INTO tags VALUES (20, 1, 'shoes', 1)")

    assert found(lend_catalog).fingerprint == before
    assert (
        found(lend_catalog, 'where = "gone = 1"\n', UNIQUE.replace("uq_tags", "other")).fingerprint != before
    )


def test_a_check_that_takes_too_long_is_a_gap(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(TABLES)
    catalog = lend_catalog(UNIQUE + "where = \"pg_sleep(3)::text = ''\"\n")
    result = audit(Target("target"), catalog, statement_timeout_ms=1_000)

    assert [each["unique"] for each in result.coverage.timed_out] == ["tags.store,slug"]
    assert [each.code for each in result.findings] == ["missing_unique"]


def test_rows_that_this_role_may_not_read_are_a_gap_that_names_the_grant(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(TABLES + "CREATE ROLE nosy; GRANT SELECT (id, store) ON tags TO nosy")
    options = connections.databases["target"].setdefault("OPTIONS", {})
    options["assume_role"] = "nosy"
    try:
        result = audited(lend_catalog)
    finally:
        del options["assume_role"]
        empty_target.execute_script("DROP OWNED BY nosy; DROP ROLE nosy")

    assert 'GRANT SELECT ("slug") ON "public"."tags" TO "nosy";' in result.coverage.skipped[0]["reason"]
    assert [each.code for each in result.findings] == ["missing_unique"]
