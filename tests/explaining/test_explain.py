"""A service that catches an IntegrityError learns which rows, how many more, and what to do."""

import re

import pytest
from django.db import IntegrityError, OperationalError, connections, transaction

import integrity
from integrity.exceptions import AmbiguousError, NotFoundInTargets, TargetUnreachable
from integrity.explaining import Candidate, ErrorKind, explain
from tests.catalogs import LendCatalog
from tests.explaining.conftest import SHOP, refused
from tests.servers import SQLITE, EmptyTarget, MakePostgresDatabase, RegisterTarget

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

BROKEN = """
CREATE TABLE customers (id integer PRIMARY KEY);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer);
INSERT INTO customers VALUES (1); INSERT INTO orders VALUES (1, 1), (2, 8), (3, 8), (4, 9), (5, NULL);
"""
ORDERS = (
    '[[reference]]\nfrom = "orders.customer_id"\nto = "customers.id"\nname = "fk_orders_customer"\n'
    'on_delete = "CASCADE"\n'
)
ADD = (
    "ALTER TABLE orders ADD CONSTRAINT fk_orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id)"
)


def test_a_missing_parent_is_explained_within_the_broken_transaction(shop: EmptyTarget) -> None:
    with refused(shop.alias, "INSERT INTO orders VALUES (13, 99, 'd')") as error:
        found = integrity.explain(error, using=shop.alias)
    if shop.vendor == SQLITE:
        assert (found.kind, found.target) == (ErrorKind.FOREIGN_KEY, "target")
        assert {each.reference for each in found.also} == {"orders.customer_id", "visits.customer_id"}
        assert "No row breaks any of them now" in found.why[1]
        return
    assert found.kind is ErrorKind.MISSING_PARENT
    assert (found.target, found.reference) == ("target", "orders.customer_id")
    assert (found.constraint, found.constraint_state) == ("fk_orders_customer", "holds for every row")
    assert (found.table, found.columns, found.values) == ("orders", ("customer_id",), ("99",))
    assert (found.referenced_table, found.referenced_columns) == ("customers", ("id",))
    assert (found.rows, found.more_like_it, found.gaps) == (0, 0, ())
    assert "was refused" in found.why[0]


def test_an_exception_alone_finds_its_target(shop: EmptyTarget) -> None:
    with refused(shop.alias, "INSERT INTO customers VALUES (3, 'ann@example.com')") as error:
        found = explain(error)
    assert (found.kind, found.target) == (ErrorKind.DUPLICATE, "target")
    assert (found.table, found.columns) == ("customers", ("email",))
    if shop.vendor != SQLITE:
        assert (found.constraint, found.values, found.rows) == (
            "customers_email",
            ("ann@example.com",),
            1,
        )
        assert shop.rows(found.queries[0])[0][0] == 1


def test_a_duplicate_primary_key_is_explained(shop: EmptyTarget) -> None:
    with refused(shop.alias, "INSERT INTO customers VALUES (1, 'x')") as error:
        found = explain(error, using=shop.alias)
    assert (found.kind, found.table, found.columns) == (ErrorKind.DUPLICATE, "customers", ("id",))
    assert found.more_like_it == 0


def test_a_row_that_is_still_referred_to_is_counted_through_every_reference(shop: EmptyTarget) -> None:
    with refused(shop.alias, "DELETE FROM customers WHERE id = 1") as error:
        found = explain(error, using=shop.alias)
    if shop.vendor == SQLITE:
        assert (found.kind, found.reference) == (ErrorKind.FOREIGN_KEY, "")
        return
    assert (found.kind, found.reference) == (ErrorKind.STILL_REFERENCED, "orders.customer_id")
    assert (found.values, found.rows, found.more_like_it) == (("1",), 2, 1)
    assert found.also == (Candidate("visits.customer_id", 1),)
    assert "NO ACTION" in found.why[0]


def test_a_key_with_restrict_is_the_same_on_every_version(empty_target: EmptyTarget) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(
        SHOP.replace("REFERENCES customers (id)", "REFERENCES customers (id) ON DELETE RESTRICT")
    )
    with refused(empty_target.alias, "DELETE FROM customers WHERE id = 2") as error:
        found = explain(error, using="target")
    assert (found.kind, found.reference, found.rows) == (
        ErrorKind.STILL_REFERENCED,
        "orders.customer_id",
        1,
    )


