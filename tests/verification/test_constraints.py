"""A verification says of each rule whether it holds, is enforced, and how that is known."""

import sqlite3

import pytest
from django.test import override_settings

from integrity.audit import Progress
from integrity.database.identifiers import TableName, parse_path
from integrity.database.session import Target
from integrity.detectors.finding import Severity
from integrity.plans import Request
from integrity.references.catalog import Catalog
from integrity.verification import ExpectedConstraint, VerifyResult, verify
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

SHOP = """
CREATE TABLE customers (id integer PRIMARY KEY, email varchar(40) UNIQUE);
CREATE TABLE orders (
    id integer PRIMARY KEY, number varchar(12) NOT NULL UNIQUE, customer_id integer {customer});
INSERT INTO customers VALUES (1, 'a@shop.example'), (2, 'b@shop.example');
INSERT INTO orders VALUES (1, 'A-1', 1), (2, 'A-2', NULL);
"""
BOUND = "CONSTRAINT fk_orders_customer REFERENCES customers (id) ON DELETE SET NULL"
CATALOG = """
[[reference]]
from = "orders.customer_id"
to = "customers.id"
name = "fk_orders_customer"
on_delete = "SET NULL"
"""


def shop(target: EmptyTarget, customer: str = "") -> Target:
    target.execute_script(SHOP.format(customer=customer))
    return Target(target.alias)


def codes(result: VerifyResult) -> list[str]:
    return [problem.code for problem in result.problems]


