"""A site's own database that cannot be used says what to do."""

import threading

import pytest
from django.db import OperationalError, connection, connections

from integrity import models, store
from integrity.exceptions import ReferentialIntegrityError
from integrity.store.site import site_database
from tests.servers import RegisterTarget
from tests.store.conftest import orphans, result


@pytest.mark.django_db(transaction=True)
def test_without_the_tables_the_command_is_named() -> None:
    with connection.schema_editor() as editor:
        editor.alter_db_table(models.Target, "integrity_target", "integrity_target_gone")
    try:
        with pytest.raises(ReferentialIntegrityError, match=r"Run manage.py migrate\."):
            store.last_audit("shop")
        with pytest.raises(ReferentialIntegrityError, match=r"Run manage.py migrate\."):
            store.store_audit(result())
    finally:
        with connection.schema_editor() as editor:
            editor.alter_db_table(models.Target, "integrity_target_gone", "integrity_target")


@pytest.mark.django_db
def test_every_supported_database_is_known_without_being_opened(register_target: RegisterTarget) -> None:
    register_target("shop", "postgresql://nobody@127.0.0.1:1/nothing")
    store.know_targets()
    store.know_targets()
    assert models.Target.objects.get(alias="shop").vendor == "postgresql"
    assert models.Target.objects.filter(alias="shop").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_audits_at_once_lose_no_finding() -> None:
    def audit(table: str) -> None:
        try:
            store.store_audit(result(orphans("orders"), orphans(table)), run=store.begin_audit("shop"))
        finally:
            connections.close_all()

    store.target_row("shop")
    threads = [threading.Thread(target=audit, args=[f"table{number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runs = models.AuditRun.objects.all()
    assert [run.state for run in runs] == ["finished"] * 4
    last = runs[0]
    assert models.Finding.objects.filter(last_seen_run=last).count() == 2
    assert models.Finding.objects.get(table_name="orders").state == "open"


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_has_ended_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.ensure_connection()
    monkeypatch.setattr(connections["default"], "errors_occurred", True)
    monkeypatch.setattr(connections["default"], "is_usable", lambda: False)
    with pytest.raises(ReferentialIntegrityError, match="cannot be used"), site_database():
        raise OperationalError("server closed the connection unexpectedly")
    assert connection.connection is None


@pytest.mark.django_db
def test_a_site_without_room_is_told_apart_from_a_wrong_entry() -> None:
    with (
        pytest.raises(ReferentialIntegrityError, match=r"recorded there\. Make room for it\."),
        site_database(),
    ):
        raise OperationalError("database or disk is full")