def test_a_constraint_that_cannot_be_added_shows_every_orphan(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(BROKEN)
    with (
        pytest.raises(IntegrityError) as caught,
        transaction.atomic(using="target"),
        connections["target"].cursor() as cursor,
    ):
        cursor.execute(ADD)
    found = explain(str(caught.value), "target", catalog=lend_catalog(ORDERS))
    assert found.constraint_state == "is not there"
    assert (found.rows, found.more_like_it, found.missing_keys) in ((2, 1, 2), (1, 2, 2))
    assert "cannot be added while 3 rows break it" in found.why[1]
    assert all(re.search(r" --catalog \S+/catalog.toml$", each) for each in found.commands)
    assert [each.partition(" --catalog")[0] for each in found.commands] == [
        "manage.py integrity_diagnose target --reference orders.customer_id",
        "manage.py integrity_plan target --reference orders.customer_id --action delete",
        "manage.py integrity_cleanup target --plan HASH",
        "manage.py integrity_makemigrations target",
        "manage.py integrity_migrate target",
    ]
    assert sum(each.rows for each in found.causes) == 3
    assert len(empty_target.rows(found.queries[0])) == found.rows
    assert len(empty_target.rows(found.queries[1])) == 3


def test_a_rule_that_nobody_wrote_down_comes_as_a_catalog_entry(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(BROKEN)
    text = (
        "The row in table 'orders' with primary key '2' has an invalid foreign key: orders.customer_id "
        "contains a value '8' that does not have a corresponding value in customers.id."
    )
    found = explain(text, "target")
    assert (found.rows, found.more_like_it) == (2, 1)
    entry = lend_catalog(found.catalog_entry.replace('"…"', '"CASCADE"'))
    assert entry.references[0].source.columns == ("customer_id",)
    assert found.commands[0] == "manage.py integrity_startcatalog target"


def test_djangos_own_check_names_row_and_value(empty_target: EmptyTarget) -> None:
    if empty_target.vendor != SQLITE:
        return
    empty_target.execute_script(SHOP + "INSERT INTO visits VALUES (21, 77), (22, 78), (23, 77);")
    with pytest.raises(IntegrityError) as caught:
        connections["target"].check_constraints()
    found = explain(caught.value, "target")
    assert (found.kind, found.reference) == (ErrorKind.MISSING_PARENT, "visits.customer_id")
    assert (found.rows, found.more_like_it, found.missing_keys) in ((2, 1, 2), (1, 2, 2))


def test_sqlite_does_not_say_which_key_so_that_all_are_named(shop: EmptyTarget) -> None:
    if shop.vendor != SQLITE:
        return
    shop.execute_script("INSERT INTO visits VALUES (21, 77)")
    with refused(shop.alias, "DELETE FROM customers WHERE id = 1") as error:
        found = explain(error, "target")
    assert str(error) == "FOREIGN KEY constraint failed"
    assert found.kind is ErrorKind.FOREIGN_KEY
    assert found.also == (Candidate("visits.customer_id", 1), Candidate("orders.customer_id", 0))
    assert found.commands[0] == "manage.py integrity_diagnose target --reference visits.customer_id"


def test_the_only_key_of_a_sqlite_file_is_the_one(empty_target: EmptyTarget) -> None:
    if empty_target.vendor != SQLITE:
        return
    empty_target.execute_script(
        "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (p integer REFERENCES p);"
        "INSERT INTO c VALUES (1), (2), (2);"
    )
    found = explain("Runtime error: FOREIGN KEY constraint failed (19)", "target")
    assert (found.kind, found.reference, found.more_like_it) == (ErrorKind.FOREIGN_KEY, "c.p", 3)


def test_a_key_that_sqlite_cannot_use_is_explained(empty_target: EmptyTarget) -> None:
    if empty_target.vendor != SQLITE:
        return
    empty_target.execute_script(
        "CREATE TABLE p (code text); CREATE TABLE c (p text REFERENCES p (code)); INSERT INTO p VALUES ('a');"
    )
    with connections["target"].cursor() as cursor, pytest.raises(Exception, match="mismatch") as caught:
        cursor.execute("INSERT INTO c VALUES ('a')")
    found = explain(str(caught.value), "target")
    assert (found.kind, found.reference) == (ErrorKind.UNUSABLE_KEY, "c.p")
    assert "p.code is not unique" in found.why[0]


def test_a_unique_that_cannot_be_made_counts_what_is_too_much(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(
        "CREATE TABLE u (store integer, slug varchar(9));"
        "INSERT INTO u VALUES (1, 'a'), (1, 'a'), (1, 'a'), (2, 'a'), (2, 'b'), (2, 'b'),"
        " (3, NULL), (3, NULL);"
    )
    catalog = lend_catalog('[[unique]]\ntable = "u"\ncolumns = ["store", "slug"]\nname = "u_slug"\n')
    with pytest.raises(IntegrityError) as caught, connections["target"].cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX u_slug ON u (store, slug)")
    found = explain(str(caught.value), "target", catalog=catalog)
    assert (found.kind, found.table, set(found.columns)) == (ErrorKind.DUPLICATE, "u", {"store", "slug"})
    assert found.constraint_state == "is not there"
    if empty_target.vendor == SQLITE:
        assert (found.rows, found.more_like_it) == (None, 3)
    else:
        assert (found.rows, found.more_like_it) in ((3, 1), (2, 2))


def test_masked_values_are_shown_nowhere(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(
        "CREATE TABLE people (email varchar(60) PRIMARY KEY);"
        "CREATE TABLE mails (id integer PRIMARY KEY, person varchar(60));"
        "INSERT INTO mails VALUES (1, 'secret@example.com'), (2, 'secret@example.com');"
    )
    catalog = lend_catalog(
        '[[reference]]\nfrom = "mails.person"\nto = "people.email"\n[mask]\ncolumns = ["people.email"]\n'
    )
    text = (
        "The row in table 'mails' with primary key '1' has an invalid foreign key: mails.person contains a "
        "value 'secret@example.com' that does not have a corresponding value in people.email."
    )
    found = explain(text, "target", catalog=catalog)
    assert (found.rows, found.values) == (2, ("(masked)",))
    assert "secret" not in str(found.as_json())


def test_another_rule_is_said_to_be_another_rule(shop: EmptyTarget) -> None:
    with refused(shop.alias, "INSERT INTO orders VALUES (13, 1, NULL)") as error:
        found = explain(error, using=shop.alias)
    assert found.kind is ErrorKind.UNKNOWN
    assert found.gaps
    assert found.commands == ()


def test_an_exception_is_answered_even_where_nobody_can_look(shop: EmptyTarget) -> None:
    with refused(shop.alias, "INSERT INTO customers VALUES (1, 'x')") as error:
        pass
    nowhere = explain(error, using="nowhere")
    assert nowhere.kind is ErrorKind.DUPLICATE
    assert "There is no target 'nowhere'" in nowhere.gaps[0]


def test_a_database_that_fails_while_it_is_asked_fails_no_service(
    shop: EmptyTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise OperationalError("disk I/O error")

    with refused(shop.alias, "INSERT INTO customers VALUES (1, 'x')") as error:
        monkeypatch.setattr("integrity.explaining.answer.known_in", fail)
        named, unnamed = explain(error, using=shop.alias), explain(error)
    assert named.kind is unnamed.kind is ErrorKind.DUPLICATE
    assert named.gaps == ("disk I/O error",)
    assert "target could not be asked: disk I/O error" in unnamed.gaps[0]


def test_an_unknown_constraint_is_refused_with_where_it_was_looked_for(shop: EmptyTarget) -> None:
    with pytest.raises(NotFoundInTargets) as error:
        explain('insert or update on table "bills" violates foreign key constraint "fk_bills"')
    assert "No target has the constraint fk_bills on table bills" in str(error.value)
    assert "integrity_targets" in str(error.value)


def test_a_target_that_cannot_be_opened_is_an_error_only_when_it_was_named(
    register_target: RegisterTarget, shop: EmptyTarget
) -> None:
    register_target("away", "postgresql://somebody@127.0.0.1:1/away")
    text = 'duplicate key value violates unique constraint "customers_email"'
    with pytest.raises(TargetUnreachable):
        explain(text, "away")
    if shop.vendor != SQLITE:
        found = explain(text)
        assert (found.target, found.table) == ("target", "customers")
        assert any("away could not be asked" in gap for gap in found.gaps)


def test_an_error_that_fits_two_targets_asks_which(
    shop: EmptyTarget,
    register_target: RegisterTarget,
    make_postgres_database: MakePostgresDatabase,
) -> None:
    if shop.server is None:
        return
    url = make_postgres_database(shop.server)
    register_target("other", url)
    EmptyTarget("other", "postgresql", url).execute_script(SHOP)
    text = (
        'insert or update on table "orders" violates foreign key constraint "fk_orders_customer"\n'
        'DETAIL:  Key (customer_id)=(99) is not present in table "customers".'
    )
    with pytest.raises(AmbiguousError) as error:
        explain(text)
    assert "fits 2 targets: target, other" in str(error.value)
    assert explain(text, "other").target == "other"
    shop.execute_script("ALTER TABLE orders RENAME CONSTRAINT fk_orders_customer TO another_name")
    assert explain(text).target == "other", "the one that knows the name is surer than one with the tables"