def test_a_sound_target_passes_by_trial(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    result = verify(shop(empty_target, BOUND), lend_catalog(CATALOG))

    assert result.ok, result.problems
    (constraint,) = result.constraints
    assert (constraint.table.name, constraint.name, constraint.columns) == (
        "orders",
        "fk_orders_customer",
        ("customer_id",),
    )
    assert (constraint.referenced_table.name, constraint.on_delete) == ("customers", "SET NULL")
    assert (constraint.validated, constraint.enforced, constraint.by) == (True, True, "trial")
    assert constraint.reason == ""
    assert result.as_json()["constraints"][0]["table"] == "orders"
    assert empty_target.rows("SELECT count(*) FROM orders") == [(2,)]


def test_a_missing_constraint_is_a_problem(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    result = verify(shop(empty_target), lend_catalog(CATALOG))

    assert codes(result) == ["constraint_missing"]
    assert not result.ok
    assert "orders.customer_id → customers.id" in result.problems[0].message
    assert "integrity_makemigrations target" in result.problems[0].suggestion


def test_another_name_is_noted_and_no_problem(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    result = verify(shop(empty_target, BOUND.replace("fk_orders_customer", "other")), lend_catalog(CATALOG))

    assert result.ok
    assert result.constraints[0].note == "the catalog calls it fk_orders_customer"


def test_another_delete_action_is_a_problem(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    bound = BOUND.replace("SET NULL", "CASCADE")
    result = verify(shop(empty_target, bound), lend_catalog(CATALOG))

    assert codes(result) == ["wrong_action"]
    assert "has ON DELETE CASCADE, the catalog says SET NULL" in result.problems[0].message


def test_orphans_are_a_problem(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    target = shop(empty_target)
    empty_target.execute_script("INSERT INTO orders VALUES (3, 'A-3', 9), (4, 'A-4', 9)")
    result = verify(target, lend_catalog(CATALOG))

    assert codes(result) == ["constraint_missing", "orphaned_rows"]
    assert result.problems[1].rows == 2


@pytest.mark.parametrize("allowed", [False, True])
def test_kept_orphans_pass_only_where_allowed(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, allowed: bool
) -> None:
    target = kept_orphan(empty_target)
    kept = {"orders.customer_id": "2999-12-31"}
    result = verify(target, lend_catalog(CATALOG), kept=kept, allow_kept=allowed)

    assert codes(result) == ["kept_orphans"]
    assert "enforced for new rows, 1 row kept by decision until 2999-12-31" in result.problems[0].message
    assert result.problems[0].severity is (Severity.INFO if allowed else Severity.ERROR)
    assert result.ok is allowed
    assert result.constraints[0].enforced
    assert not result.constraints[0].validated


def test_orphans_that_are_kept_one_by_one_pass_where_all_of_them_are(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    target = shop(empty_target)
    empty_target.execute_script("INSERT INTO orders VALUES (3, 'A-3', 9), (4, 'A-4', 9), (5, 'A-5', 8)")
    row = Request(rows=(("3",),), until="2999-12-31")
    kept = [row, Request(keys=(("8",),))]

    def verified(parts: list[Request]) -> VerifyResult:
        catalog = lend_catalog(CATALOG)
        return verify(target, catalog, kept_parts={"orders.customer_id": parts}, allow_kept=True)

    some, every = verified(kept), verified([*kept, Request(rows=(("4",),))])

    assert codes(some) == ["constraint_missing", "orphaned_rows"]
    assert "; 2 of them kept by decision" in some.problems[1].message
    assert codes(every) == ["constraint_missing", "kept_orphans"]
    assert "3 rows kept by decision until 2999-12-31" in every.problems[1].message


def test_a_decision_to_keep_ends_on_its_date(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    target = kept_orphan(empty_target)
    kept = {"orders.customer_id": "2001-01-01"}
    result = verify(target, lend_catalog(CATALOG), kept=kept, allow_kept=True)

    assert "orphaned_rows" in codes(result)
    assert not result.ok
    assert any("ended on 2001-01-01" in problem.message for problem in result.problems)


def kept_orphan(target: EmptyTarget) -> Target:
    """A foreign key for new rows, and a row from before that breaks it."""
    if target.vendor == SQLITE:
        shop(target, BOUND)
        target.execute_script("INSERT INTO orders VALUES (3, 'A-3', 9)")
    else:
        shop(target)
        target.execute_script(
            "INSERT INTO orders VALUES (3, 'A-3', 9); ALTER TABLE orders ADD CONSTRAINT fk_orders_customer "
            "FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE SET NULL NOT VALID"
        )
    return Target(target.alias)


def test_a_constraint_for_new_rows_only_is_a_problem_once_nothing_is_kept(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    target = kept_orphan(empty_target)
    empty_target.execute_script("DELETE FROM orders WHERE id = 3")
    result = verify(target, lend_catalog(CATALOG), kept={"orders.customer_id": ""}, allow_kept=True)

    assert codes(result) == ([] if empty_target.vendor == SQLITE else ["constraint_not_validated"])


def test_a_constraint_that_somebody_dropped_is_named_with_its_migration(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    schema = "main" if empty_target.vendor == SQLITE else "public"
    made = ExpectedConstraint(
        "fk_orders_customer", TableName(schema, "orders"), ("customer_id",), "catalog_shop.0002_foreign_keys"
    )
    gone = ExpectedConstraint("fk_x", TableName(schema, "basket"), ("x",), "catalog_shop.0002_foreign_keys")
    result = verify(shop(empty_target), lend_catalog(CATALOG), expected=[made, gone])

    assert codes(result) == ["constraint_lost", "constraint_lost"]
    assert "made by catalog_shop.0002_foreign_keys, is gone" in result.problems[0].message
    assert verify_bound(result) == {"basket", "orders"}


def verify_bound(result: VerifyResult) -> set[str]:
    return {problem.table.name for problem in result.problems}


def test_triggers_keep_a_table_from_being_tried(empty_target: EmptyTarget) -> None:
    target = shop(empty_target, BOUND)
    empty_target.execute_script(
        "CREATE TRIGGER tell AFTER INSERT ON orders BEGIN SELECT 1; END"
        if empty_target.vendor == SQLITE
        else """CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
                CREATE TRIGGER tell AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION tell()"""
    )
    result = verify(target, Catalog())

    assert result.ok, result.problems
    assert result.constraints[0].by == "system catalog"
    assert result.constraints[0].reason == "the table has triggers (tell)"


def test_the_trial_can_be_left_out(empty_target: EmptyTarget) -> None:
    result = verify(shop(empty_target, BOUND), Catalog(), trial=False)

    assert result.ok
    assert (result.constraints[0].by, result.constraints[0].enforced) == ("system catalog", True)


def test_only_the_asked_reference_is_looked_at(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:

    catalog = lend_catalog(CATALOG + '[[index]]\ntable = "orders"\ncolumns = ["customer_id"]\nname = "ix"\n')
    whole = verify(shop(empty_target, BOUND), catalog)
    narrow = verify(Target("target"), catalog, only=[parse_path("orders.customer_id")])

    assert codes(whole) == ["index_missing"]
    assert narrow.ok


def test_progress_ends_at_its_total(empty_target: EmptyTarget) -> None:
    seen: list[Progress] = []
    verify(shop(empty_target, BOUND), Catalog(), on_progress=seen.append)

    assert [progress.done for progress in seen] == list(range(len(seen)))
    assert seen[-1].done == seen[-1].total


def test_a_parent_that_is_not_unique_is_an_error(empty_target: EmptyTarget) -> None:
    if empty_target.vendor != SQLITE:
        return
    empty_target.execute_script("CREATE TABLE p (code text); CREATE TABLE c (p text REFERENCES p (code))")
    result = verify(Target("target"), Catalog())

    assert codes(result) == ["constraint_not_enforced"]
    assert "foreign key mismatch" in result.problems[0].message


def test_a_locked_file_is_read_from_the_system_catalog(empty_target: EmptyTarget) -> None:
    if empty_target.vendor != SQLITE:
        return
    target = shop(empty_target, BOUND)
    writer = sqlite3.connect(target.settings["NAME"], isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        with override_settings(INTEGRITY={"LOCK_TIMEOUT_MS": 50}):
            result = verify(target, Catalog())
    finally:
        writer.close()

    assert result.constraints[0].by == "system catalog"
    assert "locked" in result.constraints[0].reason
