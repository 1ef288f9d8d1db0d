"""A target's references are known without asking it, and what stands open is counted when it changes."""

import pytest

from integrity import models, store
from integrity.database.identifiers import TableName
from integrity.database.schema import ForeignKey
from integrity.references import Reference
from integrity.store import reference_maps
from tests.store.conftest import CUSTOMERS, orphans, result

pytestmark = pytest.mark.django_db

ORDERS = TableName('odd "schema"', "<orders>.x")


def reference(table: TableName = ORDERS, **facts: object) -> Reference:
    return Reference(table, ("shop", "customer id"), CUSTOMERS, ("shop", "id"), **facts)  # type: ignore[arg-type]


def key(**facts: bool) -> ForeignKey:
    return ForeignKey("fk", ORDERS, ("shop", "customer id"), CUSTOMERS, ("shop", "id"), **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("declared", "constraint"),
    [
        (None, ""),
        (key(), "all rows"),
        (key(validated=False), "new rows"),
        (key(enforced=False), "not enforced"),
    ],
)
def test_references_come_back_as_the_audit_knew_them(declared: ForeignKey | None, constraint: str) -> None:
    audit = result()
    audit.references = (reference(declared=declared),)
    run = store.store_audit(audit)
    known = store.references_of(run.target)
    assert known is not None
    (found,) = known.references
    assert (known.run, found.table, found.to, found.constraint) == (run, ORDERS, CUSTOMERS, constraint)
    assert (found.label, found.to_label) == (reference().label, "customers.shop,id")


def test_the_last_audit_counts_and_the_broken_ones_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_maps, "MOST", 1)
    early = store.begin_audit("shop")
    late = result(orphans("lines"))
    broken = Reference(TableName("main", "lines"), ("customer_id",), CUSTOMERS, ("id",))
    late.references = (reference(), broken)
    run = store.store_audit(late)
    store.store_audit(result(), run=early)
    known = store.references_of(run.target)
    assert known is not None
    assert ([each.label for each in known.references], known.left_out) == (["lines.customer_id"], 1)
    assert store.references_of(store.target_row("other")) is None


def test_what_stands_open_is_counted_with_every_change() -> None:
    target = store.store_audit(result(orphans("a", 5), orphans("b", 7), orphans("c", 9))).target

    def counted() -> tuple[int, ...]:
        target.refresh_from_db()
        return target.undecided, target.decided, target.orphans_open, target.orphans_kept, target.errors_open

    assert counted() == (3, 0, 21, 0, 3)
    found = {each.table_name: each for each in models.Finding.objects.all()}
    store.store_decision([found["a"]], "delete")
    store.store_decision([found["b"]], "keep", reason="museum")
    assert counted() == (1, 1, 14, 7, 2)
    store.store_audit(result(orphans("a", 5), orphans("b", 7)))
    assert counted() == (0, 1, 5, 7, 1)
