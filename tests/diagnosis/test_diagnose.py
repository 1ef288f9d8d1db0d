"""A diagnosis answers whether rows are worth keeping, in a terminal and in a dashboard without a shell."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.diagnosis import Diagnosis, Referring, diagnose, script
from integrity.exceptions import UnknownReference
from integrity.references.catalog import Catalog
from tests.catalogs import LendCatalog
from tests.commands import run, run_json
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

BOT = """
CREATE TABLE profiles (id integer PRIMARY KEY, name varchar(60));
CREATE TABLE orders (id integer PRIMARY KEY, user_id integer, amount numeric(10,2), created_at timestamp,
  updated_at timestamp);
CREATE TABLE items (id integer PRIMARY KEY, order_id integer NOT NULL, price numeric(10,2));
CREATE TABLE notes (id integer PRIMARY KEY, order_id integer);
CREATE TABLE leads (id integer PRIMARY KEY, user_id varchar(20));
CREATE INDEX orders_user_idx ON orders (user_id);
INSERT INTO profiles VALUES (1, 'Ann'), (2, 'Bob');
INSERT INTO orders VALUES (1, 1, 10, '2026-01-01 10:00:00', '2026-04-01'),
  (2, 2, 20, '2026-05-01 10:00:00', NULL),
  (3, NULL, 5, '2026-01-02 10:00:00', NULL), (10, 90, 100.5, '2026-03-03 10:00:00', NULL),
  (11, 90, 50, '2026-03-04 10:00:00', NULL), (12, 91, NULL, '2026-04-05 10:00:00', NULL);
