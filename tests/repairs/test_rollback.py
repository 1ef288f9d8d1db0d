"""A rollback is exact, refuses row by row what changed since, and says so honestly."""

import sys

import pytest

from integrity.database.identifiers import TableName
from integrity.database.session import Target
from integrity.exceptions import RollbackRefused, UnknownRun
from integrity.references.catalog import Catalog
from integrity.repairs import Selection, list_runs, roll_back
from tests.repairs.world import World

pytestmark = pytest.mark.newest_postgres_only

SHOP = """
CREATE TABLE p (id integer PRIMARY KEY, name text);
CREATE TABLE c (id integer PRIMARY KEY, p integer, q integer, note text UNIQUE);
CREATE TABLE d (id integer PRIMARY KEY, c integer);
INSERT INTO p VALUES (1, 'one');
INSERT INTO c VALUES (1, 1, 1, 'a'), (2, 9, 1, 'b'), (3, 9, 1, 'c'), (4, 1, 8, 'd'), (5, 1, 8, 'e');
INSERT INTO d VALUES (1, 1), (2, 2), (3, 3);
"""
REFERENCES = ("c.p -> p.id CASCADE", "c.q -> p.id SET NULL", "d.c -> c.id CASCADE")


def state(world: World, number: int | None) -> str:
    return next(str(each.state) for each in list_runs(Target("target")) if each.number == number)


