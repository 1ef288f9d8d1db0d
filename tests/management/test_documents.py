"""What other programs rely on: the shapes of documents, one on standard output, and exit codes."""

from pathlib import Path
from typing import Any

import pytest

from tests.commands import run, run_json
from tests.management.conftest import CATALOG, SYSTEM_ROW, Shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

AUDIT = {"target", "vendor", "server_version", "run", "coverage", "findings"}
COVERAGE = {
    "complete", "snapshot", "references", "checked", "uniques", "uniques_checked", "skipped", "timed_out", "unread",
}  # fmt: skip
FINDING = {
    "code", "severity", "fingerprint", "schema", "table", "columns", "referenced_schema", "referenced_table",
    "referenced_columns", "rows", "missing_keys", "source", "message", "suggestion", "evidence",
}  # fmt: skip
REPAIR = {
    "target",
    "run",
    "kind",
    "state",
    "plan",
    "dry_run",
    "rows",
    "refusals",
    "duration_s",
    "differences",
}
TALLY = {"deleted", "updated", "restored", "refused"}


def test_an_audit_is_one_document_of_the_promised_shape(shop: Shop) -> None:
    ran = run("audit", shop.alias, "--format", "json")
    assert ran.code == 1
    assert set(ran.json) == AUDIT
    assert set(ran.json["coverage"]) == COVERAGE
    assert ran.json["coverage"] | {"snapshot": "one"} == {
        "complete": True, "snapshot": "one", "references": 2, "checked": 2,
        "uniques": 0, "uniques_checked": 0, "skipped": [], "timed_out": [], "unread": [],
    }  # fmt: skip
    assert all(set(each) >= FINDING for each in ran.json["findings"])
    orphans = {each["table"]: each for each in ran.json["findings"] if each["code"] == "orphaned_rows"}
    assert (orphans["orders"]["rows"], orphans["orders"]["missing_keys"]) == (3, 2)
    assert (orphans["lines"]["rows"], orphans["lines"]["missing_keys"]) == (1, 1)
    assert orphans["orders"]["schema"] == ("main" if shop.vendor == "sqlite" else "public")


def test_several_targets_make_a_list_and_one_failure_keeps_none_from_being_audited(shop: Shop) -> None:
    ran = run("audit", shop.alias, "nowhere", "--format", "json")
    assert ran.code == 2
    first, second = ran.json
    assert first["target"] == shop.alias
    assert second["error"]["kind"] == "unknown_target"


def test_what_counts_as_failure_can_be_chosen(shop: Shop) -> None:
    shop.write_catalog(CATALOG.partition("[[index]]")[0])
    run_json("cleanup", shop.alias, "--action", "suggested", "--no-input")
    run("makemigrations", shop.alias)
    assert run("migrate", shop.alias).code == 0
    found = run("audit", shop.alias, "--format", "json").json["findings"]
    assert {each["severity"] for each in found} == {"warning"}
    assert run("audit", shop.alias).code == 0
    assert run("audit", shop.alias, "--fail-on", "warning").code == 1


def test_a_dry_run_says_what_the_plan_runs(shop: Shop) -> None:
    before = shop.state()
    dry = run_json("cleanup", shop.alias, "--action", "suggested", "--dry-run")
    assert set(dry) == REPAIR
    assert (dry["state"], dry["dry_run"], dry["run"]) == ("planned", True, None)
    assert shop.state() == before
    done = run_json("cleanup", shop.alias, "--plan", dry["plan"][:12], "--no-input")
    assert set(done) == REPAIR
    assert (done["state"], done["dry_run"], done["plan"]) == ("finished", False, dry["plan"])
    assert done["rows"] == dry["rows"]
    assert all(set(each) >= TALLY for each in done["rows"].values())
    deleted = {table.partition(".")[2]: each["deleted"] for table, each in done["rows"].items()}
    assert deleted == {"orders": 0, "lines": 1}


def test_a_rollback_proves_itself(shop: Shop) -> None:
    before = shop.state()
    done = run_json("cleanup", shop.alias, "--action", "delete", "--no-input")
    back = run_json("rollback", shop.alias, done["run"], "--no-input")
    assert set(back) >= {*REPAIR, "proof"}
    assert (back["kind"], back["of"]) == ("rollback", done["run"])
    assert set(back["proof"]) >= {"rows_equal", "schema_equal", "tables"}
    assert back["proof"]["rows_equal"] is True
    assert back["proof"]["schema_equal"] is True
    assert shop.state() == before


def test_a_selection_comes_back_alone(shop: Shop) -> None:
    done = run_json("cleanup", shop.alias, "--action", "delete", "--no-input")
    left = shop.rows("SELECT count(*) FROM orders")[0][0]
    run_json("rollback", shop.alias, done["run"], "--table", "orders", "--key", "11", "--no-input")
    assert shop.rows("SELECT id FROM orders WHERE id >= 10") == [(11,)]
    assert shop.rows("SELECT count(*) FROM orders")[0][0] == left + 1
    log = run_json("log", shop.alias)
    assert [(each["kind"], each["state"]) for each in log["runs"]] == [
        ("rollback", "finished"),
        ("cleanup", "partly_rolled_back"),
    ]
    run_json("rollback", shop.alias, done["run"], "--no-input")
    assert run_json("log", shop.alias)["runs"][-1]["state"] == "rolled_back"


