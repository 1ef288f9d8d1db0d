"""Uniques of every kind are written as migrations that work, and what they make redundant is said."""

from pathlib import Path

import pytest

from integrity import tasks
from integrity.operations.fixes import FixKind, SchemaFix
from tests.operations.conftest import Shop

pytestmark = [pytest.mark.newest_postgres_only, pytest.mark.django_db(transaction=True)]

TABLES = """
CREATE TABLE tags (id integer PRIMARY KEY, store integer NOT NULL, slug varchar(40), gone integer);
CREATE TABLE notes (id integer PRIMARY KEY, tag_store integer, tag_id integer);
CREATE INDEX tags_store_slug ON tags (store, slug);
"""
PLAIN = '[[unique]]\ntable = "tags"\ncolumns = ["store", "slug"]\nname = "uq_tags"\nrationale = "One tag"\n'
KINDS = """
[[unique]]
table = "tags"
columns = ["store", "slug"]
where = "gone IS NULL"
case = "insensitive"

[[unique]]
table = "tags"
columns = ["store", "slug"]
name = "uq_lower"
case = "insensitive"
"""
REFERENCED = """
[[unique]]
table = "tags"
columns = ["store", "id"]
name = "uq_tags_id"

[[reference]]
from = "notes.tag_store,tag_id"
to = "tags.store,id"
"""


def lent(shop: Shop, text: str) -> Path:
    file = shop.root / shop.alias / "catalog.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    shop.execute(TABLES)
    return file


def uniques(shop: Shop) -> list[SchemaFix]:
    fixes, _ = tasks.fixes_for(shop.alias)
    return [fix for fix in fixes if fix.kind is FixKind.UNIQUE]


def test_every_kind_is_written_applied_adopted_and_reversed(shop: Shop) -> None:
    lent(shop, PLAIN + KINDS)
    before = shop.fingerprint()

    made = tasks.make_migrations(shop.alias)
    text = made.files[-1].text
    shop.run()

    assert [file.path.stem for file in made.files if file.path.parent.name == "migrations"][
        -1
    ] == "0001_uniques"
    assert text.startswith(
        '"""target: uniques (phase 3 of 3).\n\nA unique binds new rows from its first moment.'
    )
    assert 'ignores_case=("slug",),' in text
    assert 'where="gone IS NULL",' in text
    assert (
        "# A row of tags that repeats store, slug without regard to case is refused where gone IS NULL."
        in text
    )
    assert {each.name for each in shop.table("tags").indexes if each.unique} >= {
        "uq_tags", "uq_lower", "tags_store_slug_lower_part_key",
    }  # fmt: skip
    assert uniques(shop) == []
    shop.run(to="zero")
    assert shop.fingerprint() == before


def test_nulls_that_are_not_distinct_are_written_down(shop: Shop) -> None:
    lent(shop, PLAIN + 'nulls = "not distinct"\n')
    assert "nulls_not_distinct=True," in tasks.make_migrations(shop.alias, dry_run=True).files[-1].text


def test_what_stands_however_it_is_written_needs_no_migration(shop: Shop) -> None:
    lent(shop, KINDS)
    shop.execute(
        "CREATE UNIQUE INDEX a ON tags (store, lower(slug)) WHERE gone is null;"
        "CREATE UNIQUE INDEX b ON tags (lower(slug), store)"
    )
    assert uniques(shop) == []


def test_one_that_a_reference_points_at_comes_before_its_foreign_key(shop: Shop) -> None:
    lent(shop, PLAIN + REFERENCED)
    assert [(fix.name, fix.phase) for fix in uniques(shop)] == [("uq_tags_id", 1), ("uq_tags", 3)]


def test_one_in_which_values_cannot_repeat_is_harmless(shop: Shop) -> None:
    lent(shop, '[[unique]]\ntable = "tags"\ncolumns = ["id", "slug"]\nname = "uq"\n')
    assert [fix.phase for fix in uniques(shop)] == [1]


def test_a_condition_that_cannot_be_read_is_an_error_of_the_catalog(shop: Shop) -> None:
    lent(shop, PLAIN + 'where = "nonsense >"\n')
    shop.execute("CREATE UNIQUE INDEX a ON tags (store, slug) WHERE gone = 1")
    with pytest.raises(Exception, match=r"The unique cannot be read: .*Correct `where`"):
        uniques(shop)


def test_indexes_that_a_unique_makes_redundant_are_named(shop: Shop) -> None:
    lent(shop, PLAIN + '[[index]]\ntable = "tags"\ncolumns = ["store"]\nname = "tags_store"\n')
    (fix,) = uniques(shop)

    assert fix.note == (
        "A row of tags that repeats store, slug is refused. Makes tags_store_slug, tags_store redundant: "
        "integrity_makemigrations --drop-redundant drops it."
    )
    text = tasks.make_migrations(shop.alias, dry_run=True).files[-1].text
    assert (
        "# One tag\n        # A row of tags that repeats store, slug is refused. Makes tags_store_slug"
        in text
    )


def test_redundant_indexes_are_dropped_on_request_and_come_back(shop: Shop) -> None:
    index = '[[index]]\ntable = "tags"\ncolumns = ["store", "slug"]\nname = "tags_store_slug"\n'
    lent(shop, PLAIN + index)
    before = shop.fingerprint()

    made = tasks.make_migrations(shop.alias, drop_redundant=True)
    names = [file.path.stem for file in made.files if file.path.parent.name == "migrations" and file.text]
    assert names == ["0001_uniques", "0002_redundant_indexes"]
    shop.run()

    assert shop.table("tags").index("tags_store_slug") is None
    assert tasks.make_migrations(shop.alias, drop_redundant=True).fixes == []
    shop.run(to="zero")
    assert shop.fingerprint() == before


def test_a_redundant_index_that_the_catalog_asks_for_is_left(shop: Shop) -> None:
    lent(shop, '[[index]]\ntable = "tags"\ncolumns = ["store"]\nname = "tags_store"\n')
    shop.execute("CREATE INDEX tags_store ON tags (store)")

    assert tasks.make_migrations(shop.alias, drop_redundant=True, dry_run=True).fixes == []


def test_nothing_is_dropped_unless_it_is_asked_for(shop: Shop) -> None:
    lent(shop, "")
    shop.execute("CREATE INDEX tags_store ON tags (store)")

    assert tasks.make_migrations(shop.alias, dry_run=True).fixes == []
    (fix,) = tasks.make_migrations(shop.alias, drop_redundant=True, dry_run=True).fixes
    assert (fix.kind, fix.name) == (FixKind.REDUNDANT, "tags_store")
