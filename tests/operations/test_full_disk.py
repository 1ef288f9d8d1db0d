"""A disk that gets full while a migration rebuilds or converts: an attempt changes all of it, or nothing."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from integrity.database.session import Target
from integrity.exceptions import FileNotWritten, NoRoom
from integrity.operations import AddForeignKey, AddIndex, AddUnique, ConvertColumn, RecreateTable
from integrity.operations.operation import CatalogOperation
from integrity.operations.replacing import replace_files
from tests.full_disk import may_grow
from tests.operations.conftest import KEY, Shop

MORE = """
INSERT INTO orders (id, customer_id, status)
WITH RECURSIVE n(i) AS (SELECT 4 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
SELECT i, 1 + i % 2, '2026-11-21 10:00:00' FROM n;
"""
COLUMNS = (
    {"name": "id", "type": "text", "null": False},
    {"name": "customer_id", "type": "integer"},
    {"name": "state", "type": "text", "null": False, "default": "'new'"},
)
OPERATIONS: dict[str, CatalogOperation] = {
    "index": AddIndex(table="orders", columns=("status", "id"), name="orders_status_idx"),
    "unique": AddUnique(table="orders", columns=("id", "status"), name="orders_id_status_key"),
    "foreign key": AddForeignKey(**KEY),
    "conversion": ConvertColumn(table="orders", column="total", from_type="integer", to_type="text"),
    "new table": RecreateTable(
        table="orders",
        columns=COLUMNS,
        primary_key=("id",),
        copy={"id": "CAST(id AS text)", "customer_id": "customer_id", "state": "coalesce(status, 'none')"},
    ),
}


def state(shop: Shop) -> Any:
    with Target(shop.alias).reading() as session:
        schema = session.schema()
        tables = [each for each in schema if each.name.name != "django_migrations"]
        digests = {each.name.name: session.engine.digest(session, each) for each in tables}
    return shop.fingerprint(), digests


def attempts(shop: Shop, **options: Any) -> int:
    """Migrate with some pages more of room each time; return how often that was not enough."""
    before = state(shop)
    for failed in range(50):
        with may_grow(shop.target, 3 * failed), suppress(NoRoom):
            shop.run(**options)
            return failed
        assert shop.value("PRAGMA integrity_check") == "ok"
        assert state(shop) == before
    raise AssertionError("it never came to its end")


def there_and_back(shop: Shop, operation: CatalogOperation) -> None:
    shop.execute(MORE)
    before = state(shop)
    shop.migration("0001_step", operation)
    assert attempts(shop) > 0
    assert state(shop) != before
    shop.execute("VACUUM")
    attempts(shop, to="zero")
    assert state(shop) == before


def test_wherever_the_room_of_a_file_ends_a_table_is_made_anew_or_stays(sqlite_shop: Shop) -> None:
    there_and_back(sqlite_shop, OPERATIONS["new table"])


@pytest.mark.soak
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_wherever_the_room_of_a_file_ends_a_migration_is_done_or_not_done(
    sqlite_shop: Shop, operation: CatalogOperation
) -> None:
    there_and_back(sqlite_shop, operation)


def test_of_two_files_none_is_written_where_there_is_room_for_one_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, new = tmp_path / "models.py", tmp_path / "made" / "generated.py"
    mine.write_text("what somebody wrote\n")
    mine.chmod(0o640)

    def full(descriptor: int) -> None:
        if new.parent.exists():
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("integrity.operations.replacing.os.fsync", full)
        with pytest.raises(
            FileNotWritten, match=r"No space left on device \(.*generated\.py\)\. Nothing was"
        ):
            replace_files({mine: "other", new: "text"})
    assert [each.name for each in tmp_path.rglob("*") if each.is_file()] == ["models.py"]
    assert mine.read_text() == "what somebody wrote\n"

    replace_files({mine: "other", new: "text"})
    assert (mine.read_text(), new.read_text(), mine.stat().st_mode & 0o777) == ("other", "text", 0o640)
