"""Orphans are counted exactly, by the reference's own match kind, and nothing else is."""

import pytest

from integrity.audit import AuditResult, audit
from integrity.database.session import Target
from integrity.detectors.finding import Finding
from integrity.references.catalog import Catalog
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

SHOP = """
CREATE TABLE customers (id integer PRIMARY KEY);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer);
INSERT INTO customers VALUES (1), (2);
INSERT INTO orders VALUES (1, 1), (2, NULL), (3, 8), (4, 8), (5, 9);
"""
CATALOG = '[[reference]]\nfrom = "{0}"\nto = "{1}"\n'
ORDERS = CATALOG.format("orders.customer_id", "customers.id")


def look(catalog: Catalog | None = None) -> AuditResult:
    result = audit(Target("target"), catalog or Catalog())
    assert result.coverage.complete, result.coverage
    return result


def orphans(catalog: Catalog | None = None) -> dict[str, tuple[int, int]]:
    """Rows and missing keys by referencing column."""
    found = look(catalog).with_code("orphaned_rows")
    return {",".join(each.columns): (each.rows, each.missing_keys) for each in found}


def only(catalog: Catalog) -> Finding:
    (found,) = look(catalog).with_code("orphaned_rows")
    return found


def test_orphans_are_counted_with_their_missing_keys(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(SHOP)
    found = only(lend_catalog(ORDERS))

    assert (found.rows, found.missing_keys, found.evidence["nulls"]) == (3, 2, 1)
    assert found.evidence["top_missing_keys"] == [{"key": [8], "rows": 2}, {"key": [9], "rows": 1}]
    assert found.message == ("3 rows of orders.customer_id refer to 2 values that customers.id does not have")
    assert "integrity_plan target --reference orders.customer_id" in found.suggestion


def test_a_finding_carries_what_its_target_and_catalog_allow(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(
        SHOP.replace(" customer_id integer", " customer_id integer NOT NULL").replace("(2, NULL)", "(2, 2)")
    )
    found = only(lend_catalog(f"{ORDERS}\n[system_row.customers]\nid = 0\n[restore.nowhere]\nid = 0\n"))

    assert found.evidence["means"] == {
        "kind": "", "null": [], "computed": [], "system_row": True, "template": False, "policy": "",
    }  # fmt: skip


def test_no_value_of_a_masked_column_is_kept(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(SHOP + "INSERT INTO orders VALUES (6, 0);")
    found = only(lend_catalog(f'{ORDERS}\n[mask]\ncolumns = ["orders.customer_id"]\n'))

    assert [each["key"] for each in found.evidence["top_missing_keys"]] == [["(masked)"]] * 3
    assert {each["sentence"]: each["evidence"] for each in found.evidence["causes"]} == {
        "1 row: sentinel": {},
        "3 rows: unexplained": {},
    }


def test_a_fingerprint_stays_the_same_while_rows_change(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(SHOP)
    catalog = lend_catalog(ORDERS)
    before = only(catalog)
    empty_target.execute_script("DELETE FROM orders WHERE id = 5")
    after = only(catalog)

    assert before.fingerprint == after.fingerprint
    assert (before.rows, after.rows) == (3, 2)


def test_samples_are_capped_and_counts_are_not(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(SHOP + "DELETE FROM orders")
    values = ", ".join(f"({number}, {number + 100})" for number in range(40))
    empty_target.execute_script(f"INSERT INTO orders VALUES {values}")
    found = only(lend_catalog(ORDERS))

    assert (found.rows, found.missing_keys, len(found.evidence["top_missing_keys"])) == (40, 40, 10)


@pytest.mark.parametrize(
    ("on_delete", "orphaned", "suggestion"),
    [
        ("CASCADE", "", "delete: "),
        ("SET NULL", "", "set null: "),
        ("RESTRICT", "", "Somebody decides: "),
        ("CASCADE", "keep", "Kept by the catalog's policy"),
        ("RESTRICT", "delete", "delete: "),
    ],
)
def test_what_is_suggested_comes_from_the_reference(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, on_delete: str, orphaned: str, suggestion: str
) -> None:
    empty_target.execute_script(SHOP)
    policy = f'orphans = "{orphaned}"\n' if orphaned else ""
    found = only(lend_catalog(ORDERS + f'on_delete = "{on_delete}"\n' + policy))

    assert found.suggestion.startswith(suggestion)


def test_a_null_refers_to_nothing_and_a_null_parent_hides_nothing(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(
        "CREATE TABLE p (code varchar(5) UNIQUE); CREATE TABLE c (p varchar(5));"
        "INSERT INTO p VALUES ('a'), (NULL); INSERT INTO c VALUES ('a'), ('b'), (NULL)"
    )

    assert orphans(lend_catalog(CATALOG.format("c.p", "p.code"))) == {"p": (1, 1)}


COMPOSITE = """
CREATE TABLE p (a integer, b integer, PRIMARY KEY (a, b)); CREATE TABLE c (x integer, y integer);
INSERT INTO p VALUES (1, 2);
INSERT INTO c VALUES (1, 2), (2, 1), (1, NULL), (NULL, NULL), (7, 7), (7, 7);
"""


@pytest.mark.parametrize(("match", "found"), [("SIMPLE", (3, 2)), ("FULL", (4, 3))])
def test_a_composite_reference_is_matched_as_its_kind_says(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, match: str, found: tuple[int, int]
) -> None:
    empty_target.execute_script(COMPOSITE)

    assert orphans(lend_catalog(CATALOG.format("c.x,y", "p.a,b") + f'match = "{match}"')) == {"x,y": found}


@pytest.mark.parametrize("match", ["PARTIAL", "PERIOD"])
def test_a_match_kind_that_is_not_supported_is_a_gap(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, match: str
) -> None:
    empty_target.execute_script(COMPOSITE)
    catalog = lend_catalog(CATALOG.format("c.x,y", "p.a,b") + f'match = "{match}"')
    result = audit(Target("target"), catalog)

    assert not result.coverage.complete
    assert f"MATCH {match} is not supported yet" in result.coverage.skipped[0]["reason"]
    assert result.with_code("orphaned_rows") == []


def test_odd_names_are_read_as_they_are(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(
        """CREATE TABLE "user" ("select" integer PRIMARY KEY, n integer);
           CREATE TABLE "Order ""50%s"" x" ("n" integer, "a,b.c" integer);
           INSERT INTO "user" VALUES (1, 1); INSERT INTO "Order ""50%s"" x" VALUES (1, 1), (2, 3), (2, 3);"""
    )
    table = '"Order ""50%s"" x"'
    catalog = lend_catalog(
        f"[[reference]]\nfrom = '{table}.n'\nto = 'user.select'\n"
        f"[[reference]]\nfrom = '{table}.\"a,b.c\"'\nto = 'user.select'\n"
    )

    assert orphans(catalog) == {"n": (2, 1), "a,b.c": (2, 1)}


def test_a_table_without_a_key_and_a_self_reference_are_counted(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(
        "CREATE TABLE t (id integer UNIQUE, boss integer); INSERT INTO t VALUES (1, NULL), (2, 1), (3, 9)"
    )

    assert orphans(lend_catalog(CATALOG.format("t.boss", "t.id"))) == {"boss": (1, 1)}


def test_a_view_as_parent_is_looked_into(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(
        SHOP + "CREATE VIEW known AS SELECT id FROM customers UNION SELECT 8 WHERE 1 = 1"
    )
    result = look(lend_catalog(CATALOG.format("orders.customer_id", "known.id")))

    assert [each.rows for each in result.with_code("orphaned_rows")] == [1]
    assert result.with_code("missing_foreign_key") == []


def test_a_generated_column_can_refer(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(
        """CREATE TABLE p (id integer PRIMARY KEY);
           CREATE TABLE c (n integer, p integer GENERATED ALWAYS AS (n + 1) STORED);
           INSERT INTO p VALUES (2); INSERT INTO c (n) VALUES (1), (2)"""
    )

    assert orphans(lend_catalog(CATALOG.format("c.p", "p.id"))) == {"p": (1, 1)}


def test_types_that_differ_are_compared_by_their_text_on_postgresql(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(
        """CREATE TABLE p (id int PRIMARY KEY, u uuid UNIQUE);
           CREATE TABLE c (id text, u text);
           INSERT INTO p VALUES (1, 'AAAAAAAA-0000-4000-8000-000000000001');
           INSERT INTO c VALUES ('1', 'aaaaaaaa-0000-4000-8000-000000000001'), ('x', 'y')"""
    )
    catalog = lend_catalog(CATALOG.format("c.id", "p.id") + CATALOG.format("c.u", "p.u"))

    assert orphans(catalog) == {"id": (1, 1), "u": (1, 1)}


def test_partitions_on_both_sides_are_looked_into(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(
        """CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
           CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
           CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
           CREATE TABLE c (p int) PARTITION BY LIST (p);
           CREATE TABLE c1 PARTITION OF c DEFAULT;
           INSERT INTO p VALUES (1), (11); INSERT INTO c VALUES (1), (11), (12), (NULL)"""
    )

    assert orphans(lend_catalog(CATALOG.format("c.p", "p.id"))) == {"p": (1, 1)}


def test_inheritance_is_looked_up_in_parents_and_said_of_children(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(
        """CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE p_more () INHERITS (p);
           CREATE TABLE c (p int); CREATE TABLE c_more () INHERITS (c);
           INSERT INTO p VALUES (1); INSERT INTO p_more VALUES (2);
           INSERT INTO c VALUES (1), (2), (3); INSERT INTO c_more VALUES (4)"""
    )
    found = only(lend_catalog(CATALOG.format("c.p", "p.id")))

    assert found.rows == 1
    assert found.evidence["not_looked_at"] == ["public.c_more"]


def test_enums_domains_and_uuids_are_counted(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(
        """CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN code AS varchar(5);
           CREATE TABLE p (mood mood UNIQUE, code code UNIQUE, u uuid UNIQUE);
           CREATE TABLE c (mood mood, code varchar(9), u uuid);
           INSERT INTO p VALUES ('sad', 'a', '00000000-0000-0000-0000-000000000000');
           INSERT INTO c VALUES ('sad', 'a', '00000000-0000-0000-0000-000000000000'),
             ('glad', 'b', '00000000-0000-0000-0000-000000000001')"""
    )
    entries = [CATALOG.format(f"c.{name}", f"p.{name}") for name in ("mood", "code", "u")]
    catalog = lend_catalog("".join(entries))

    assert orphans(catalog) == {"mood": (1, 1), "code": (1, 1), "u": (1, 1)}


def test_text_that_is_not_utf8_is_counted_and_shown(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor != SQLITE:
        return
    empty_target.execute_script(
        "CREATE TABLE p (k TEXT UNIQUE); CREATE TABLE c (p TEXT);"
        "INSERT INTO c VALUES (CAST(X'ff41' AS TEXT)); INSERT INTO p VALUES ('é')"
    )
    result = look(lend_catalog(CATALOG.format("c.p", "p.k")))

    assert [each.rows for each in result.with_code("orphaned_rows")] == [1]
    assert str(result.as_json()).encode()
