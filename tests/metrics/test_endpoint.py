"""The metrics: who may read them, what they say, and what they cost."""

import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from integrity import models
from integrity.metrics import METRICS, counters
from integrity.metrics import connections as in_use
from integrity.tasks import probing
from tests.factories import (
    AuditRunFactory,
    FindingFactory,
    MigrationRunFactory,
    QueryRunFactory,
    TargetFactory,
    UserFactory,
)
from tests.metrics.conftest import TOKEN, Scrape, key
from tests.servers import EmptyTarget, RegisterTarget

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/integrity/metrics/"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# -- who may ---------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, bearer("wrong"), bearer(""), {"Authorization": "Basic YTpi"}])
def test_nobody_reads_them_without_a_token_or_a_login(site: Client, headers: dict[str, str]) -> None:
    answer = site.get(URL, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert b"integrity_" not in answer.content


def test_without_a_token_in_the_settings_no_token_fits(site: Client, settings: Any) -> None:
    settings.INTEGRITY = {}
    assert site.get(URL, headers=bearer("")).status_code == 401
    assert site.get(URL, headers=bearer("None")).status_code == 401


def test_the_token_can_stand_in_the_environment(
    site: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INTEGRITY = {}
    monkeypatch.setenv("INTEGRITY_METRICS_TOKEN", "from the environment é")
    assert site.get(URL, headers=bearer("from the environment")).status_code == 401
    monkeypatch.setenv("INTEGRITY_METRICS_TOKEN", "from-the-environment")
    assert site.get(URL, headers=bearer("from-the-environment")).status_code == 200


def test_staff_needs_the_permission(site: Client) -> None:
    site.force_login(UserFactory())
    assert site.get(URL).status_code == 403
    site.force_login(UserFactory(may=["read_metrics"]))
    assert site.get(URL).status_code == 200
    site.force_login(UserFactory(may=["read_metrics"], is_staff=False))
    assert site.get(URL).status_code == 403


def test_it_is_read_and_never_kept(site: Client) -> None:
    assert site.post(URL, headers=bearer(TOKEN)).status_code == 405
    answer = site.get(URL, headers=bearer(TOKEN))
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"].startswith("text/plain")
    modern = site.get(URL, headers={**bearer(TOKEN), "Accept": "application/openmetrics-text; version=1.0.0"})
    assert modern.headers["Content-Type"].startswith("application/openmetrics-text")
    assert modern.content.endswith(b"# EOF\n")


def test_without_the_extra_it_says_what_to_install(site: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "INSTALLED", False)
    monkeypatch.setattr(counters, "_counters", None)
    answer = site.get(URL, headers=bearer(TOKEN))
    assert answer.status_code == 501
    assert b"django-referential-integrity[metrics]" in answer.content
    assert site.get("/breaks/").status_code == 500


# -- what they say ---------------------------------------------------------------------------


def test_migrations_are_a_histogram_and_their_failures_a_counter(scrape: Scrape) -> None:
    shop = TargetFactory(alias="shop")
    for seconds in (0.05, 2.0, 70.0):
        MigrationRunFactory(target=shop, migration="0001_indexes", seconds=seconds)
    MigrationRunFactory(target=shop, migration="0001_indexes", seconds=9.0, state="failed")
    MigrationRunFactory(target=shop, migration="0001_indexes", direction="backward", seconds=1.0)
    found = scrape()
    labels = {"target": "shop", "migration": "0001_indexes", "direction": "forward"}
    name = "integrity_migration_duration_seconds"
    assert found[key(f"{name}_count", **labels)] == 3
    assert found[key(f"{name}_sum", **labels)] == pytest.approx(72.05)
    assert found[key(f"{name}_bucket", **labels, le="0.1")] == 1
    assert found[key(f"{name}_bucket", **labels, le="5.0")] == 2
    assert found[key(f"{name}_bucket", **labels, le="+Inf")] == 3
    assert found[key("integrity_migration_failures_total", **labels)] == 1
    assert found[key(f"{name}_count", **(labels | {"direction": "backward"}))] == 1


def test_orphans_and_duplicates_are_those_of_the_last_audit_with_its_time(scrape: Scrape) -> None:
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    run = AuditRunFactory(target=TargetFactory(alias="shop"), finished_at=at)
    FindingFactory(target=run.target, first_seen_run=run, rows=17)
    FindingFactory(target=run.target, first_seen_run=run, rows=3, columns=["store_id"], state="kept")
    FindingFactory(target=run.target, first_seen_run=run, rows=0, columns=["note_id"], state="resolved")
    unique = {"code": "duplicate_rows", "table_name": "tags", "columns": ["store_id", "slug"]}
    FindingFactory(target=run.target, first_seen_run=run, rows=8, **unique)
    FindingFactory(target=run.target, first_seen_run=run, rows=5, code="missing_foreign_key")
    AuditRunFactory(target=run.target, narrowed=True)
    found = scrape()
    of = {"target": "shop", "kept": "false"}
    assert found[key("integrity_orphans", **of, reference="orders.customer_id")] == 17
    assert found[key("integrity_orphans", **(of | {"kept": "true"}), reference="orders.store_id")] == 3
    assert found[key("integrity_orphans", **of, reference="orders.note_id")] == 0
    assert found[key("integrity_duplicates", **of, unique="tags.store_id,slug")] == 8
    assert found[key("integrity_last_audit_timestamp_seconds", target="shop")] == at.timestamp()
    assert found[key("integrity_last_complete_audit_timestamp_seconds", target="shop")] == at.timestamp()


def test_queries_are_as_they_were_last_measured(scrape: Scrape) -> None:
    shop = TargetFactory(alias="shop")
    for p50 in (9.0, 4.0):
        QueryRunFactory(target=shop).timings.update(name="order detail", p50_ms=p50, p99_ms=6.5)
    found = scrape()
    of = {"target": "shop", "query": "order detail"}
    assert found[key("integrity_query_duration_seconds", **of, quantile="0.5")] == 0.004
    assert found[key("integrity_query_duration_seconds", **of, quantile="0.99")] == 0.0065
    assert found[key("integrity_query_regressed", **of)] == 1


def test_connections_are_counted_on_servers_and_in_this_process(
    empty_target: EmptyTarget, scrape: Scrape
) -> None:
    found = scrape()
    if empty_target.vendor == "postgresql":
        assert found[key("integrity_target_up", target="target")] == 1
        assert found[key("integrity_connections", target="target", state="active")] >= 1
        used = found[key("integrity_server_connections", target="target")]
        assert 1 <= used <= found[key("integrity_server_connections_max", target="target")]
    else:
        assert key("integrity_target_up", target="target") not in found
    assert found[key("integrity_process_connections", target="default")] >= 1


def test_a_server_that_does_not_answer_costs_seconds_and_is_said_to_be_down(
    register_target: RegisterTarget, scrape: Scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_target("gone", "postgresql://nobody@127.0.0.1:9/nothing")
    register_target("slow", "postgresql://nobody@127.0.0.1:9/slow")
    ask, scraped = in_use._ask, threading.Event()
    monkeypatch.setattr(in_use, "_ask", lambda alias: scraped.wait(60) if alias == "slow" else ask(alias))
    monkeypatch.setattr(probing, "DEADLINE_SECONDS", 0.2)
    began = time.monotonic()
    found = scrape()
    assert time.monotonic() - began < 60
    scraped.set()
    assert found[key("integrity_target_up", target="gone")] == 0
    assert found[key("integrity_target_up", target="slow")] == 0


def test_a_scrape_takes_as_many_queries_however_much_there_is(site: Client, scrape: Scrape) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connections["default"]) as captured:
            scrape()
        return len(captured)

    scrape()
    few = queries()
    for number in range(4):
        target = TargetFactory(alias=f"t{number}")
        FindingFactory.create_batch(5, target=target)
        MigrationRunFactory.create_batch(3, target=target)
        QueryRunFactory(target=target)
    assert queries() == few <= 5


def test_a_site_that_cannot_read_its_records_still_says_what_it_counted(
    site: Client, scrape: Scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.get("/fine/")
    monkeypatch.setattr(models.MigrationRun._meta, "db_table", "not_migrated")
    found = scrape()
    assert found[key("integrity_site_database_up")] == 0
    assert found[key("integrity_requests_total", view="fine")] == 1


def test_every_metric_has_a_help_text_and_nothing_else_is_exposed(site: Client) -> None:
    QueryRunFactory()
    text = site.get(URL, headers=bearer(TOKEN)).content.decode()
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
    assert told == {each.exposed for each in METRICS}
    assert "_created" not in text


SEVERAL = """
import os, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()
from integrity.metrics import names
from integrity.metrics.counters import count
count(names.REQUESTS, view="shared")
"""


def test_several_processes_are_added_up(tmp_path: Path) -> None:
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", SEVERAL], env=env, check=True)
    read = SEVERAL + (
        "from integrity.metrics import exposition\n"
        "print(*[(s.name, s.labels['view'], s.value) for f in exposition._Counted().collect() for s in f.samples])"
    )
    done = subprocess.run([sys.executable, "-c", read], env=env, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "('integrity_requests_total', 'shared', 3.0)"
