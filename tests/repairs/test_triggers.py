"""Triggers do as they like; a repair notices, and a rollback keeps them out of it."""

import pytest

from tests.repairs.world import World, there_and_back

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE p (id integer PRIMARY KEY);
CREATE TABLE c (id integer PRIMARY KEY, p integer, state text DEFAULT 'live', changes integer DEFAULT 0);
CREATE TABLE log (what text, id integer);
INSERT INTO p VALUES (1);
INSERT INTO c (id, p) VALUES (1, 1), (2, 9), (3, 9), (4, 8), (5, NULL);
"""


def trigger(world: World, when: str, sqlite: str, postgres: str) -> str:
    """One trigger in either dialect."""
    if world.sqlite:
        return f'CREATE TRIGGER "tr 1%" {when} ON c FOR EACH ROW BEGIN {sqlite} END;'
    body = f"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {postgres} END $$;"
    return f'{body} CREATE TRIGGER "tr 1%" {when} ON c FOR EACH ROW EXECUTE FUNCTION f();'


def test_a_trigger_that_cancels_deletions_is_no_endless_loop(world: World) -> None:
    cancel = trigger(
        world,
        "BEFORE DELETE",
        "SELECT RAISE(IGNORE) WHERE OLD.id = 3;",
        "IF OLD.id = 3 THEN RETURN NULL; END IF; RETURN OLD;",
    )
    world.given(TABLES + cancel, "c.p -> p.id CASCADE")
    before = world.rows()

    result = world.repair()

    assert result.state == "finished"
    assert [each.key for each in result.refusals] == [{"id": 3}]
    assert "a trigger or rule of the table" in result.refusals[0].reason
    assert world.target.rows("SELECT id FROM c ORDER BY id") == [(1,), (3,), (5,)]
    world.roll_back(result.run)
    assert world.rows() == before


def test_a_trigger_that_raises_refuses_its_own_rows(world: World) -> None:
    veto = trigger(
        world,
        "BEFORE DELETE",
        "SELECT RAISE(ABORT, 'never 100%') WHERE OLD.id = 4;",
        "IF OLD.id = 4 THEN RAISE 'never 100%%'; END IF; RETURN OLD;",
    )
    world.given(TABLES + veto, "c.p -> p.id CASCADE")

    result = world.repair()

    assert [(each.key, "never 100%" in each.reason) for each in result.refusals] == [({"id": 4}, True)]
    assert result.as_json()["rows"][f"{world.schema}.c"]["deleted"] == 2


def test_a_soft_delete_is_not_taken_for_a_deletion(world: World) -> None:
    soft = trigger(
        world,
        "BEFORE DELETE",
        "UPDATE c SET state = 'deleted' WHERE id = OLD.id; SELECT RAISE(IGNORE);",
        "UPDATE c SET state = 'deleted' WHERE id = OLD.id; RETURN NULL;",
    )
    world.given(TABLES + soft, "c.p -> p.id CASCADE")
    before = world.rows()

    result = world.repair()

    assert result.refused == 3
    assert world.rows() == before


def test_a_row_that_a_trigger_puts_back_is_refused(world: World) -> None:
    again = trigger(
        world,
        "AFTER DELETE",
        "INSERT INTO c VALUES (OLD.id, OLD.p, OLD.state, OLD.changes + 1);",
        "INSERT INTO c VALUES (OLD.id, OLD.p, OLD.state, OLD.changes + 1); RETURN NULL;",
    )
    world.given(TABLES + again, "c.p -> p.id CASCADE")
    before = world.rows()

    result = world.repair()

    assert (result.state, result.refused) == ("finished", 3)
    assert world.rows() == before


def test_an_update_that_a_trigger_reverts_is_refused(world: World) -> None:
    revert = trigger(
        world,
        "AFTER UPDATE",
        "UPDATE c SET p = 9 WHERE id = NEW.id AND NEW.p IS NULL AND NEW.id = 2;",
        "IF NEW.id = 2 AND NEW.p IS NULL THEN UPDATE c SET p = 9 WHERE id = 2; END IF; RETURN NULL;",
    )
    world.given(TABLES + revert, "c.p -> p.id SET NULL")

    result = world.repair()

    assert (result.state, [each.key for each in result.refusals]) == ("finished", [{"id": 2}])
    assert world.target.rows("SELECT id FROM c WHERE p IS NULL ORDER BY id") == [(3,), (4,), (5,)]


def test_what_an_after_trigger_changes_comes_back_too(world: World) -> None:
    touch = trigger(
        world,
        "AFTER UPDATE OF p",
        "UPDATE c SET changes = changes + 1, state = 'touched' WHERE id = NEW.id;",
        "UPDATE c SET changes = changes + 1, state = 'touched' WHERE id = NEW.id; RETURN NULL;",
    )
    world.given(TABLES + touch, "c.p -> p.id SET NULL")

    there_and_back(world)


def test_what_a_before_trigger_changes_comes_back_too(postgres_world: World) -> None:
    world = postgres_world
    touch = trigger(world, "BEFORE UPDATE", "", "NEW.changes := NEW.changes + 1; RETURN NEW;")
    world.given(TABLES + touch, "c.p -> p.id SET NULL")

    there_and_back(world)


def test_the_log_of_an_audit_trigger_is_left_as_it_is(world: World) -> None:
    audit = trigger(
        world,
        "AFTER DELETE",
        "INSERT INTO log VALUES ('deleted', OLD.id);",
        "INSERT INTO log VALUES ('deleted', OLD.id); RETURN NULL;",
    )
    world.given(TABLES + audit, "c.p -> p.id CASCADE")
    before = world.rows()
    plan = world.plan()

    result = world.repair(plan)
    back = world.roll_back(result.run)

    assert plan.steps[0].triggers == ("tr 1%",)
    assert back.proof.rows_equal
    after = world.rows()
    logged = next(name for name in after if name.endswith("log"))
    assert sum(after.pop(logged).values()) == 3
    assert before.pop(logged).total() == 0
    assert after == before


@pytest.mark.parametrize("firing", ["", "ALWAYS", "REPLICA", "DISABLE"])
def test_triggers_fire_afterwards_as_they_did_before(postgres_world: World, firing: str) -> None:
    world = postgres_world
    spoil = trigger(world, "BEFORE INSERT OR UPDATE", "", "NEW.state := 'spoilt'; RETURN NEW;")
    how = {"": "", "DISABLE": 'ALTER TABLE c DISABLE TRIGGER "tr 1%";'}.get(
        firing, f'ALTER TABLE c ENABLE {firing} TRIGGER "tr 1%";'
    )
    deferred = "ALTER TABLE c ADD UNIQUE (id, p) DEFERRABLE INITIALLY DEFERRED;"
    world.given(TABLES + spoil + how + deferred, "c.p -> p.id CASCADE")

    there_and_back(world)


def test_rows_under_a_deferred_key_come_back_past_triggers(postgres_world: World) -> None:
    world = postgres_world
    world.target.execute_script(
        TABLES
        + """
        CREATE TABLE d (id integer PRIMARY KEY, c integer REFERENCES c (id) ON DELETE CASCADE
            DEFERRABLE INITIALLY DEFERRED, other integer REFERENCES d (id) DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO d VALUES (1, 2, 2), (2, 2, 1), (3, 1, NULL);
        """
    )
    veto = trigger(world, "BEFORE INSERT", "", "RETURN NULL;")
    veto += "CREATE TRIGGER on_d BEFORE INSERT ON d FOR EACH ROW EXECUTE FUNCTION f();"
    world.given(veto, "c.p -> p.id CASCADE")

    there_and_back(world)


def test_a_trigger_on_rows_that_follow_refuses_what_they_follow_from(world: World) -> None:
    cancel = trigger(world, "BEFORE DELETE", "SELECT RAISE(IGNORE) WHERE OLD.id = 3;", "RETURN NULL;")
    world.given(
        TABLES
        + "CREATE TABLE x (id integer); CREATE TABLE top (id integer PRIMARY KEY, x integer);"
        + "INSERT INTO top VALUES (9, 1), (8, 1), (1, 1);"
        + cancel.replace("RETURN NULL;", "IF OLD.id = 3 THEN RETURN NULL; END IF; RETURN OLD;"),
        "top.x -> x.id CASCADE",
        "c.p -> top.id CASCADE",
    )
    before = world.rows()

    result = world.repair()

    assert [each.key for each in result.refusals] == [{"id": 9}]
    assert world.target.rows("SELECT id FROM c ORDER BY id") == [(2,), (3,), (5,)]
    world.roll_back(result.run)
    assert world.rows() == before
