"""Uniques are built while others write; duplicates stop them with their number."""

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from integrity.exceptions import ReferentialIntegrityError, SchemaFixRefused
from integrity.operations import AddForeignKey, AddUnique
from tests.operations.conftest import KEY, Shop

UNIQUE = AddUnique(table="customers", columns=("code",), name="customers_code_key")
REFUSED = (psycopg.errors.UniqueViolation, sqlite3.IntegrityError)


def test_a_unique_refuses_duplicates_and_can_be_referenced(shop: Shop) -> None:
    before = shop.fingerprint()

    shop.apply(UNIQUE, AddForeignKey(**{**KEY, "to_columns": ("code",)}))
    with pytest.raises(REFUSED):
        shop.execute("INSERT INTO customers (id, code) VALUES (9, 1)")
    shop.run(to="zero")

    assert shop.fingerprint() == before


def test_it_is_a_constraint_on_postgresql(postgres_shop: Shop) -> None:
    postgres_shop.apply(UNIQUE)
    key = postgres_shop.table("customers").key_on(("code",))
    assert key is not None
    assert (key.name, key.constraint) == ("customers_code_key", True)


def test_duplicates_stop_it_with_their_number_and_leave_nothing_behind(shop: Shop) -> None:
    shop.execute("INSERT INTO customers (id, code) VALUES (7, 1), (8, 2), (9, 2)")
    before = shop.fingerprint()

    with pytest.raises(SchemaFixRefused, match=r"2 values of customers\.code stand in 5 rows"):
        shop.apply(UNIQUE)

    assert shop.fingerprint() == before


def test_one_on_the_same_columns_is_adopted_and_survives_the_reverse(shop: Shop) -> None:
    shop.execute("CREATE UNIQUE INDEX theirs ON customers (code)")

    shop.apply(UNIQUE)
    shop.run(to="zero")

    assert shop.table("customers").key_on(("code",)) is not None


def test_a_build_that_ended_before_the_constraint_is_finished(postgres_shop: Shop) -> None:
    postgres_shop.execute("CREATE UNIQUE INDEX customers_code_key ON customers (code)")

    postgres_shop.apply(UNIQUE)

    key = postgres_shop.table("customers").key_on(("code",))
    assert key is not None
    assert key.constraint