def test_a_row_changed_since_is_refused_and_the_others_come_back(shop: Shop) -> None:
    done = run_json(
        "cleanup", shop.alias, "--reference", "orders.customer_id", "--action", "set_null", "--no-input"
    )
    shop.execute("UPDATE orders SET note = 'newer' WHERE id = 11")
    back = run("rollback", shop.alias, done["run"], "--no-input", "--format", "json")
    assert back.code == 1
    assert [each["key"] for each in back.json["refusals"]] == [{"id": 11}]
    assert shop.rows("SELECT id, customer_id FROM orders WHERE id >= 10 ORDER BY id") == [
        (10, 90),
        (11, None),
        (12, 91),
    ]


def test_orphans_are_reassigned_to_the_system_row_or_to_a_key(shop: Shop) -> None:
    shop.write_catalog(CATALOG + SYSTEM_ROW)
    before = shop.state()
    done = run_json("reassign", shop.alias, "--reference", "orders.customer_id", "--no-input")
    assert done["kind"] == "reassign"
    assert shop.rows("SELECT count(*) FROM orders WHERE customer_id = 1000") == [(3,)]
    assert shop.rows("SELECT name FROM customers WHERE id = 1000") == [("100% nobody's",)]
    run_json("rollback", shop.alias, done["run"], "--no-input")
    assert shop.state() == before
    run_json("reassign", shop.alias, "--reference", "orders.customer_id", "--to", "2", "--no-input")
    assert shop.rows("SELECT count(*) FROM orders WHERE customer_id = 2") == [(4,)]


def test_kept_orphans_pass_verification_only_when_allowed(shop: Shop) -> None:
    run("audit", shop.alias)
    run_json("cleanup", shop.alias, "--reference", "lines.order_id", "--action", "delete", "--no-input")
    kept = ("--reference", "orders.customer_id", "--action", "keep")
    run_json("cleanup", shop.alias, *kept, "--until", "2999-12-31", "--reason", "tax", "--no-input")
    written = run_json("makemigrations", shop.alias)
    assert written["left_out"] == ["orders.customer_id"]
    assert run("migrate", shop.alias).code == 0
    refused = run("verify", shop.alias, "--format", "json")
    assert refused.code == 1
    assert [each["code"] for each in refused.json["problems"]] == ["kept_orphans"]
    allowed = run("verify", shop.alias, "--allow-kept", "--format", "json")
    assert allowed.code == 0, allowed.out
    assert "enforced for new rows, 3 rows kept by decision until 2999-12-31" in allowed.out


def test_migrations_say_what_they_would_do(shop: Shop) -> None:
    written = run_json("makemigrations", shop.alias)
    assert [each["phase"] for each in written["fixes"]] == [1, 2, 2, 3, 3]
    assert run_json("makemigrations", shop.alias)["fixes"] == []
    planned = run_json("migrate", shop.alias, "--dry-run")
    assert [each["state"] for each in planned["migrations"]] == ["planned"] * 3
    assert run_json("migrate", shop.alias, "--plan") == planned
    assert any("fk_orders_customer" in each for each in run_json("migrate", shop.alias, "--sql")["sql"])
    assert run("migrate", shop.alias, "--check").code == 1
    assert run_json("migrate", shop.alias, "--phase", "1")["duration_s"] >= 0
    states = {each["name"]: each["state"] for each in run_json("migrate", shop.alias, "--list")["migrations"]}
    assert list(states.values()) == ["applied", "pending", "pending"]
    refused = run("migrate", shop.alias)
    assert refused.code == 2
    assert "integrity_cleanup target --reference" in refused.err
    assert run("migrate", shop.alias, "zero").code == 2
    reversed_ = run_json("migrate", shop.alias, "zero", "--no-input")
    assert [each["state"] for each in reversed_["migrations"]] == ["reversed", "reversed"]


def test_a_lent_catalog_is_needed_again_for_its_plan(shop: Shop, tmp_path: Any) -> None:
    lent = tmp_path / "lent.toml"
    shop.catalog.rename(lent)
    before = shop.state()
    planned = run_json("plan", shop.alias, "--catalog", lent, "--action", "suggested")
    without = run("cleanup", shop.alias, "--plan", planned["hash"], "--no-input")
    assert without.code == 2
    assert "Give the --catalog that the plan was made with" in without.err
    assert shop.state() == before
    done = run_json("cleanup", shop.alias, "--catalog", lent, "--plan", planned["hash"], "--no-input")
    assert done["state"] == "finished"


