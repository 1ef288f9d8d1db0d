"""A reviewed file resolves duplicates by policy, before the unique that forbids them."""

import pytest

from integrity.operations.writer import WrittenFile
from integrity.tasks.designing import make_migrations
from tests.operations.conftest import Shop

pytestmark = [pytest.mark.newest_postgres_only, pytest.mark.django_db]

CATALOG = """
[[unique]]
table = "tags"
columns = ["name"]
name = "uq_tags_name"
duplicates = "{policy}"
survivor = "newest"
"""
TAGS = """
CREATE TABLE tags (id integer PRIMARY KEY, name varchar(20));
CREATE TABLE tagged (id integer PRIMARY KEY, tag_id integer REFERENCES tags (id));
INSERT INTO tags VALUES (1, 'a'), (2, 'a'), (3, 'b'), (4, 'b');
INSERT INTO tagged VALUES (1, 1), (2, 2), (3, 4);
"""


def written(shop: Shop, policy: str) -> list[WrittenFile]:
    """Give the shop a catalog, and write its migrations with repairs."""
    (shop.root / shop.alias).mkdir(parents=True)
    (shop.root / shop.alias / "catalog.toml").write_text(CATALOG.format(policy=policy))
    return [each for each in make_migrations(shop.alias, with_repairs=True).files if "/0" in str(each.path)]


@pytest.mark.parametrize(
    ("policy", "rows", "tags"),
    [
        ("merge", 3, [(2, "a"), (4, "b")]),
        ("rename", 2, [(1, "a-2"), (2, "a"), (3, "b-2"), (4, "b")]),
    ],
)
def test_the_files_heal_a_target_and_can_be_reversed(
    shop: Shop, policy: str, rows: int, tags: list[tuple[int, str]]
) -> None:
    shop.execute(TAGS)
    tables = [f"SELECT * FROM {name} ORDER BY id" for name in ("tags", "tagged")]
    before = [shop.target.rows(sql) for sql in tables]

    files = written(shop, policy)

    repair = next(each for each in files if "repair" in each.path.stem)
    assert files.index(repair) < next(n for n, each in enumerate(files) if "AddUnique(" in each.text)
    assert f"max_rows={rows}," in repair.text
    assert "duplicates" in repair.text.splitlines()[0]
    shop.run()
    assert shop.target.rows(tables[0]) == tags
    shop.run(to="zero")
    assert [shop.target.rows(sql) for sql in tables] == before
    assert make_migrations(shop.alias, with_repairs=True).files == []


def test_what_is_kept_is_not_repaired(shop: Shop) -> None:
    shop.execute(TAGS)

    assert not any("repair" in each.path.stem for each in written(shop, "keep"))