@pytest.mark.parametrize("more", [{}, {"where": "code > 0"}], ids=["a constraint", "an index"])
def test_what_a_killed_build_left_is_built_anew(postgres_shop: Shop, more: dict[str, str]) -> None:
    before = postgres_shop.fingerprint()
    postgres_shop.execute("INSERT INTO customers (id, code) VALUES (9, 1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        postgres_shop.execute("CREATE UNIQUE INDEX CONCURRENTLY customers_code_key ON customers (code)")
    postgres_shop.execute("DELETE FROM customers WHERE id = 9")
    left = postgres_shop.table("customers").index("customers_code_key")
    assert left is not None
    assert not left.valid

    postgres_shop.apply(AddUnique(table="customers", columns=("code",), name="customers_code_key", **more))
    with pytest.raises(psycopg.errors.UniqueViolation):
        postgres_shop.execute("INSERT INTO customers (id, code) VALUES (9, 1)")
    postgres_shop.run(to="zero")

    assert postgres_shop.fingerprint() == before


def test_a_role_that_does_not_own_the_table_is_told_so_and_nothing_stays(postgres_shop: Shop) -> None:
    shop = postgres_shop
    before = shop.fingerprint()
    shop.execute("CREATE ROLE stranger; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO stranger")
    try:
        connections.databases["target"].setdefault("OPTIONS", {})["assume_role"] = "stranger"
        with pytest.raises(ReferentialIntegrityError, match=r"must be owner|permission denied|GRANT"):
            shop.apply(UNIQUE)
    finally:
        connections.databases["target"]["OPTIONS"].pop("assume_role")
        shop.execute("DROP OWNED BY stranger; DROP ROLE stranger")

    assert shop.fingerprint() == before


def test_another_object_of_the_name_stops_it(shop: Shop) -> None:
    shop.execute("CREATE INDEX customers_code_key ON customers (email)")

    with pytest.raises(SchemaFixRefused, match="There is another index customers_code_key"):
        shop.apply(UNIQUE)


def test_reversing_it_under_a_foreign_key_says_why_not(shop: Shop) -> None:
    shop.apply(UNIQUE)
    shop.execute(
        "CREATE TABLE notes (code integer, "
        "CONSTRAINT fk_notes FOREIGN KEY (code) REFERENCES customers (code))"
    )

    with pytest.raises(SchemaFixRefused, match="fk_notes on notes"):
        shop.run(to="zero")

    assert shop.table("customers").key_on(("code",)) is not None


TAGS = """
CREATE TABLE tags (id integer PRIMARY KEY, store integer NOT NULL, slug varchar(40), gone integer);
INSERT INTO tags VALUES (1, 1, 'shoes', NULL), (2, 1, 'hats', NULL), (3, 2, 'shoes', 5), (4, 3, NULL, NULL);
"""
SLUGS: dict[str, Any] = {"table": "tags", "columns": ("store", "slug"), "name": "uq_tags"}
LIVE = {**SLUGS, "where": "gone IS NULL"}
ANY_CASE = {**SLUGS, "ignores_case": ("slug",)}
NO_NULLS = {**SLUGS, "nulls_not_distinct": True}


@pytest.fixture
def tags(shop: Shop) -> Shop:
    shop.execute(TAGS)
    return shop


def refuses(shop: Shop, values: str) -> bool:
    """Whether a row is refused; one that is not, is taken out again."""
    try:
        shop.execute(f"INSERT INTO tags VALUES {values}")
    except REFUSED:
        return True
    shop.execute("DELETE FROM tags WHERE id >= 50")
    return False


@pytest.mark.parametrize(
    ("facts", "refused", "taken"),
    [
        (SLUGS, "(50, 1, 'shoes', 9)", "(50, 1, 'SHOES', 9)"),
        (LIVE, "(50, 1, 'shoes', NULL)", "(50, 1, 'shoes', 9)"),
        (ANY_CASE, "(50, 1, 'SHOES', 9)", "(50, 3, 'SHOES', 9)"),
        ({**ANY_CASE, **LIVE}, "(50, 1, 'SHOES', NULL)", "(50, 1, 'SHOES', 9)"),
        (SLUGS, "(50, 2, 'shoes', NULL)", "(50, 3, NULL, NULL)"),
    ],
    ids=["plain", "partial", "case-insensitive", "both", "NULLs"],
)
def test_every_kind_binds_runs_twice_and_is_taken_back_whole(
    tags: Shop, facts: dict[str, Any], refused: str, taken: str
) -> None:
    before = tags.fingerprint()

    tags.apply(AddUnique(**facts))
    assert refuses(tags, refused)
    assert not refuses(tags, taken)
    tags.apply(AddUnique(**facts))
    tags.run(to="zero")

    assert tags.fingerprint() == before


def test_nulls_that_are_not_distinct_bind_where_the_server_knows_them(tags: Shop) -> None:
    if tags.sqlite:
        return
    before = tags.fingerprint()

    tags.apply(AddUnique(**NO_NULLS))
    assert refuses(tags, "(50, 3, NULL, NULL)")
    (key,) = [key for key in tags.table("tags").keys if not key.primary]
    assert (key.constraint, key.nulls_distinct) == (True, False)
    tags.run(to="zero")

    assert tags.fingerprint() == before


def test_nulls_that_are_not_distinct_are_refused_elsewhere_before_anything_is_changed(
    sqlite_shop: Shop,
) -> None:
    sqlite_shop.execute(TAGS)
    before = sqlite_shop.fingerprint()

    with pytest.raises(
        SchemaFixRefused, match=r"SQLite has no NULLS NOT DISTINCT: NULLs of slug could occur"
    ):
        sqlite_shop.apply(AddUnique(**NO_NULLS))

    assert sqlite_shop.fingerprint() == before


def test_nulls_are_no_question_where_there_can_be_none(sqlite_shop: Shop) -> None:
    sqlite_shop.execute("CREATE TABLE tags (store integer NOT NULL, slug text NOT NULL)")
    sqlite_shop.apply(AddUnique(**NO_NULLS))

    assert sqlite_shop.table("tags").key_on(("store", "slug")) is not None


def test_a_partial_or_case_insensitive_one_is_an_index_and_no_constraint(postgres_shop: Shop) -> None:
    postgres_shop.execute(TAGS)
    postgres_shop.apply(AddUnique(**{**ANY_CASE, **LIVE}))

    (key,) = [key for key in postgres_shop.table("tags").keys if not key.primary]
    assert (key.name, key.constraint, key.referenceable) == ("uq_tags", False, False)


@pytest.mark.parametrize(
    ("facts", "theirs"),
    [
        (LIVE, "(store, slug) WHERE gone is null"),
        (ANY_CASE, "(lower(slug), store)"),
        ({**ANY_CASE, "where": "gone > 1"}, "(store, lower(slug)) WHERE (gone) > 1"),
    ],
)
def test_one_that_forbids_the_same_is_adopted_however_it_is_written(
    tags: Shop, facts: dict[str, Any], theirs: str
) -> None:
    tags.execute(f"CREATE UNIQUE INDEX theirs ON tags {theirs}")
    before = tags.fingerprint()

    tags.apply(AddUnique(**facts))
    tags.run(to="zero")

    assert tags.fingerprint() == before


def test_one_that_forbids_less_is_not_adopted(tags: Shop) -> None:
    tags.execute("CREATE UNIQUE INDEX theirs ON tags (store, slug) WHERE gone = 1")
    tags.apply(AddUnique(**LIVE))

    assert tags.table("tags").index("uq_tags") is not None


def test_another_index_of_the_name_is_told_with_its_condition(tags: Shop) -> None:
    tags.execute("CREATE UNIQUE INDEX uq_tags ON tags (store, slug) WHERE gone = 1")

    with pytest.raises(SchemaFixRefused, match=r"another index uq_tags: on tags \(.*\) where .*gone = 1"):
        tags.apply(AddUnique(**LIVE))


def test_a_constraint_of_the_name_stops_it_before_the_index_is_built(postgres_shop: Shop) -> None:
    postgres_shop.execute(TAGS + "ALTER TABLE tags ADD CONSTRAINT uq_tags CHECK (store > 0)")
    before = postgres_shop.fingerprint()

    with pytest.raises(SchemaFixRefused, match="another constraint uq_tags"):
        postgres_shop.apply(AddUnique(**SLUGS))

    assert postgres_shop.fingerprint() == before


def test_duplicates_are_named_with_their_keys_and_the_command(tags: Shop) -> None:
    tags.execute("INSERT INTO tags VALUES (8, 1, 'Shoes', NULL), (9, 2, 'shoes', 1)")

    with pytest.raises(SchemaFixRefused) as refusal:
        tags.apply(AddUnique(**ANY_CASE))

    said = str(refusal.value)
    assert "2 values of tags.store,slug stand in 4 rows" in said
    assert "(1, shoes) in 2 rows (id 1, 8)" in said
    assert "manage.py integrity_deduplicate target --unique tags.store,slug" in said


def test_ten_values_are_named_and_the_others_counted(tags: Shop) -> None:
    numbers = ", ".join(f"({n}, 7, 'slug{n % 12:02}', NULL)" for n in range(100, 124))
    tags.execute(f"INSERT INTO tags VALUES {numbers}")

    with pytest.raises(
        SchemaFixRefused, match=r"12 values .* in 24 rows: .*slug09\) in 2 rows .*; and 2 more"
    ):
        tags.apply(AddUnique(**SLUGS))


def test_masked_columns_are_not_shown(tags: Shop, catalog_root: Path) -> None:
    tags.execute("INSERT INTO tags VALUES (8, 1, 'shoes', NULL)")
    (catalog_root / "target").mkdir(parents=True)
    (catalog_root / "target" / "catalog.toml").write_text('[mask]\ncolumns = ["tags.slug"]\n')

    with pytest.raises(SchemaFixRefused, match=r"\(1, \(masked\)\) in 2 rows \(id 1, 8\)") as refusal:
        tags.apply(AddUnique(**SLUGS))
    assert "shoes" not in str(refusal.value)


@pytest.mark.parametrize(
    ("columns", "ignores_case", "said"),
    [
        (("slug", "note"), ("slug",), "note is text, too"),
        (("slug", "store"), ("slug", "store"), "store is no text of this unique"),
    ],
)
def test_half_of_the_text_compared_without_regard_to_case_is_refused(
    tags: Shop, columns: tuple[str, ...], ignores_case: tuple[str, ...], said: str
) -> None:
    tags.execute("ALTER TABLE tags ADD note varchar(9)")
    with pytest.raises(SchemaFixRefused, match=said):
        tags.apply(AddUnique(**{**SLUGS, "columns": columns, "ignores_case": ignores_case}))


def test_a_view_cannot_be_unique(tags: Shop) -> None:
    tags.execute("CREATE VIEW labels AS SELECT * FROM tags")
    with pytest.raises(SchemaFixRefused, match="labels is a view, which no unique can bind"):
        tags.apply(AddUnique(**{**SLUGS, "table": "labels"}))


def test_odd_names_and_conditions_with_percent_signs(shop: Shop) -> None:
    shop.execute("""CREATE TABLE "Odd %s" (n integer, "a ""b%" varchar(9))""")
    before = shop.fingerprint()
    unique = AddUnique(
        table='"Odd %s"',
        columns=("n", 'a "b%'),
        name="odd%key",
        where='"a ""b%" LIKE \'x%\'',
        ignores_case=('a "b%',),
    )
    shop.apply(unique)
    shop.apply(unique)
    with pytest.raises(REFUSED):
        shop.execute("""INSERT INTO "Odd %s" VALUES (1, 'xa'), (1, 'xA')""")
    shop.run(to="zero")

    assert shop.fingerprint() == before
