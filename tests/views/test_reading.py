"""Health, status and statistics: who may read them, what they say, and what they cost."""

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrity.operations import AddIndex
from integrity.tasks import probing
from tests.factories import AuditRunFactory, FindingFactory, MigrationRunFactory, TargetFactory, UserFactory
from tests.operations.conftest import Shop
from tests.servers import EmptyTarget, RegisterTarget
from tests.views.conftest import MIGRATE, READ

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]
Read = Callable[..., Any]
PAGES = ("health", "status", "stats")


def of(found: Any, alias: str = "target") -> Any:
    (target,) = [each for each in found["targets"] if each["target"] == alias]
    return target


# -- who may -------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["status", "stats"])
@pytest.mark.parametrize("token", ["", "Bearer wrong", "Bearer ", "Basic YTpi"])
def test_without_a_token_or_a_login_there_is_no_answer(site: Client, page: str, token: str) -> None:
    answer = site.get(f"/integrity/{page}/", headers={"Authorization": token} if token else {})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("page", PAGES)
def test_a_token_that_migrates_reads_too(site: Client, page: str) -> None:
    answer = site.get(f"/integrity/{page}/", headers={"Authorization": f"Bearer {MIGRATE}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("page", ["status", "stats"])
def test_staff_needs_the_permission(site: Client, page: str) -> None:
    site.force_login(UserFactory())
    answer = site.get(f"/integrity/{page}/")
    assert answer.status_code == 403
    assert "integrity.read_metrics" in answer.json()["error"]["what"]
    site.force_login(UserFactory(may=["read_metrics"]))
    assert site.get(f"/integrity/{page}/").status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_they_are_read_only_and_never_kept(site: Client, page: str) -> None:
    answer = site.post(f"/integrity/{page}/", headers={"Authorization": f"Bearer {READ}"})
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    answer = site.get(f"/integrity/{page}/", headers={"Authorization": f"Bearer {READ}"})
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.json()["version"] == 1


@pytest.mark.parametrize("page", ["status", "stats"])
def test_an_unknown_target_is_said(read: Read, page: str) -> None:
    assert "no target nowhere" in read(page, 404, target="nowhere")["error"]["what"]


# -- health --------------------------------------------------------------------------------


def test_a_load_balancer_learns_whether_the_site_works_and_nothing_else(
    empty_target: EmptyTarget, site: Client
) -> None:
    answer = site.get("/integrity/health/")
    assert answer.status_code == 200
    assert answer.json() == {"version": 1, "status": "ok"}
    assert site.get("/integrity/health/", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert site.get("/integrity/health/", {"target": "target"}).status_code == 401


def test_a_site_whose_database_is_gone_is_down(site: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrity.tasks.site_answers", lambda: "gone: password=secret")
    answer = site.get("/integrity/health/")
    assert answer.status_code == 503
    assert answer.json() == {"version": 1, "status": "down"}


def test_whoever_may_read_sees_each_target(empty_target: EmptyTarget, read: Read) -> None:
    found = read("health")
    assert found["status"] == "ok"
    assert of(found)["reachable"] is True
    assert of(found)["milliseconds"] > 0
    assert {each["target"] for each in found["targets"]} == {"default", "target"}


def test_a_target_that_is_gone_degrades_the_site_and_fails_when_asked_for(
    register_target: RegisterTarget, read: Read
) -> None:
    register_target("gone", "sqlite:////nowhere/at/all.sqlite3")
    assert read("health")["status"] == "degraded"
    found = read("health", 503, target="gone")
    assert "There is no file" in of(found, "gone")["error"]


def test_a_server_that_does_not_answer_is_waited_for_briefly(
    register_target: RegisterTarget, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "DEADLINE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        silent_url = f"postgresql://nobody:secret@127.0.0.1:{port}/nothing?connect_timeout=120"
        register_target("silent", silent_url)
        began = time.monotonic()
        found = read("status", target="silent")
        assert time.monotonic() - began < 60
        monkeypatch.setattr(probing, "DEADLINE_SECONDS", 30)
        began = time.monotonic()
        assert read("health", 503, target="silent")["status"] == "degraded"
        assert time.monotonic() - began < 60
    assert of(found, "silent")["reachable"] is False
    assert "secret" not in str(found)


# -- status --------------------------------------------------------------------------------


def test_status_says_where_a_target_stands(shop: Shop, read: Read) -> None:
    target = TargetFactory(alias="target")
    run = AuditRunFactory(target=target, finished_at=timezone.now())
    FindingFactory(target=target, first_seen_run=run, rows=17)
    FindingFactory(target=target, first_seen_run=run, rows=3, columns=["store_id"], state="kept")
    FindingFactory(target=target, first_seen_run=run, rows=0, columns=["note_id"], state="resolved")
    MigrationRunFactory(target=target, migration="0002_step", state="failed", error="locked")
    shop.apply(AddIndex(table="orders", columns=("customer_id",), name="orders_customer"))
    shop.migration("0002_step", AddIndex(table="orders", columns=("status",), name="orders_status"))

    found = of(read("status"))

    assert found["reachable"] is True
    assert found["server_version"][0].isdigit()
    assert found["audit"] | {"age_s": 0, "finished_at": ""} == {
        "state": "finished", "finished_at": "", "age_s": 0, "complete": True, "kept": 1, "orphans": 20,
        "findings": {"error": 1, "warning": 0, "info": 0},
    }  # fmt: skip
    assert found["migrations"] == {
        "applied": 1, "pending": ["0002_step"], "unknown": [], "left_out": [],
        "failed": [{"migration": "0002_step", "error": "locked"}],
    }  # fmt: skip
    assert found["running"] == []


def test_a_migration_whose_file_is_gone_is_unknown(shop: Shop, read: Read) -> None:
    shop.apply(AddIndex(table="orders", columns=("customer_id",), name="orders_customer"))
    (shop.root / "target" / "migrations" / "0001_step.py").unlink()
    assert of(read("status"))["migrations"]["unknown"] == ["0001_step"]


def test_a_failure_that_was_mended_is_no_failure(shop: Shop, read: Read) -> None:
    target = TargetFactory(alias="target")
    MigrationRunFactory(target=target, migration="0001_step", state="failed", error="locked")
    MigrationRunFactory(target=target, migration="0001_step")
    assert of(read("status"))["migrations"]["failed"] == []


@pytest.mark.parametrize("page", ["status", "stats"])
def test_the_number_of_queries_does_not_grow_with_the_targets(
    register_target: RegisterTarget, read: Read, tmp_path: Any, page: str
) -> None:
    counts = []
    for number in (1, 10, 50):
        for place in range(number):
            TargetFactory(alias=f"t{place}")
            if f"t{place}" not in connections.databases:
                (tmp_path / f"t{place}.sqlite3").touch()
                register_target(f"t{place}", f"sqlite:///{tmp_path}/t{place}.sqlite3")
        probing.looks.forget()
        with CaptureQueriesContext(connections["default"]) as queries:
            assert len(read(page)["targets"]) == number + 1
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert counts[0] <= 6


# -- statistics ----------------------------------------------------------------------------


def test_rows_and_indexes_are_told_and_estimates_are_marked(shop: Shop, read: Read) -> None:
    shop.execute("CREATE INDEX orders_status ON orders (status)")
    shop.execute("ANALYZE")
    found = of(read("stats", target="target"))
    rows = {each["table"]: (each["rows"], each["estimated"]) for each in found["tables"]}
    assert rows["orders"] == (3, not shop.sqlite)
    if shop.sqlite:
        assert found["index_usage"]["available"] is False
        assert "SQLite" in found["index_usage"]["reason"]
    else:
        assert found["index_usage"]["available"] is True
        assert "orders_status" in {each["index"] for each in found["indexes"]}
    assert found["bytes"] > 0


def test_a_large_table_is_never_counted(shop: Shop, read: Read) -> None:
    many = (
        "INSERT INTO orders (id, total) WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < 5099) SELECT i, 0 FROM n"
    )
    shop.execute(many)
    if not shop.sqlite:
        shop.execute("ANALYZE orders")
    (orders,) = [each for each in of(read("stats"))["tables"] if each["table"] == "orders"]
    assert orders["estimated"] is True
    assert orders["rows"] == (5_099 if shop.sqlite else 5_003)


@pytest.mark.engine("sqlite")
def test_odd_names_and_tables_without_rowid_are_counted(shop: Shop, read: Read) -> None:
    shop.execute(
        """CREATE TABLE "odd '%s"" table" (a); INSERT INTO "odd '%s"" table" VALUES (1);
        CREATE TABLE w (a text PRIMARY KEY) WITHOUT ROWID; CREATE VIRTUAL TABLE v USING fts5(x);
        CREATE TABLE r (rowid, _rowid_, oid)"""
    )
    rows = {each["table"]: each["rows"] for each in of(read("stats"))["tables"]}
    assert rows["odd '%s\" table"] == 1
    assert rows["w"] == rows["r"] == 0


def test_orphans_are_those_of_the_last_audit(shop: Shop, read: Read) -> None:
    run = AuditRunFactory(target=TargetFactory(alias="target"))
    FindingFactory(target=run.target, first_seen_run=run, rows=17)
    assert of(read("stats"))["orphans"] == [{"reference": "orders.customer_id", "rows": 17}]


@pytest.mark.newest_postgres_only
def test_a_list_that_was_cut_says_so_and_the_size_is_still_the_whole(
    shop: Shop, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.execute("INSERT INTO orders (id, total) VALUES (7, 0); VACUUM" if shop.sqlite else "VACUUM ANALYZE")
    whole = of(read("stats", target="target"))
    assert whole["truncated"] is False
    engine = "sqlite" if shop.sqlite else "postgresql"
    monkeypatch.setattr(f"integrity.database.{engine}.statistics.MOST_LISTED", 1)
    probing.measures.forget()
    cut = of(read("stats", target="target"))
    assert cut["truncated"] is True
    assert len(whole["tables"]) > len(cut["tables"]) == 1
    assert cut["bytes"] == whole["bytes"] > 0


def test_orphans_that_were_cut_are_said_and_counted_all_the_same(
    shop: Shop, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = AuditRunFactory(target=TargetFactory(alias="target"))
    for name, rows in (("a_id", 3), ("b_id", 17)):
        FindingFactory(target=run.target, first_seen_run=run, rows=rows, columns=[name])
    monkeypatch.setattr("integrity.store.overview.MOST_LISTED", 1)
    found = of(read("stats"))
    assert (found["truncated"], [each["rows"] for each in found["orphans"]]) == (True, [17])
    assert of(read("status"))["audit"]["orphans"] == 20


@pytest.mark.engine("postgresql")
def test_a_scan_of_an_index_is_seen(shop: Shop, read: Read) -> None:
    shop.execute(
        "SET enable_seqscan = off; SELECT * FROM orders WHERE id = 1; SELECT pg_stat_force_next_flush()"
    )
    (key,) = [each for each in of(read("stats"))["indexes"] if each["index"] == "orders_pkey"]
    assert key["scans"] >= 0
    assert key["unique"] is True
