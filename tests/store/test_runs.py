"""The site mirrors what happened in targets."""

from pathlib import Path
from typing import Any

import pytest

from integrity import models, store
from integrity.database.identifiers import TableName
from integrity.exceptions import BackupFailed
from integrity.plans import Tally
from integrity.repairs.journal import RunRecord
from integrity.repairs.result import Proof, Refusal, RepairResult, RollbackResult, State
from tests.factories import RepairRunFactory, TargetFactory

pytestmark = pytest.mark.django_db

ORDERS = TableName("main", "orders")


def record(number: int = 1, **facts: Any) -> RunRecord:
    known: dict[str, Any] = {
        "kind": "cleanup",
        "state": State.FINISHED,
        "plan_hash": "a" * 64,
        "plan": {},
        "structure": {},
        "actor": "ada",
        "started_at": "2030-01-01T00:00:00.000+00:00",
        "updated_at": "2030-01-01T00:00:01.000+00:00",
        "rows": {"main.orders": {"deleted": 3, "updated": 1, "refused": 2}},
    }
    return RunRecord(number=number, **(known | facts))


def test_the_journal_is_mirrored() -> None:
    assert store.mirror_runs("shop", [record(1), record(2, kind="rollback", of=1)]) == 2
    run, back = models.RepairRun.objects.order_by("number")
    assert (run.rows_changed, run.rows_refused, run.actor, run.state) == (4, 2, "ada", "finished")
    assert run.started_at.isoformat() == "2030-01-01T00:00:00+00:00"
    assert (back.kind, back.of) == ("rollback", 1)


def test_the_journal_replaces_what_was_known() -> None:
    store.mirror_runs("shop", [record(state=State.RUNNING)])
    store.mirror_runs("shop", [record(state=State.ROLLED_BACK)])
    assert models.RepairRun.objects.get().state == "rolled_back"


def test_the_same_number_on_two_targets_is_two_runs() -> None:
    store.mirror_runs("shop", [record()])
    store.mirror_runs("barn", [record()])
    assert models.RepairRun.objects.count() == 2


def test_a_mirror_keeps_the_proof_of_a_rollback() -> None:
    result = RollbackResult("shop", "rollback", "a" * 64, State.FINISHED, run=2, of=1, proof=Proof("x", "x"))
    store.store_repair(result)
    store.mirror_runs("shop", [record(2, kind="rollback", of=1)])
    run = models.RepairRun.objects.get()
    assert run.proof is not None
    assert run.proof["schema_equal"] is True
    assert run.of == 1


def test_a_result_is_stored_with_its_refusals() -> None:
    result = RepairResult("shop", "cleanup", "a" * 64, State.FINISHED, run=1)
    result.rows[ORDERS] = Tally(deleted=2, refused=1)
    result.refusals.append(Refusal(ORDERS, {"id": 7}, "a trigger kept it"))
    run = store.store_repair(result)
    assert run is not None
    assert (run.rows_changed, run.rows_refused) == (2, 1)
    assert run.refusals == [{"table": "main.orders", "key": {"id": 7}, "reason": "a trigger kept it"}]


def test_a_result_completes_what_the_mirror_knew() -> None:
    RepairRunFactory.create(target=TargetFactory(alias="shop"), number=1, actor="ada")
    store.store_repair(RepairResult("shop", "cleanup", "a" * 64, State.PAUSED, run=1))
    run = models.RepairRun.objects.get()
    assert (run.state, run.actor) == ("paused", "ada")


def test_a_dry_run_leaves_nothing() -> None:
    assert store.store_repair(RepairResult("shop", "cleanup", "a" * 64, dry_run=True)) is None
    assert not models.RepairRun.objects.exists()


def test_a_migration_is_stored() -> None:
    step = store.store_migration_step("shop", "0001_indexes", phase=1, seconds=0.5, actor="ada")
    assert (str(step), step.target.alias) == ("0001_indexes (applied)", "shop")


def test_a_backup_is_stored_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "shop.dump").write_bytes(b"12345")
    backup = store.store_backup("shop", tmp_path / "shop.dump")
    assert backup.size == 5
    assert store.last_backup("shop") == backup
    assert store.last_backup("barn") is None


def test_a_backup_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="take it again"):
        store.store_backup("shop", tmp_path / "nothing.dump")
    assert not models.Backup.objects.exists()