INSERT INTO items VALUES (1, 1, 1), (2, 10, 2), (3, 10, 3), (4, 12, 4);
INSERT INTO notes VALUES (1, 10), (2, 2), (3, NULL);
INSERT INTO leads VALUES (1, '1'), (2, '77');
"""
CATALOG = """
[[reference]]
from = "orders.user_id"
to = "profiles.id"
name = "fk_orders_user_id"
on_delete = "RESTRICT"
[[reference]]
from = "items.order_id"
to = "orders.id"
on_delete = "CASCADE"
[[reference]]
from = "notes.order_id"
to = "orders.id"
on_delete = "SET NULL"
[[reference]]
from = "leads.user_id"
to = "profiles.id"
on_delete = "CASCADE"
"""


@pytest.fixture
def bot(empty_target: EmptyTarget) -> EmptyTarget:
    """A support bot whose profiles are gone."""
    empty_target.execute_script(BOT)
    return empty_target


def only(catalog: Catalog, reference: str = "orders.user_id") -> Diagnosis:
    result = diagnose(Target("target"), catalog, only=[parse_path(reference)])
    assert result.coverage.complete, result.coverage
    (found,) = result.references
    assert found.gaps == []
    return found


def test_the_numbers_of_a_reference(bot: EmptyTarget, lend_catalog: LendCatalog) -> None:
    found = only(lend_catalog(CATALOG))
    assert (found.parents, found.rows, found.nulls) == (2, 6, 1)
    assert (found.orphans, found.missing_keys) == (3, 2)
    assert (found.constraint, found.constraint_state) == ("fk_orders_user_id", "is not there")
    assert found.top_missing_keys == ({"key": [90], "rows": 2}, {"key": [91], "rows": 1})


def test_the_age_of_orphans_is_compared_with_that_of_all_rows(
    bot: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    (age,) = only(lend_catalog(CATALOG)).ages
    assert age.column == "created_at"
    assert (age.first_orphan or "")[:10] == "2026-03-03"
    assert (age.last_orphan or "")[:10] == "2026-04-05"
    assert (age.first_row or "")[:10] == "2026-01-01"
    assert (age.last_row or "")[:10] == "2026-05-01"
    assert age.months == (("2026-03", 2), ("2026-04", 1))


def test_times_that_sqlite_keeps_as_numbers_have_months(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor != SQLITE:
        return
    empty_target.execute_script(
        "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (p integer, created integer);"
        "INSERT INTO c VALUES (1, 1772532000), (1, 1772532000000), (2, NULL);"
    )
    (age,) = only(lend_catalog('[[reference]]\nfrom = "c.p"\nto = "p.id"\n'), "c.p").ages
    assert age.months == (("?", 1), ("2026-03", 2))


def test_each_orphan_has_one_probable_cause(bot: EmptyTarget, lend_catalog: LendCatalog) -> None:
    found = only(lend_catalog(CATALOG))
    assert sum(each.rows for each in found.causes) == found.orphans
    bot.execute_script("INSERT INTO leads VALUES (3, ' 1'), (4, '2 ')")
    spelled = {each.kind: each.rows for each in only(lend_catalog(CATALOG), "leads.user_id").causes}
    same = bot.vendor == SQLITE  # the affinity of the parent's column reads such spellings as the number
    assert spelled.get("format_mismatch") == (None if same else 2), spelled


def test_amounts_are_summed_over_orphans_alone(bot: EmptyTarget, lend_catalog: LendCatalog) -> None:
    (amount,) = only(lend_catalog(CATALOG)).amounts
    assert (amount.column, amount.rows, float(amount.total)) == ("amount", 2, 150.5)


def test_what_hangs_on_orphans_is_counted_through_every_reference(
    bot: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    found = only(lend_catalog(CATALOG))
    assert set(found.referring) == {
        Referring("items.order_id", 3, 1, "delete"),
        Referring("notes.order_id", 1, 1, "set null"),
    }
    assert found.taken_with_them == 3


def test_types_of_both_sides_are_said_with_how_they_are_compared(
    bot: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    (same,) = only(lend_catalog(CATALOG)).types
    assert same.comparison == "the same type"
    (differing,) = only(lend_catalog(CATALOG), "leads.user_id").types
    if bot.vendor == SQLITE:
        assert (differing.stored_as, differing.referenced_stored_as) == ({"text": 2}, {"integer": 2})
    else:
        assert (differing.type, differing.referenced_type) == ("character varying(20)", "integer")
        assert differing.comparison == "by their text: the types do not fit"


def test_the_structure_of_both_tables_is_there(bot: EmptyTarget, lend_catalog: LendCatalog) -> None:
    orders, profiles = only(lend_catalog(CATALOG)).tables
    assert [each["name"] for each in orders["columns"]][:2] == ["id", "user_id"]
    assert [each["name"] for each in orders["indexes"]] in (
        ["orders_user_idx"],
        ["orders_pkey", "orders_user_idx"],
    )
    assert profiles["keys"][0]["primary"] is True


def test_masked_columns_show_no_value(bot: EmptyTarget, lend_catalog: LendCatalog) -> None:
    catalog = lend_catalog(CATALOG + '[mask]\ncolumns = ["orders.user_id,amount,created_at"]\n')
    found = only(catalog)
    assert (found.orphans, found.missing_keys) == (3, 2)
    assert (found.top_missing_keys, found.ages, found.amounts) == ((), (), ())
    assert {name for row in found.samples for name in row} == {"id"}
    assert sum(each.rows for each in found.causes) == 3
    assert all(each.evidence == {} for each in found.causes)
    assert found.masked == ("user_id", "amount", "created_at")
    said = str(found.as_json()) + script(Target("target"), catalog, only=[parse_path("orders.user_id")])
    assert not re.search(r"min\(|sum\(c\.|150|2026-03", said)
    parent = lend_catalog(CATALOG + '[mask]\ncolumns = ["profiles.id"]\n')
    assert "user_id" not in only(parent).samples[0]


def test_without_a_reference_only_those_with_orphans_are_told_in_brief(
    bot: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    bot.execute_script("DELETE FROM leads")
    result = diagnose(Target("target"), lend_catalog(CATALOG))
    assert [each.reference for each in result.references] == ["orders.user_id"]
    assert (result.coverage.checked, result.references[0].samples) == (4, ())


def test_what_cannot_be_looked_at_is_a_gap_in_the_coverage(
    bot: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    catalog = lend_catalog(CATALOG.replace('"profiles.id"\nname', '"profiles.id"\nmatch = "PARTIAL"\nname'))
    result = diagnose(Target("target"), catalog, only=[parse_path("orders.user_id")])
    assert not result.coverage.complete
    assert "PARTIAL" in result.coverage.skipped[0]["reason"]
    assert "-- Not asked: MATCH PARTIAL" in script(Target("target"), catalog)


def test_an_unknown_reference_is_told_with_those_that_are_known(
    bot: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    with pytest.raises(UnknownReference, match="Known are"):
        diagnose(Target("target"), lend_catalog(CATALOG), only=[parse_path("orders.custom_id")])


def statements(text: str) -> Iterator[tuple[str, str]]:
    """Each statement of a file with the comment that stands above it."""
    yield from re.findall(r"^-- (\d+\. .*)\n(SELECT .*);$", text, re.MULTILINE)


def test_each_statement_of_the_file_answers_its_question_alone(
    bot: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    catalog = lend_catalog(CATALOG)
    text = script(Target("target"), catalog, only=[parse_path("orders.user_id")])
    answers: dict[str, list[tuple[Any, ...]]] = {}
    for about, sql in statements(text):
        answers[about] = bot.rows(sql)
    assert len(answers) > 12
    found = {about.partition(" ")[2]: rows for about, rows in answers.items()}
    assert found["How many rows does profiles have?"] == [(2,)]
    assert [
        tuple(map(int, row)) for row in found["How many rows does orders have; how many refer to nothing?"]
    ] == [(6, 1)]
    broken = found["How many rows break orders.user_id, and how many values are missing?"]
    assert tuple(map(int, broken[0])) == (3, 2)
    assert found["Which values are missing most often?"] == [(90, 2), (91, 1)]
    assert found["How many rows of items.order_id refer to them?"] == [(3,)]
    assert len(found["orders: Which columns does it have?"]) == 5
    assert float(found["What do they amount to in amount?"][0][1]) == 150.5
    outside = re.sub(r"^--.*$|^SELECT .*;$", "", text, flags=re.MULTILINE)
    assert outside.strip() == "", "every line is a comment or one statement"


def test_the_file_runs_as_a_whole_and_changes_nothing(bot: EmptyTarget, lend_catalog: LendCatalog) -> None:
    bot.execute_script(
        'CREATE TABLE "100% odd ""things""" (id integer PRIMARY KEY, "the user" integer, created date)'
    )
    more = '[[reference]]\nfrom = "\\"100% odd \\"\\"things\\"\\"\\".\\"the user\\""\nto = "profiles.id"\n'
    text = script(Target("target"), lend_catalog(CATALOG + more))
    bot.execute_script(text)
    asked = list(statements(text))
    assert any('"100% odd ""things"""' in sql for _, sql in asked)
    for _, sql in asked:
        bot.rows(sql)
    assert not re.search(r"\b(INSERT|UPDATE|DELETE|DROP|ALTER|CREATE)\b", re.sub(r"--.*", "", text))