def test_a_new_catalog_holds_what_is_declared(shop: Shop) -> None:
    shop.catalog.unlink()
    shop.execute(
        "CREATE TABLE parts (id integer PRIMARY KEY, line_id integer REFERENCES lines (id) ON DELETE CASCADE)"
    )
    dry = run_json("startcatalog", shop.alias, "--dry-run")
    assert not shop.catalog.exists()
    assert "parts.line_id" in next(each["text"] for each in dry["files"] if each["path"].endswith(".toml"))
    run_json("startcatalog", shop.alias)
    assert shop.catalog.exists()
    assert run("startcatalog", shop.alias).code == 2


def test_views_are_not_counted_as_tables(shop: Shop) -> None:
    def counted() -> tuple[int, int, int]:
        (each,) = (each for each in run_json("targets") if each["target"] == shop.alias)
        return each["tables"], each["readable"], each["owned"]

    before = counted()
    shop.execute("CREATE VIEW placed AS SELECT * FROM orders;")
    assert counted() == before


def test_targets_are_listed_with_what_is_known(shop: Shop) -> None:
    run("audit", shop.alias)
    listed = {each["target"]: each for each in run_json("targets")}
    found = listed[shop.alias]
    assert found["reachable"] is True
    assert found["tables"] == 3
    assert found["last_audit"] is not None
    assert found["last_backup"] is None


def test_the_log_says_what_a_run_changed(shop: Shop) -> None:
    done = run_json("cleanup", shop.alias, "--action", "suggested", "--no-input")
    log = run_json("log", shop.alias, "--run", done["run"])
    changes = {(each["table"].partition(".")[2], each["reason"]): each for each in log["changes"]}
    assert changes["orders", "orders.customer_id"]["rows"] == 3
    assert changes["orders", "orders.customer_id"]["keys"] == [{"id": 10}, {"id": 11}, {"id": 12}]
    assert changes["lines", "lines.order_id"]["action"] == "delete"
    only = run_json("log", shop.alias, "--run", done["run"], "--table", "lines")
    assert [each["reason"] for each in only["changes"]] == ["lines.order_id"]


@pytest.mark.parametrize("command", ["audit", "plan", "verify", "makemigrations", "log"])
def test_documents_can_be_had_as_markdown(shop: Shop, command: str) -> None:
    options = ["--dry-run"] if command == "makemigrations" else []
    ran = run(command, shop.alias, *options, "--format", "markdown")
    assert ran.code in (0, 1)
    assert ran.out.startswith("## ")


def test_a_plan_that_would_be_refused_in_part_is_shown_but_not_written_as_a_script(
    shop: Shop, tmp_path: Any
) -> None:
    shop.write_catalog(CATALOG.replace("CASCADE", "RESTRICT"))
    asked = ("plan", shop.alias, "--reference", "orders.customer_id", "--action", "delete")
    ran = run(*asked)
    assert ran.code == 0
    assert "changing 2 orphans; 1 orphan stays." in ran.out
    assert "1 orphan stays because of" in ran.out
    refused = run(*asked, "--sql", tmp_path / "fix.sql")
    assert refused.code == 2
    assert "integrity_cleanup" in refused.err
    assert not (tmp_path / "fix.sql").exists()


def test_rows_that_are_refused_make_exit_one(shop: Shop) -> None:
    shop.write_catalog(CATALOG.replace("CASCADE", "RESTRICT"))
    only = ("--reference", "orders.customer_id", "--action", "delete")
    ran = run("cleanup", shop.alias, *only, "--no-input", "--format", "json")
    assert ran.code == 1, ran.err
    assert [each["key"] for each in ran.json["refusals"]] == [{"id": 10}]
    assert shop.rows("SELECT id FROM orders WHERE id >= 10") == [(10,)]


def test_the_scripts_of_a_plan_are_written_beside_each_other(shop: Shop, tmp_path: Any) -> None:
    before = shop.state()
    planned = run_json("plan", shop.alias, "--action", "suggested", "--sql", tmp_path / "fix.sql")
    forward, back = planned["files"]
    assert (forward, back) == (str(tmp_path / "fix.sql"), str(tmp_path / "fix.rollback.sql"))
    shop.execute(Path(forward).read_text())
    assert shop.rows("SELECT count(*) FROM orders WHERE customer_id > 89") == [(0,)]
    shop.execute(Path(back).read_text())
    assert shop.state() == before


def test_the_decisions_of_people_count_before_the_policy(shop: Shop) -> None:
    run("audit", shop.alias)
    run_json("cleanup", shop.alias, "--action", "keep", "--reason", "not yet", "--no-input")
    shop.write_catalog(CATALOG.replace('on_delete = "CASCADE"', 'on_delete = "CASCADE"\norphans = "delete"'))
    plan = run_json("plan", shop.alias)
    assert {step["reference"]["label"]: step["resolution"] for step in plan["steps"]} == {
        "orders.customer_id": "keep",
        "lines.order_id": "keep",
    }
