"""Decisions for chosen rows, for single missing keys and for the rest go side by side in one plan."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.exceptions import PlanRefused
from integrity.plans import Plan, Request, choosing, parse_mapping
from integrity.references.reference import Resolution
from integrity.repairs import Options, resume_repair
from tests.repairs.world import World, tallies, there_and_back

pytestmark = pytest.mark.newest_postgres_only

ORDERS = parse_path("orders.customer_id")
SHOP = """
DROP TABLE IF EXISTS lines; DROP TABLE IF EXISTS orders; DROP TABLE IF EXISTS customers;
CREATE TABLE customers (id integer PRIMARY KEY, name text DEFAULT 'x');
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, note text);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer);
INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob');
"""
ROWS = """
INSERT INTO orders VALUES (1, 1, 'fine'), (11, 71, '100%'), (12, 71, 'it''s'), (13, 71, NULL), (21, 72, ''),
 (22, 72, 'x'), (31, 73, 'y');
INSERT INTO lines VALUES (1, 1), (2, 11), (3, 12), (4, 12), (5, 31);
"""
REFERENCES = ("orders.customer_id -> customers.id CASCADE", "lines.order_id -> orders.id CASCADE")


def shop(world: World) -> World:
    return world.given(SHOP + ROWS, *REFERENCES, text="[restore.customers]\nname = 'Restored'\n")


def rows(*keys: int) -> tuple[tuple[str, ...], ...]:
    return tuple((str(key),) for key in keys)


def customers(world: World) -> dict[int, int]:
    return dict(world.target.rows("SELECT id, customer_id FROM orders"))


def test_a_row_goes_by_what_is_asked_for_it_else_for_its_key_else_for_the_rest(world: World) -> None:
    plan = shop(world).plan(
        Request(ORDERS, Resolution.SET_NULL),
        Request(ORDERS, Resolution.REASSIGN, to=("2",), keys=rows(71)),
        Request(ORDERS, Resolution.DELETE, rows=rows(12, 31)),
        Request(ORDERS, Resolution.KEEP, rows=rows(21), reason="history"),
    )

    assert [(str(step.resolution), step.rows) for step in plan.orphan_steps] == [
        ("delete", 2), ("set_null", 1), ("reassign", 2), ("keep", 1),
    ]  # fmt: skip
    assert Plan.from_json(plan.as_json()).hash == plan.hash
    there_and_back(world, plan)
    world.repair(plan)
    assert customers(world) == {1: 1, 11: 2, 13: 2, 21: 72, 22: None}


def test_a_plan_in_which_nobody_chose_rows_has_the_hash_that_it_had_before_rows_could_be_chosen(
    world: World,
) -> None:
    (step,) = shop(world).plan(Request(ORDERS, Resolution.DELETE, keys=rows(71))).as_json()["steps"]

    assert not {"chosen_rows", "spared_rows"} & set(step)


def test_the_later_of_two_requests_about_a_row_counts(world: World) -> None:
    plan = shop(world).plan(
        Request(ORDERS, Resolution.DELETE, rows=rows(11, 12)), Request(ORDERS, Resolution.KEEP, rows=rows(12))
    )

    assert [(str(step.resolution), step.chosen_rows) for step in plan.orphan_steps] == [
        ("delete", rows(11)),
        ("keep", rows(12)),
    ]


def test_rows_and_keys_that_share_a_decision_share_a_step(world: World) -> None:
    single = [Request(ORDERS, Resolution.DELETE, rows=rows(key)) for key in (11, 12, 21)]
    (step,) = shop(world).plan(*single).orphan_steps

    assert (step.chosen_rows, step.rows) == (rows(11, 12, 21), 3)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request(ORDERS, Resolution.DELETE, rows=rows(1)), "No orphan of orders.customer_id: 1"),
        (Request(ORDERS, Resolution.DELETE, rows=rows(11, 99)), "No orphan of orders.customer_id: 99"),
        (Request(ORDERS, Resolution.DELETE, rows=(("11", "71"),)), "No orphan of orders.customer_id: 11, 71"),
        (Request(ORDERS, Resolution.DELETE, rows=(("",),)), "No orphan"),
        (Request(ORDERS, Resolution.DELETE, rows=(("1' OR '1'='1",),)), "No orphan"),
        (Request(ORDERS, Resolution.DELETE, rows=rows(11, 10**30)), "No orphan of orders.customer_id: 1000"),
        (Request(ORDERS, Resolution.DELETE, rows=(("011",),)), "No orphan of orders.customer_id: 011"),
        (Request(None, Resolution.DELETE, rows=rows(11)), "belong to one reference"),
        (Request(ORDERS, Resolution.DELETE, rows=rows(11), keys=rows(71)), "not about both"),
        (Request(ORDERS, Resolution.RESTORE_PARENT, rows=rows(11)), "2 other orphans of orders.customer_id"),
    ],
)
def test_a_forged_scope_is_refused(world: World, request_: Request, said: str) -> None:
    with pytest.raises(PlanRefused, match=said):
        shop(world).plan(request_)


def test_rows_of_a_table_without_a_primary_key_cannot_be_chosen(world: World) -> None:
    world.given(
        "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (p integer); INSERT INTO c VALUES (1)",
        "c.p -> p.id",
    )

    with pytest.raises(PlanRefused, match="c has no primary key"):
        world.plan(Request(parse_path("c.p"), Resolution.DELETE, rows=rows(1)))


def test_a_plan_names_a_bounded_number_of_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "MOST_CHOSEN", 2)

    with pytest.raises(PlanRefused, match="3 rows were chosen, more than the 2"):
        shop(world).plan(Request(ORDERS, Resolution.DELETE, rows=rows(11, 12, 13)))


def test_what_was_decided_earlier_and_is_gone_by_now_is_left_out(world: World) -> None:
    decided = [
        Request(ORDERS, Resolution.DELETE, rows=rows(11, 99), standing=True),
        Request(ORDERS, Resolution.SET_NULL, keys=rows(72, 55), standing=True),
    ]
    plan = shop(world).plan(*decided)

    assert [(step.keys, step.chosen_rows, step.rows) for step in plan.orphan_steps] == [
        ((), rows(11), 1),
        (rows(72), (), 2),
    ]


def test_rows_to_keep_that_nobody_can_tell_any_more_keep_the_others_too(world: World) -> None:
    world.given(
        "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (p integer); INSERT INTO c VALUES (1)",
        "c.p -> p.id",
    )
    path = parse_path("c.p")
    plan = world.plan(
        Request(path, Resolution.DELETE), Request(path, Resolution.KEEP, rows=rows(1), standing=True)
    )

    assert plan.orphan_steps == ()
    assert not plan.complete


def test_chosen_rows_with_composite_keys_and_odd_values(world: World) -> None:
    world.given(
        """
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE "c %" (a varchar(20), "b,"" b" varchar(20), p integer, PRIMARY KEY (a, "b,"" b"));
        INSERT INTO "c %" VALUES ('100%s', '', 7), ('100%s', ' ', 7), ('it''s', 'é', 7), ('x', 'y', 8);
        """,
        '"c %".p -> p.id',
    )
    path = parse_path('"c %".p')
    chosen = (("100%s", ""), ("it's", "é"))
    plan = world.plan(Request(path, Resolution.SET_NULL, rows=chosen), Request(path, Resolution.DELETE))

    assert [(str(step.resolution), step.rows) for step in plan.orphan_steps] == [
        ("delete", 2),
        ("set_null", 2),
    ]
    assert "100%%s" in plan.orphan_steps[0].predicate
    there_and_back(world, plan)


def test_a_chosen_row_whose_key_changes_with_it_is_changed_once(world: World) -> None:
    """The referencing column is part of the primary key by which rows are chosen."""
    world.given(
        """
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE c (p integer, n integer, PRIMARY KEY (p, n));
        INSERT INTO p VALUES (1), (2);
        INSERT INTO c VALUES (1, 1), (8, 1), (8, 2), (9, 1), (9, 3);
        """,
        "c.p -> p.id",
    )
    path = parse_path("c.p")
    plan = world.plan(
        Request(path, Resolution.REASSIGN, to=("2",), rows=(("8", "2"), ("9", "1"))),
        Request(path, Resolution.DELETE),
    )

    there_and_back(world, plan)
    world.repair(plan)
    assert sorted(world.target.rows("SELECT p, n FROM c")) == [(1, 1), (2, 1), (2, 2)]


@pytest.mark.parametrize("kind", ["uuid", "varchar(40)", "bigint"])
def test_rows_are_found_by_keys_of_any_type(world: World, kind: str) -> None:
    keys = ["7", "8", "9"]
    if kind != "bigint":
        keys = [f"aaaaaaaa-0000-4000-8000-00000000000{key}" for key in keys]
    values = ", ".join(f"('{key}', {place})" for place, key in enumerate(keys, start=70))
    world.given(
        f"""
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE c (id {kind} PRIMARY KEY, p integer);
        INSERT INTO c VALUES {values};
        """,
        "c.p -> p.id",
    )
    path = parse_path("c.p")
    plan = world.plan(
        Request(path, Resolution.DELETE, rows=((keys[0],), (keys[1],))), Request(path, Resolution.KEEP)
    )

    assert [step.rows for step in plan.orphan_steps] == [2, 1]
    there_and_back(world, plan)
    with pytest.raises(PlanRefused, match="No orphan"):
        world.plan(Request(path, Resolution.DELETE, rows=((f" {keys[0]}",),)))


@pytest.mark.engine("sqlite")
def test_keys_that_differ_in_type_alone_are_not_mixed_up(world: World) -> None:
    world.given(
        """
        CREATE TABLE p (id INTEGER PRIMARY KEY);
        CREATE TABLE c (k PRIMARY KEY, p INTEGER);
        INSERT INTO c VALUES (1, 7), ('1', 7), (NULL, 7), (2, 7);
        """,
        "c.p -> p.id",
    )
    path = parse_path("c.p")

    with pytest.raises(PlanRefused, match=r"More than one row of c\.p is written 1"):
        world.plan(Request(path, Resolution.DELETE, rows=rows(1)))
    plan = world.plan(Request(path, Resolution.KEEP, rows=rows(2)), Request(path, Resolution.DELETE))
    assert [step.rows for step in plan.orphan_steps] == [3, 1], "a row with NULL for a key is one of the rest"


def test_more_rows_than_approved_are_left_to_another_plan(world: World) -> None:
    """Rows that a plan names are named by it: new orphans are not theirs."""
    plan = shop(world).plan(Request(ORDERS, Resolution.DELETE, rows=rows(11, 12)))
    world.target.execute_script("INSERT INTO orders VALUES (99, 71, 'new'); DELETE FROM orders WHERE id = 12")

    result = world.repair(plan)

    assert result.refusals == []
    assert set(customers(world)) == {1, 13, 21, 22, 31, 99}


def test_rows_that_are_kept_and_go_with_others_are_told(world: World) -> None:
    world.given(
        """
        CREATE TABLE regions (id integer PRIMARY KEY);
        CREATE TABLE stores (id integer PRIMARY KEY, region_id integer);
        CREATE TABLE sales (id integer PRIMARY KEY, store_id integer, seller_id integer);
        INSERT INTO stores VALUES (1, 9);
        INSERT INTO sales VALUES (1, 1, 5), (2, NULL, 5);
        """,
        "stores.region_id -> regions.id CASCADE",
        "sales.store_id -> stores.id CASCADE",
        "sales.seller_id -> regions.id",
    )
    keep = Request(parse_path("sales.seller_id"), Resolution.KEEP, rows=rows(1, 2))
    plan = world.plan(keep, Request(parse_path("stores.region_id"), Resolution.DELETE))

    assert plan.notes == (
        "1 of the orphans of sales.seller_id that are to be kept are deleted all the same: they refer to rows "
        "that go",
    )


def test_a_run_of_chosen_rows_that_was_stopped_goes_on_with_them_alone(world: World, settings: Any) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "BATCH_ROWS": 1}
    plan = shop(world).plan(
        Request(ORDERS, Resolution.DELETE, rows=rows(11, 21)),
        Request(ORDERS, Resolution.SET_NULL, rows=rows(12)),
    )
    before, asked = world.rows(), iter([None, None, "paused"])
    stopped = world.repair(plan, stop=lambda: next(asked, "paused"))
    assert stopped.state == "paused"
    world.target.execute_script("INSERT INTO orders VALUES (99, 71, 'new')")

    options = Options(approved=True)
    done = resume_repair(Target(world.target.alias), stopped.run or 0, catalog=world.catalog, options=options)

    assert (done.state, done.refusals) == ("finished", [])
    assert customers(world) == {1: 1, 12: None, 13: 71, 22: 72, 31: 73, 99: 71}
    world.target.execute_script("DELETE FROM orders WHERE id = 99")
    assert world.roll_back(done.run).proof.rows_equal
    assert world.rows() == before


# -- any partition --------------------------------------------------------------------------

ORPHANS = st.dictionaries(st.integers(2, 40), st.sampled_from([1, 2, 71, 72, 73, None]), max_size=14)
KINDS = st.sampled_from([*Resolution][:6])


@st.composite
def partitions(draw: Any) -> tuple[dict[int, int | None], list[Request]]:
    """Orders, and requests for some of their rows, some of their keys, and perhaps the rest."""
    orders = draw(ORPHANS)
    broken = [row for row, key in orders.items() if key not in (1, 2, None)]
    requests = []
    for chosen in draw(st.lists(st.sets(st.sampled_from(broken)) if broken else st.just(set()), max_size=3)):
        if chosen:
            requests.append(asked(draw(KINDS), rows=rows(*sorted(chosen))))
    keys = sorted({key for key in orders.values() if key not in (1, 2, None)})
    for chosen in draw(st.lists(st.sets(st.sampled_from(keys)) if keys else st.just(set()), max_size=2)):
        if chosen:
            requests.append(asked(draw(KINDS), keys=rows(*sorted(chosen))))
    if draw(st.booleans()) or not requests:
        requests.append(asked(draw(KINDS)))
    return orders, draw(st.permutations(requests))


def asked(kind: Resolution, **scope: Any) -> Request:
    """A request; what a chosen row misses is not made again, for it would serve the others, too."""
    if kind is Resolution.RESTORE_PARENT and "rows" in scope:
        kind = Resolution.SET_NULL
    mapping = parse_mapping("old,new\n71,1\n72,2\n73,1\n", "map.csv") if kind is Resolution.RELINK else None
    to = ("1",) if kind is Resolution.REASSIGN else None
    return Request(ORDERS, kind, to=to, mapping=mapping, standing=True, **scope)


def expected(orders: dict[int, int | None], requests: list[Request]) -> dict[int, Resolution]:
    """What is to become of each orphan, found without the product."""
    found = {}
    for row, key in orders.items():
        if key in (1, 2, None):
            continue
        mine = (
            [each for each in requests if (str(row),) in each.rows]
            or [each for each in requests if (str(key),) in each.keys]
            or [each for each in requests if each.general]
        )
        if mine:
            found[row] = mine[-1].resolution or Resolution.KEEP
    return found


def check(world: World, orders: dict[int, int | None], requests: list[Request]) -> None:
    values = ", ".join(f"({row}, {'NULL' if key is None else key}, 'n')" for row, key in orders.items())
    lines = ", ".join(f"({row}, {row})" for row in orders)
    script = SHOP + (
        f"INSERT INTO orders VALUES {values}; INSERT INTO lines VALUES {lines};" if orders else ""
    )
    world.given(f"BEGIN; {script} COMMIT;", *REFERENCES, text="[restore.customers]\nname = 'Restored'\n")
    plan, wanted = world.plan(*requests), expected(orders, requests)

    assert sum(step.rows for step in plan.orphan_steps) == len(wanted), "every orphan once, and no other row"
    counted = Counter(dict.fromkeys((), 0))
    for step in plan.orphan_steps:
        counted[step.resolution] += step.rows
    assert counted == Counter(wanted.values())
    assert Plan.from_json(plan.as_json()).hash == plan.hash
    if not plan.changing_steps:
        return
    before = world.rows()
    result = world.repair(plan)

    assert (result.state, result.refusals) == ("finished", [])
    assert tallies(result.rows) == tallies(plan.blast_radius())
    assert customers(world) == after(orders, wanted)
    back = world.roll_back(result.run)
    assert world.rows() == before
    assert back.proof.rows_equal
    assert back.proof.schema_equal


def after(orders: dict[int, int | None], wanted: dict[int, Resolution]) -> dict[int, int | None]:
    becomes = {Resolution.SET_NULL: None, Resolution.REASSIGN: 1}
    found = {}
    for row, key in orders.items():
        kind = wanted.get(row)
        if kind is Resolution.RELINK:
            found[row] = {71: 1, 72: 2, 73: 1}[key or 0]
        elif kind is not Resolution.DELETE:
            found[row] = becomes.get(kind, key) if kind else key
    return found


def test_any_partition_touches_every_orphan_once_and_is_taken_back_exactly(world: World) -> None:
    @seed(6)
    @settings(
        max_examples=25 if world.sqlite else 8,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(partitions())
    def agree(partition: tuple[dict[int, int | None], list[Request]]) -> None:
        check(world, *partition)

    agree()