@pytest.mark.django_db(transaction=True)
@pytest.mark.newest_postgres_only
def test_the_command_shows_and_writes(bot: EmptyTarget, tmp_path: Path) -> None:
    lent = tmp_path / "lent.toml"
    lent.write_text(CATALOG)
    asked = ("diagnose", "target", "--catalog", lent, "--reference", "orders.user_id")
    ran = run(*asked, "--sql", tmp_path / "diagnose.sql")
    assert ran.code == 1
    assert "3 rows (50.0 % of all) refer to 2 values that profiles.id does not have." in ran.out
    assert "Are they worth keeping?" in ran.out
    assert "Deleting them would delete 3 rows of other tables too." in ran.out
    assert "How many rows break orders.user_id" in (tmp_path / "diagnose.sql").read_text()
    told = run(*asked, "--format", "json")
    assert told.code == 1
    assert told.json["references"][0]["taken_with_them"] == 3
    assert run(*asked, "--format", "markdown").out.startswith("## ")
    brief = run("diagnose", "target", "--catalog", lent)
    assert brief.code == 1
    assert "orders.user_id" in brief.out
    bot.execute_script("DELETE FROM orders WHERE user_id > 2; DELETE FROM leads WHERE id = 2")
    assert run("diagnose", "target", "--catalog", lent, "--reference", "orders.user_id").code == 0
    gone = run("diagnose", "target", "--catalog", lent, "--reference", "orders.nothing")
    assert gone.code == 2
    assert "Known are" in gone.err


@pytest.mark.django_db(transaction=True)
@pytest.mark.newest_postgres_only
def test_a_target_that_declares_nothing_is_diagnosed_as_nothing(bot: EmptyTarget) -> None:
    assert run_json("diagnose", "target")["references"] == []