def test_what_somebody_changed_since_is_not_overwritten(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    result = world.repair()
    world.target.execute_script(
        "INSERT INTO c VALUES (2, NULL, NULL, 'mine'); UPDATE c SET note = 'changed' WHERE id = 4;"
        "DELETE FROM c WHERE id = 5; INSERT INTO c VALUES (30, NULL, NULL, 'c');"
    )

    back = world.roll_back(result.run)

    reasons = {(each.table.name, each.key["id"]): each.reason for each in back.refusals}
    assert "same key" in reasons["c", 2]
    assert "(note)" in reasons["c", 3]
    assert reasons["c", 4] == reasons["c", 5] == "the row was changed or deleted since"
    assert world.target.rows("SELECT id, p, q, note FROM c WHERE id IN (2, 4) ORDER BY id") == [
        (2, None, None, "mine"),
        (4, 1, None, "changed"),
    ]
    assert world.target.rows("SELECT id FROM d ORDER BY id") == [(1,), (2,), (3,)]
    assert not back.proof.rows_equal
    assert state(world, result.run) == "partly_rolled_back"


def test_a_second_rollback_goes_on_where_the_first_could_not(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    before = world.rows()
    result = world.repair()
    world.target.execute_script("INSERT INTO c VALUES (2, NULL, NULL, 'mine')")
    assert world.roll_back(result.run).refused == 1
    world.target.execute_script("DELETE FROM c WHERE id = 2")

    back = world.roll_back(result.run)

    assert back.as_json()["rows"][f"{world.schema}.c"]["restored"] == 1
    assert world.rows() == before
    assert all(table.table_equal for table in back.proof.tables.values())
    assert state(world, result.run) == "rolled_back"
    with pytest.raises(UnknownRun, match="nothing to take back"):
        world.roll_back(result.run)


def test_a_rollback_that_died_before_it_said_so_is_ended_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.given(SHOP, *REFERENCES)
    before, result = world.rows(), world.repair()
    with monkeypatch.context() as died:
        died.setattr("integrity.repairs.rollback.prove", lambda *_: sys.exit(9))
        with pytest.raises(SystemExit):
            world.roll_back(result.run)
    assert world.rows() == before
    assert state(world, result.run) == "finished"

    back = world.roll_back(result.run)

    assert back.proof.rows_equal
    assert state(world, result.run) == "rolled_back"
    with pytest.raises(UnknownRun, match="there is nothing to take back"):
        world.roll_back(result.run)


@pytest.mark.parametrize(
    ("wanted", "restored"),
    [
        ({"tables": "d"}, {"d": 2}),
        ({"references": ("c.q",)}, {"c": 2}),
        ({"tables": "c", "keys": (("3",), ("4",))}, {"c": 2}),
        ({"keys": (("2",),)}, {"c": 1, "d": 1}),
    ],
)
def test_a_selection_alone_comes_back(
    world: World, wanted: dict[str, object], restored: dict[str, int]
) -> None:
    world.given(SHOP, *REFERENCES)
    before = world.rows()
    result = world.repair()
    if "tables" in wanted:
        wanted = wanted | {"tables": (TableName(world.schema, str(wanted["tables"])),)}

    back = world.roll_back(result.run, selection=Selection(**wanted))  # type: ignore[arg-type]

    assert {name.name: each.restored for name, each in back.rows.items()} == restored
    assert state(world, result.run) == "partly_rolled_back"
    world.roll_back(result.run)
    assert world.rows() == before


def test_the_proof_tells_when_other_rows_changed_meanwhile(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    result = world.repair()
    world.target.execute_script("INSERT INTO c VALUES (77, NULL, NULL, 'new'); CREATE TABLE e (id integer)")

    proof = world.roll_back(result.run).proof

    equal = {name.name: table.table_equal for name, table in proof.tables.items()}
    assert equal == {"c": False, "d": True}
    assert proof.rows_equal
    assert not proof.schema_equal


def test_a_column_that_came_since_keeps_its_default(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    result = world.repair()
    world.target.execute_script("ALTER TABLE c ADD COLUMN extra integer DEFAULT 5")

    back = world.roll_back(result.run)

    assert back.refusals == []
    assert world.target.rows("SELECT id, p, extra FROM c WHERE id IN (2, 3) ORDER BY id") == [
        (2, 9, 5),
        (3, 9, 5),
    ]


def test_a_column_that_went_since_stops_it(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    result = world.repair()
    world.target.execute_script("ALTER TABLE d DROP COLUMN c")

    with pytest.raises(RollbackRefused, match=r"d no longer has c.*still in"):
        world.roll_back(result.run)

    world.roll_back(result.run, selection=Selection(tables=(TableName(world.schema, "c"),)))
    assert world.value("SELECT count(*) FROM c") == 5


def test_a_system_row_stays_while_somebody_refers_to_it(world: World) -> None:
    world.given(SHOP, "c.p -> p.id | reassign", text="[system_row.p]\nid = -1\nname = 'system'\n")
    before = world.rows()
    result = world.repair()
    world.target.execute_script("INSERT INTO c VALUES (50, -1, NULL, 'mine')")

    back = world.roll_back(result.run)

    assert [each.reason for each in back.refusals] == ["1 rows of c.p refer to the row that the repair made"]
    assert world.target.rows("SELECT id FROM p ORDER BY id") == [(-1,), (1,)]
    world.target.execute_script("DELETE FROM c WHERE id = 50")
    world.roll_back(result.run)
    assert world.rows() == before


def test_an_existing_system_row_is_used_and_left_alone(world: World) -> None:
    world.given(
        SHOP + "INSERT INTO p VALUES (-1, 'older');",
        "c.p -> p.id | reassign",
        "c.q -> p.id | reassign",
        text="[system_row.p]\nid = -1\nname = 'system'\n",
    )
    before = world.rows()

    result = world.repair()
    assert world.target.rows("SELECT name FROM p WHERE id = -1") == [("older",)]
    world.roll_back(result.run)
    assert world.rows() == before


DECLARED = """
CREATE TABLE p (id integer PRIMARY KEY);
CREATE TABLE c (id integer PRIMARY KEY, p integer);
INSERT INTO p VALUES (1);
INSERT INTO c VALUES (1, 1), (2, 9), (3, 9);
"""


@pytest.mark.parametrize("how", ["NOT VALID", "NOT ENFORCED", "disabled"])
@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
def test_a_declared_key_that_rows_violate(postgres_world: World, how: str, action: str) -> None:
    world = postgres_world
    if how == "NOT ENFORCED" and world.target.server.installation.major < 18:  # type: ignore[union-attr]
        how = "NOT VALID"
    key = f"ALTER TABLE c ADD CONSTRAINT key FOREIGN KEY (p) REFERENCES p (id) ON DELETE {action}"
    world.given(DECLARED + f"{key} {'NOT VALID' if how == 'disabled' else how};")
    if how == "disabled":
        world.target.execute_script("ALTER TABLE c DISABLE TRIGGER ALL")
    before, structure = world.rows(), world.structure()

    result = world.repair()
    assert result.refusals == []
    assert world.rows() != before
    if how == "NOT VALID":
        with pytest.raises(
            RollbackRefused, match=r"c\.p is enforced by key; 2 rows would be orphans again.*--unval"
        ):
            world.roll_back(result.run)
        assert world.structure() == structure
    back = world.roll_back(result.run, unvalidate=how == "NOT VALID")

    assert world.rows() == before
    assert world.structure() == structure
    assert back.proof.schema_equal
    assert back.proof.rows_equal


def test_a_key_made_since_stands_in_the_way_and_binds_new_rows_afterwards(postgres_world: World) -> None:
    world = postgres_world.given(DECLARED + "CREATE TYPE e AS ENUM ('a');", "c.p -> p.id CASCADE")
    before = world.rows()
    result = world.repair()
    world.target.execute_script(
        "ALTER TABLE c ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE"
    )

    with pytest.raises(RollbackRefused, match=r"c\.p is enforced by fk \(migration 0002\); 2 rows"):
        world.roll_back(result.run, made_by={("c", "fk"): "0002"})
    back = world.roll_back(result.run, unvalidate=True)

    assert world.rows() == before
    assert world.target.rows(
        "SELECT convalidated, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'fk'"
    ) == [(False, "FOREIGN KEY (p) REFERENCES p(id) ON DELETE CASCADE NOT VALID")]
    assert back.proof.schema_equal


def test_keys_of_enums_and_domains(postgres_world: World) -> None:
    world = postgres_world.given(
        """
        CREATE TYPE code AS ENUM ('a', 'b', 'x');
        CREATE DOMAIN num AS integer;
        CREATE TABLE p (code code, num num, PRIMARY KEY (code, num));
        CREATE TABLE c (id integer PRIMARY KEY, code code, num num);
        CREATE TABLE d (id integer PRIMARY KEY, c integer);
        INSERT INTO p VALUES ('a', 1);
        INSERT INTO c VALUES (1, 'a', 1), (2, 'b', 1), (3, 'a', 2);
        ALTER TABLE c ADD CONSTRAINT fk FOREIGN KEY (code, num) REFERENCES p ON DELETE CASCADE NOT VALID;
        """
    )
    before = world.rows()
    for resolution in ("delete", "set_null"):
        result = world.repair(world.ask(resolution))
        with pytest.raises(RollbackRefused, match="2 rows would be orphans again"):
            world.roll_back(result.run)
        world.roll_back(result.run, unvalidate=True)
        assert world.rows() == before


def test_a_type_that_was_dropped_since(postgres_world: World) -> None:
    world = postgres_world.given(
        "CREATE TYPE mood AS ENUM ('x', 'y');" + DECLARED + "ALTER TABLE c ADD m mood DEFAULT 'x';",
        "c.p -> p.id CASCADE",
    )
    result = world.repair()
    world.target.execute_script(
        "ALTER TABLE c ALTER m DROP DEFAULT, ALTER m TYPE text USING m::text; DROP TYPE mood;"
    )

    assert world.roll_back(result.run).refusals == []
    assert world.target.rows("SELECT id, m FROM c ORDER BY id") == [(1, "x"), (2, "x"), (3, "x")]


def test_a_declared_key_that_a_sqlite_file_violates(sqlite_world: World) -> None:
    world = sqlite_world.given(
        DECLARED.replace("p integer)", "p integer REFERENCES p (id) ON DELETE CASCADE)")
        + "CREATE TABLE d (id integer PRIMARY KEY, c REFERENCES c ON DELETE SET NULL);"
        + "INSERT INTO d VALUES (1, 2);"
    )
    before = world.rows()

    result = world.repair()
    assert world.value("SELECT count(*) FROM pragma_foreign_key_check") == 0
    world.roll_back(result.run)
    assert world.rows() == before


def test_sequences_stay_where_they_are(postgres_world: World) -> None:
    world = postgres_world.given(
        DECLARED + "ALTER TABLE c ALTER id ADD GENERATED ALWAYS AS IDENTITY (START 100);"
        "INSERT INTO c (p) VALUES (9), (9);",
        "c.p -> p.id CASCADE",
    )
    before = world.rows()
    result = world.repair()
    world.roll_back(result.run)
    assert world.rows() == before
    world.target.execute_script("INSERT INTO c (p) VALUES (1)")
    assert world.value("SELECT max(id) FROM c") == 102


def test_a_vacuumed_file_takes_its_rows_back(sqlite_world: World) -> None:
    world = sqlite_world.given(
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (k TEXT PRIMARY KEY, p INTEGER, q INTEGER);"
        "INSERT INTO c VALUES ('gone', NULL, NULL), ('a', 9, NULL), ('b', NULL, 9), ('c', NULL, NULL);"
        "DELETE FROM c WHERE k = 'gone'",
        "c.p -> p.id CASCADE",
        "c.q -> p.id SET NULL",
    )
    result = world.repair()
    world.target.execute_script("VACUUM")

    assert world.roll_back(result.run).refusals == []
    assert sorted(world.target.rows("SELECT k, p, q FROM c")) == [
        ("a", 9, None),
        ("b", None, 9),
        ("c", None, None),
    ]


def test_a_repair_of_what_a_rollback_gave_back_is_a_run_of_its_own(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    before = world.rows()
    first = world.repair()
    world.roll_back(first.run)
    second = world.repair()
    world.roll_back(second.run)

    assert world.rows() == before
    assert second.run not in (None, first.run)
    kinds = [(each.kind, str(each.state), each.of) for each in list_runs(Target("target"))]
    assert kinds == [
        ("rollback", "finished", second.run),
        ("cleanup", "rolled_back", None),
        ("rollback", "finished", first.run),
        ("cleanup", "rolled_back", None),
    ]
    with pytest.raises(UnknownRun, match="There is no run 99"):
        world.roll_back(99)


def test_the_journal_alone_is_enough(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    before = world.rows()
    result = world.repair()

    back = roll_back(Target("target"), result.run or 0, catalog=Catalog())

    assert back.refusals == []
    assert world.rows() == before


def test_a_column_that_was_converted_since_stops_its_own_rows_alone(postgres_world: World) -> None:
    world = postgres_world
    world.given(
        SHOP.replace("p integer, q integer", "p text, q integer"),
        "c.q -> p.id SET NULL",
        "d.c -> c.id CASCADE",
    )
    world.target.execute_script("INSERT INTO d VALUES (4, 77)")
    result = world.repair()
    world.target.execute_script("ALTER TABLE c ALTER p TYPE uuid USING NULL")

    with pytest.raises(RollbackRefused, match="c.p has another type than when the run changed it") as refused:
        world.roll_back(result.run)

    assert refused.value.converted
    back = roll_back(
        Target("target"),
        result.run,
        catalog=Catalog(),
        selection=Selection(tables=(TableName(world.schema, "d"),)),
    )
    assert world.target.rows("SELECT id FROM d WHERE id = 4") == [(4,)]
    assert back.proof.partial
