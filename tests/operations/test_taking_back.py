"""Rows and structure taken back together: the proof says what is as it was, and what is not."""

import pytest

from integrity import models
from integrity.operations import AddForeignKey, AddIndex, ValidateForeignKey
from integrity.tasks import migrate_and_store
from tests.commands import run, run_json
from tests.operations.conftest import KEY, ORPHANS, Shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]


@pytest.fixture
def repaired(shop: Shop) -> Shop:
    """A shop whose foreign key bound new rows before its orphans went, and is validated since."""
    shop.execute(ORPHANS)
    index = AddIndex(table="orders", columns=("status",), name="orders_status_idx")
    shop.migration(
        "0001_indexes", AddIndex(table="orders", columns=("customer_id",), name="orders_customer_idx")
    )
    shop.migration("0002_keys", AddForeignKey(**KEY), index, phase=2)
    migrate_and_store(shop.alias)
    assert run_json("cleanup", shop.alias, "--action", "delete", "--no-input")["run"] == 1
    shop.migration("0003_validated", ValidateForeignKey(**KEY), phase=3)
    migrate_and_store(shop.alias)
    return shop


@pytest.mark.parametrize("meanwhile", ["", "CREATE TABLE odd (id integer)"])
def test_what_is_older_than_the_run_and_went_back_with_it_is_told_apart(
    repaired: Shop, meanwhile: str
) -> None:
    if meanwhile:
        repaired.execute(meanwhile)

    back = run("rollback", repaired.alias, "1", "--with-migrations", "--no-input")

    assert back.code == 0, back.err
    assert "Migrations taken back: 0003_validated, 0002_keys." in back.out
    assert "It stood in the way of the rows and went back, too: 0002_keys." in back.out
    told = (
        "NOT as it was, and not only by what 1 migration"
        if meanwhile
        else "as it was, but for what 1 migration"
    )
    assert f"The structure is {told} older than the run made." in back.out
    proof = models.RepairRun.objects.get(kind="rollback").proof
    assert proof["rows_equal"]
    assert proof["schema_equal"] == (not meanwhile)
    assert [each.partition(".")[2] for each in proof["schema_differences"]] == (
        ["odd is new"] if meanwhile else []
    )
    assert proof["older_migrations"] == ["0002_keys"]
    gone = [each.partition(": ")[2] for each in proof["older_differences"]]
    assert gone == [KEY["name"], "orders_status_idx"]
