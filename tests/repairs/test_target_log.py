"""A repair writes into the target's own log what it changed, and a rollback what came back."""

import json
from typing import Any

import pytest

from integrity.exceptions import CatalogError
from integrity.repairs.target_log import TargetLog
from tests.repairs.world import World

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE profiles (id integer PRIMARY KEY, name varchar(20));
CREATE TABLE orders (id integer PRIMARY KEY, user_id integer);
CREATE TABLE order_lines (id integer PRIMARY KEY, order_id integer NOT NULL);
INSERT INTO profiles VALUES (1, 'Ada');
INSERT INTO orders VALUES (1, 1), (2, 7), (3, 8);
INSERT INTO order_lines VALUES (10, 1), (20, 2), (21, 2);
"""
ERROR_LOGS = """
CREATE TABLE error_logs (
    id integer PRIMARY KEY {identity}, error_type varchar(60) NOT NULL, message text, details {json},
    created_at {timestamp}, severity varchar(10) NOT NULL {default});
"""
REFERENCES = ("orders.user_id -> profiles.id | delete", "order_lines.order_id -> orders.id CASCADE")
COLUMNS = 'columns = { type = "error_type", message = "message", details = "details", at = "created_at" }'
LOG = f'[log]\ntable = "error_logs"\n{COLUMNS}\nvalues = {{ severity = "info" }}\n'


def error_logs(world: World, **words: str) -> str:
    """Make the log table as each engine would have it."""
    engine = {
        "identity": "" if world.sqlite else "GENERATED ALWAYS AS IDENTITY",
        "json": "text" if world.sqlite else "jsonb",
        "timestamp": "text" if world.sqlite else "timestamptz",
        "default": "",
    }
    return ERROR_LOGS.format(**engine | words)


def entries(world: World) -> list[tuple[str, str, Any]]:
    """Return type, message and details of every entry, in their order."""
    rows = world.target.rows(
        "SELECT error_type, message, details, created_at, severity FROM error_logs ORDER BY id"
    )
    assert all(at is not None and severity == "info" for *_, at, severity in rows)
    return [
        (kind, text, json.loads(facts) if isinstance(facts, str) else facts) for kind, text, facts, *_ in rows
    ]


@pytest.fixture
def logged(world: World) -> World:
    return world.given(TABLES + error_logs(world), *REFERENCES, text=LOG)


def test_each_row_that_is_deleted_has_an_entry_that_says_why(logged: World) -> None:
    result = logged.repair()

    found = entries(logged)
    orders = [each for each in found if each[0] == "ORPHANED_ORDER_DETECTED"]
    lines = [each for each in found if each[0] == "ORPHANED_ORDER_LINE_DETECTED"]
    assert (len(orders), len(lines), len(found)) == (2, 2, 4)
    assert orders[0][1:] == (
        "orders 2 refers to user_id 7, which profiles does not have; deleted by repair run 1",
        {
            "run": result.run,
            "table": "orders",
            "reference": "orders.user_id",
            "action": "delete",
            "key": {"id": 2},
            "values": {"user_id": 7},
        },
    )
    assert {each[2]["key"]["id"] for each in lines} == {20, 21}


def test_a_rollback_adds_an_entry_and_is_exact_everywhere_else(logged: World) -> None:
    before, structure = logged.rows(), logged.structure()
    result = logged.repair()

    back = logged.roll_back(result.run)

    after = logged.rows()
    log = next(name for name in after if name.endswith("error_logs"))
    assert {**after, log: before[log]} == before
    assert logged.structure() == structure
    assert back.proof.rows_equal
    assert all(each.table_equal for each in back.proof.tables.values())
    news = {kind: (text, facts) for kind, text, facts in entries(logged)[4:]}
    assert set(news) == {"ORPHANED_ORDER_ROLLED_BACK", "ORPHANED_ORDER_LINE_ROLLED_BACK"}
    text, facts = news["ORPHANED_ORDER_ROLLED_BACK"]
    assert text == "2 rows of orders that repair run 1 deleted: put back"
    assert facts == {
        "run": result.run,
        "rollback": back.run,
        "table": "orders",
        "action": "delete",
        "rows": 2,
        "keys": [{"id": 2}, {"id": 3}],
    }


def test_beyond_the_limit_one_entry_counts_the_rest(world: World) -> None:
    world.given(
        TABLES + error_logs(world), *REFERENCES, text=f"{LOG}rows = 1\ntypes = {{ orders = 'LOST' }}\n"
    )

    world.repair()

    found = [each for each in entries(world) if each[0] == "LOST"]
    assert [text for _, text, _ in found] == [
        "orders 2 refers to user_id 7, which profiles does not have; deleted by repair run 1",
        "1 more rows of orders (orders.user_id) deleted by repair run 1",
    ]
    assert (found[1][2]["rows"], found[1][2]["first_key"], found[1][2]["last_key"]) == (
        1,
        {"id": 3},
        {"id": 3},
    )


def test_a_batch_that_is_given_up_leaves_no_entry(logged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write = TargetLog.changed

    def fail_afterwards(log: TargetLog, *facts: Any) -> None:
        write(log, *facts)
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(TargetLog, "changed", fail_afterwards)
    before = logged.rows()

    with pytest.raises(RuntimeError, match="on fire"):
        logged.repair()

    assert logged.rows() == before


def test_masked_values_are_not_told(world: World) -> None:
    world.given(TABLES + error_logs(world), *REFERENCES, text=f'{LOG}[mask]\ncolumns = ["orders.user_id"]\n')

    world.repair()

    told = [facts for _, _, facts in entries(world) if facts["reference"] == "orders.user_id"]
    assert [facts["values"] for facts in told] == [{"user_id": "(masked)"}] * 2


def test_rows_that_are_updated_have_entries_too(logged: World) -> None:
    logged.repair(logged.ask("set_null", "orders.user_id"))

    assert [(kind, facts["action"]) for kind, _, facts in entries(logged)] == [
        ("ORPHANED_ORDER_DETECTED", "update"),
        ("ORPHANED_ORDER_DETECTED", "update"),
    ]


@pytest.mark.parametrize(
    ("log", "answer"),
    [
        (LOG.replace("error_logs", "eror_logs"), "There is no table .*eror_logs.* Did you mean error_logs"),
        (LOG.replace('"message" ,', "").replace('= "message"', '= "mesage"'), "has no column 'mesage'"),
        (LOG.replace("severity =", "gravity ="), "has no column 'gravity'"),
        (f"{LOG}types = {{ ordres = 'LOST' }}\n", "There is no table .*ordres.*Did you mean orders"),
        (
            LOG.replace('values = { severity = "info" }', ""),
            r"Nothing can be written into error_logs: .*severity",
        ),
    ],
)
def test_a_log_that_takes_nothing_stops_it_before_the_first_change(
    world: World, log: str, answer: str
) -> None:
    world.given(TABLES + error_logs(world), *REFERENCES, text=log)
    before = world.rows()

    with pytest.raises(CatalogError, match=f"(?s){answer}") as caught:
        world.repair()

    assert "catalog.toml, [log]" in caught.value.where
    assert world.rows() == before
    assert world.target.rows("SELECT count(*) FROM error_logs") == [(0,)]


def test_a_type_that_the_log_forbids_is_seen_before_the_first_change(world: World) -> None:
    check = "DEFAULT 'info' CHECK (error_type NOT LIKE '%ROLLED_BACK')"
    world.given(TABLES + error_logs(world, default=check), *REFERENCES, text=LOG)

    with pytest.raises(CatalogError, match="Nothing can be written into error_logs"):
        world.repair()


def test_a_rollback_goes_on_without_a_log_that_was_dropped(logged: World) -> None:
    result = logged.repair()
    logged.target.execute_script("DROP TABLE error_logs")

    back = logged.roll_back(result.run)

    assert back.refusals == []
    assert logged.value("SELECT count(*) FROM orders") == 3
