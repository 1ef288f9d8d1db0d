"""A reference between numbers, UUIDs and text is audited rightly, before and after the conversion."""

from pathlib import Path
from typing import Any

import pytest

from integrity.operations import ConvertKey
from tests.commands import run
from tests.operations.conftest import Shop, catalog_root, empty_shop  # noqa: F401

pytestmark = pytest.mark.newest_postgres_only

ONE = "6b47cbac-9009-42e3-9a37-b1106bf0cba0"
SQL = """
CREATE TABLE p (id {parent} PRIMARY KEY);
CREATE TABLE c (id integer PRIMARY KEY, p_id {child});
"""
REFERENCE = '[[reference]]\nfrom = "c.p_id"\nto = "p.id"\n'


def orphans(folder: Path) -> tuple[int, set[str]]:
    """How many there are, and of what cause."""
    file = folder / "lent.toml"
    file.write_text(REFERENCE)
    ran = run("audit", "target", "--catalog", file, "--format", "json")
    found = [each for each in ran.json["findings"] if each["code"] == "orphaned_rows"]
    causes: set[Any] = {cause["kind"] for each in found for cause in each["evidence"]["causes"]}
    return sum(each["rows"] for each in found), causes


@pytest.mark.django_db
def test_text_that_refers_to_numbers(empty_shop: Shop, tmp_path: Path) -> None:  # noqa: F811
    empty_shop.execute(SQL.format(parent="integer", child="text"))
    empty_shop.execute(
        "INSERT INTO p VALUES (1), (7); INSERT INTO c VALUES (1, '1'), (2, NULL), (3, '99'), (4, 'main')"
    )
    assert orphans(tmp_path)[0] == 2
    empty_shop.execute("INSERT INTO c VALUES (5, '007')")
    rows, causes = orphans(tmp_path)
    # SQLite finds 7 by the affinity of the referenced column, as its own foreign keys do.
    assert rows == (2 if empty_shop.sqlite else 3)
    assert ("format_mismatch" in causes) is not empty_shop.sqlite

    empty_shop.apply(ConvertKey(table="p", column="id", from_type="integer", to_type="text"))

    rows, causes = orphans(tmp_path)
    assert rows == 3
    assert "format_mismatch" in causes


@pytest.mark.django_db
def test_numbers_that_refer_to_text(empty_shop: Shop, tmp_path: Path) -> None:  # noqa: F811
    empty_shop.execute(SQL.format(parent="text", child="integer"))
    empty_shop.execute("INSERT INTO p VALUES ('1'), ('x'); INSERT INTO c VALUES (1, 1), (2, 2), (3, NULL)")
    assert orphans(tmp_path)[0] == 1


@pytest.mark.django_db
@pytest.mark.engine("postgresql")
def test_text_that_refers_to_uuids(empty_shop: Shop, tmp_path: Path) -> None:  # noqa: F811
    empty_shop.execute(SQL.format(parent="uuid", child="text"))
    empty_shop.execute(
        f"INSERT INTO p VALUES ('{ONE}'); INSERT INTO c VALUES (1, '{ONE}'), (2, '{ONE.upper()}'), (3, 'main')"
    )
    rows, causes = orphans(tmp_path)
    assert rows == 2
    assert "format_mismatch" in causes
    empty_shop.apply(ConvertKey(table="p", column="id", from_type="uuid", to_type="text"))
    assert orphans(tmp_path)[0] == 2
