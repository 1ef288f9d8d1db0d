"""A migration resolves duplicates before their unique, journaled, and back to the last row."""

from typing import Any

import pytest

from integrity.database.session import Target
from integrity.exceptions import SchemaFixRefused
from integrity.operations import AddUnique, RepairDuplicates
from integrity.repairs import State, list_runs
from tests.operations.conftest import Shop

pytestmark = [pytest.mark.newest_postgres_only, pytest.mark.newest_postgres_only]

REPAIR = RepairDuplicates(unique="tags.name", action="merge", max_rows=4)
UNIQUE = AddUnique(table="tags", columns=("name",), name="uq_tags_name")
CHANGES_ROWS = "    changes_rows = True\n"
TAGS = """
CREATE TABLE tags (id integer PRIMARY KEY, name varchar(20));
CREATE TABLE tagged (id integer PRIMARY KEY, tag_id integer REFERENCES tags (id));
INSERT INTO tags VALUES (1, 'a'), (2, 'a'), (3, 'b'), (4, 'b');
INSERT INTO tagged VALUES (1, 1), (2, 2), (3, 4);
"""


def tags(shop: Shop) -> list[Any]:
    """Every row of both tables."""
    return [shop.target.rows(f"SELECT * FROM {table} ORDER BY id") for table in ("tags", "tagged")]


@pytest.fixture
def tagging(shop: Shop) -> Shop:
    shop.execute(TAGS)
    shop.migration("0001_repair", REPAIR, phase=3, body=CHANGES_ROWS)
    shop.migration("0002_uniques", UNIQUE, phase=3)
    return shop


def test_the_repair_makes_the_unique_possible(tagging: Shop) -> None:
    tagging.run()

    assert tags(tagging) == [[(1, "a"), (3, "b")], [(1, 1), (2, 1), (3, 3)]]
    assert list_runs(Target(tagging.alias))[0].actor == "migration 0001_repair"


def test_the_reverse_is_exact(tagging: Shop) -> None:
    before, structure = tags(tagging), tagging.fingerprint()
    tagging.run()

    tagging.run(to="zero")

    assert tags(tagging) == before
    assert tagging.fingerprint() == structure
    assert list_runs(Target(tagging.alias))[-1].state is State.ROLLED_BACK


def test_more_rows_than_were_looked_at_stop_it(tagging: Shop) -> None:
    tagging.execute("INSERT INTO tagged VALUES (9, 2)")
    before = tags(tagging)

    with pytest.raises(SchemaFixRefused, match=r"5 rows would be touched .* more than max_rows=4"):
        tagging.run()

    assert tags(tagging) == before


def test_no_duplicate_is_nothing_to_do(tagging: Shop) -> None:
    tagging.execute("DELETE FROM tagged; DELETE FROM tags")

    tagging.run()

    assert list_runs(Target(tagging.alias)) == []
