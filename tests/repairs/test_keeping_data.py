"""Resolutions that keep data: orphans are relinked, or what they refer to is made again."""

from pathlib import Path

import pytest

from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.exceptions import MappingRefused, PlanRefused, RollbackRefused, TooManyRows
from integrity.plans import Request, read_mapping
from integrity.plans.plan import Plan
from integrity.plans.script import scripts, statements
from integrity.references.reference import Resolution
from tests.repairs.world import World, there_and_back

pytestmark = pytest.mark.newest_postgres_only

A, B, C = (
    "aaaaaaaa-0000-4000-8000-000000000001",
    "bbbbbbbb-0000-4000-8000-000000000002",
    "cccccccc-0000-4000-8000-000000000003",
)
GONE = "dddddddd-0000-4000-8000-000000000004"


def shop(world: World) -> World:
    """Profiles with UUID keys, and leads that spell them in every way."""
    uuid = "text" if world.sqlite else "uuid"
    return world.given(
        f"""
        CREATE TABLE profiles (id {uuid} PRIMARY KEY, name text);
        CREATE TABLE leads (id integer PRIMARY KEY, user_id text, note text);
        INSERT INTO profiles VALUES ('{A}', 'a'), ('{B}', 'b'), ('{C}', 'c');
        INSERT INTO leads VALUES (1, '{A}', 'fine'), (2, '{A.upper()}', 'case'), (3, '{{{B}}}', 'braces'),
          (4, '{B.replace("-", "")}', 'no hyphens'), (5, '  {C} ', 'padding'), (6, NULL, 'nobody'),
          (7, '{GONE}', 'gone'), (8, '{GONE}', 'gone'), (9, 'urn:uuid:{A}', '100% urn');
        """,
        "leads.user_id -> profiles.id",
        text="[restore.profiles]\nname = 'Restored {key}'\n",
    )


def relink(world: World, text: str | None = None, reference: str = "leads.user_id", **more: object) -> Plan:
    mapping = None
    if text is not None:
        file = Path(str(world.catalog.file)).parent / "map.csv"
        file.write_text(text, encoding="utf-8")
        mapping = read_mapping(file)
    request = Request(parse_path(reference), Resolution.RELINK, mapping=mapping, **more)  # type: ignore[arg-type]
    return world.plan(request)


def user_ids(world: World) -> dict[int, str]:
    return dict(world.target.rows("SELECT id, user_id FROM leads"))


def test_spellings_are_relinked_to_the_key_that_they_mean(world: World) -> None:
    plan = relink(shop(world))

    (step,) = plan.steps
    assert (step.orphans, step.rows, step.missing_keys) == (7, 5, 5)
    assert "2 orphans of leads.user_id stay as they are" in plan.notes[0]
    result = world.repair(plan)
    assert user_ids(world) == {1: A, 2: A, 3: B, 4: B, 5: C, 6: None, 7: GONE, 8: GONE, 9: A}
    assert result.as_json()["rows"][f"{world.schema}.leads"]["updated"] == 5


def test_relinking_is_taken_back_exactly(world: World) -> None:
    there_and_back(shop(world), relink(world))


def test_a_form_that_fits_two_parents_is_refused_with_both_named(world: World) -> None:
    world.given(
        """
        CREATE TABLE p (code text PRIMARY KEY);
        CREATE TABLE c (id integer PRIMARY KEY, p text);
        INSERT INTO p VALUES ('abc'), ('ABC'), ('x'), ('12');
        INSERT INTO c VALUES (1, ' Abc'), (2, ' X'), (3, '0012');
        """,
        "c.p -> p.code",
    )

    plan = relink(world, reference="c.p")

    assert [each.mapping for each in plan.steps] == [(((" X",), ("x",)),)]
    assert any("fits two rows of p" in note and "abc" in note and "ABC" in note for note in plan.notes)
    with pytest.raises(PlanRefused, match="fits two rows"):
        relink(world, reference="c.p", keys=((" Abc",),))
    there_and_back(world, plan)


def test_a_mapping_says_what_normal_forms_cannot(world: World) -> None:
    shop(world)
    before = world.rows()

    plan = relink(world, f"old,new\n{GONE},{C}\n")
    result = world.repair(plan)

    assert user_ids(world)[7] == user_ids(world)[8] == C
    assert user_ids(world)[2] == A.upper()
    assert world.roll_back(result.run).proof.rows_equal
    assert world.rows() == before


def test_every_mistake_of_a_mapping_is_told_with_its_line(world: World) -> None:
    shop(world)
    before = world.rows()
    text = f"old,new\n{GONE},{C}\n\nnobody,{A}\n{A.upper()},{GONE}\n{GONE},{B}\nonly\n,{A}\n"

    with pytest.raises(MappingRefused) as refused:
        relink(world, text)

    lines = [each.split(":")[0] for each in refused.value.mistakes]
    assert lines == ["line 4", "line 5", "line 6", "line 7", "line 8"]
    said = " ".join(refused.value.mistakes)
    assert "nobody is not a missing key" in said
    assert f"has no row {GONE}" in said
    assert "mapped in line 2 already" in said
    assert "1 values, where the header has 2" in said
    assert "old is empty" in said
    assert world.rows() == before


@pytest.mark.parametrize("text", ["", "old,new\n", "old;new\na;b\n", 'old,new\n"a,b\n'])
def test_a_file_that_is_no_mapping_is_refused(world: World, text: str) -> None:
    with pytest.raises(MappingRefused, match=r"line|header"):
        relink(shop(world), text)


def test_the_hash_covers_the_mapping(world: World) -> None:
    shop(world)
    one, other = relink(world, f"old,new\n{GONE},{A}\n"), relink(world, f"old,new\n{GONE},{B}\n")

    assert one.hash != other.hash
    assert Plan.from_json(one.as_json()).hash == one.hash


COMPOSITE = """
CREATE TABLE lines (order_id integer, line_no text, PRIMARY KEY (order_id, line_no));
CREATE TABLE notes (id integer PRIMARY KEY, order_id integer, line_no text);
INSERT INTO lines VALUES (1, 'a'), (1, 'b'), (2, 'a');
INSERT INTO notes VALUES (1, 1, 'a'), (2, 1, ' A'), (3, 9, 'a'), (4, 9, NULL), (5, NULL, 'z'), (6, 2, 'A ');
"""


def test_composite_keys_are_relinked_by_form_and_by_mapping(world: World) -> None:
    world.given(COMPOSITE, "notes.order_id,line_no -> lines.order_id,line_no")

    there_and_back(world, relink(world, reference="notes.order_id,line_no"))
    header = "old_order_id,old_line_no,new_order_id,new_line_no"
    plan = relink(world, f"{header}\n9,a,1,b\n", reference="notes.order_id,line_no")
    result = world.repair(plan)

    assert world.target.rows("SELECT order_id, line_no FROM notes ORDER BY id") == [
        (1, "a"),
        (1, " A"),
        (1, "b"),
        (9, None),
        (None, "z"),
        (2, "A "),
    ]
    assert world.roll_back(result.run).proof.rows_equal


def test_a_unique_that_relinking_would_break_is_seen_before(world: World) -> None:
    shop(world)
    world.target.execute_script(
        "DELETE FROM leads WHERE id = 8; CREATE UNIQUE INDEX once ON leads (user_id);"
    )

    with pytest.raises(PlanRefused, match=r"would break once \(user_id\): 5 rows would be alike"):
        relink(world)


def test_relinking_under_a_key_that_binds_new_rows_only(postgres_world: World) -> None:
    world = postgres_world
    world.given(
        """
        CREATE TABLE p (id text PRIMARY KEY);
        CREATE TABLE c (id integer PRIMARY KEY, p text);
        INSERT INTO p VALUES ('a'); INSERT INTO c VALUES (1, 'A'), (2, 'a');
        ALTER TABLE c ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p NOT VALID;
        """,
        "c.p -> p.id",
    )
    before = world.rows()
    result = world.repair(relink(world, reference="c.p"))
    with pytest.raises(RollbackRefused, match="enforced by fk"):
        world.roll_back(result.run)

    back = world.roll_back(result.run, unvalidate=True)

    assert world.rows() == before
    assert back.proof.rows_equal


def restore(world: World, reference: str = "leads.user_id", **more: object) -> Plan:
    return world.plan(Request(parse_path(reference), Resolution.RESTORE_PARENT, **more))  # type: ignore[arg-type]


def test_a_missing_parent_is_made_again_for_each_missing_key(world: World) -> None:
    shop(world)
    plan = restore(world, keys=((GONE,),))

    result = world.repair(plan)

    assert world.value(f"SELECT name FROM profiles WHERE id = '{GONE}'") == f"Restored {GONE}"
    assert result.as_json()["rows"] == {
        f"{world.schema}.profiles": {"deleted": 0, "updated": 0, "restored": 0, "inserted": 1, "refused": 0}
    }
    assert user_ids(world)[7] == GONE


def test_restored_parents_are_taken_back_exactly(world: World) -> None:
    shop(world)
    there_and_back(world, restore(world, keys=((GONE,),)))


def test_a_key_that_cannot_be_the_parents_is_refused_alone(postgres_world: World) -> None:
    """Written as a UUID, an upper-case text becomes another one: its rows would stay orphans."""
    shop(postgres_world)
    before = postgres_world.rows()
    postgres_world.target.execute_script("UPDATE leads SET user_id = 'no uuid' WHERE id = 8")
    changed = postgres_world.rows()

    result = postgres_world.repair(restore(postgres_world))

    assert result.rows
    assert {each.key["id"] for each in result.refusals} >= {"no uuid", A.upper()}
    assert postgres_world.value(f"SELECT count(*) FROM profiles WHERE id = '{GONE}'") == 1
    postgres_world.roll_back(result.run)
    assert postgres_world.rows() == changed != before


def test_a_restored_parent_stays_while_something_newer_refers_to_it(world: World) -> None:
    shop(world)
    result = world.repair(restore(world, keys=((GONE,),)))
    world.target.execute_script(f"INSERT INTO leads VALUES (99, '{GONE}', 'new')")

    back = world.roll_back(result.run)

    assert "1 rows of leads.user_id refer" in back.refusals[0].reason
    assert world.value(f"SELECT count(*) FROM profiles WHERE id = '{GONE}'") == 1
    world.target.execute_script("DELETE FROM leads WHERE id = 99")
    assert world.roll_back(result.run).refusals == []
    assert world.value(f"SELECT count(*) FROM profiles WHERE id = '{GONE}'") == 0


def test_more_missing_keys_than_approved_stop_it_before_the_first_change(world: World) -> None:
    shop(world)
    world.target.execute_script("DELETE FROM leads WHERE id NOT IN (1, 7, 8)")
    plan = restore(world)
    world.target.execute_script(
        f"DELETE FROM leads WHERE id = 8; INSERT INTO leads VALUES (90, '{GONE[:-1]}9', '')"
    )
    before = world.rows()

    with pytest.raises(TooManyRows, match="misses 2 keys"):
        world.repair(plan)
    assert world.rows() == before


CHAIN = """
CREATE TABLE {users} (id integer PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE profiles (id integer PRIMARY KEY REFERENCES {users} (id), full_name text NOT NULL,
  restored_by text, plan text NOT NULL DEFAULT 'free');
CREATE TABLE orders (id integer PRIMARY KEY, user_id integer);
CREATE TABLE leads (id integer PRIMARY KEY, user_id integer);
INSERT INTO {users} VALUES (1, 'one'), (5, 'five');
INSERT INTO profiles VALUES (1, 'One', NULL, 'free');
INSERT INTO orders VALUES (1, 1), (2, 5), (3, 7), (4, 7), (5, NULL);
INSERT INTO leads VALUES (1, 7), (2, 8);
"""
TEMPLATES = """
[restore.profiles]
id = "{key}"
full_name = "Restored {key}"
restored_by = "integrity"
"""


def accounts(world: World, templates: str, references: tuple[str, ...] = ()) -> World:
    schema = "" if world.sqlite else "CREATE SCHEMA auth;"
    users = "users" if world.sqlite else "auth.users"
    text = templates.replace("auth.users", users)
    return world.given(
        schema + CHAIN.format(users=users),
        "orders.user_id -> profiles.id RESTRICT",
        "leads.user_id -> profiles.id CASCADE",
        *references,
        text=text,
    )


def test_what_a_restored_parent_refers_to_is_restored_before_it(world: World) -> None:
    accounts(world, TEMPLATES + "\n[restore.auth.users]\nemail = '{key}@restored.invalid'\n")
    plan = restore(world, "orders.user_id")

    assert [(each.table.name, each.rows) for each in plan.steps[0].restorations] == [
        ("users", 1),
        ("profiles", 2),
    ]
    there_and_back(world, plan)
    there_and_back(world, world.plan(Request(None, Resolution.RESTORE_PARENT)))


def test_a_parent_that_would_be_an_orphan_itself_is_refused(world: World) -> None:
    accounts(world, TEMPLATES)

    with pytest.raises(PlanRefused, match=r"1 restored rows of profiles would be orphans of .*users"):
        restore(world, "orders.user_id")


def test_a_column_that_needs_a_value_must_have_one_in_the_template(world: World) -> None:
    accounts(world, "[restore.profiles]\nrestored_by = 'x'\n[restore.auth.users]\nemail = '{key}'\n")

    with pytest.raises(PlanRefused, match="cannot be made without full_name"):
        restore(world, "orders.user_id")


def test_restored_rows_that_would_be_alike_are_refused(world: World) -> None:
    accounts(world, TEMPLATES + "\n[restore.auth.users]\nemail = 'one'\n")

    with pytest.raises(PlanRefused, match=r"\(email\): 1 would be alike"):
        restore(world, "orders.user_id")


def test_no_table_is_restored_that_the_catalog_does_not_describe(world: World) -> None:
    accounts(world, "")

    with pytest.raises(PlanRefused, match="no template for profiles"):
        restore(world, "orders.user_id")


def test_a_restored_parent_under_an_enforced_key_needs_unvalidating(postgres_world: World) -> None:
    world = postgres_world
    accounts(world, TEMPLATES + "\n[restore.auth.users]\nemail = '{key}'\n")
    before = world.rows()
    result = world.repair(restore(world, "leads.user_id"))
    world.target.execute_script(
        "ALTER TABLE leads ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES profiles ON DELETE CASCADE"
    )

    with pytest.raises(RollbackRefused, match="2 rows would be orphans again"):
        world.roll_back(result.run)
    back = world.roll_back(result.run, unvalidate=True)

    assert back.refusals == []
    assert world.rows() == before


def test_a_trigger_that_makes_the_next_row_itself_is_taken_back_too(postgres_world: World) -> None:
    world = postgres_world
    accounts(world, TEMPLATES + "\n[restore.auth.users]\nemail = '{key}'\n")
    world.target.execute_script(
        """
        CREATE FUNCTION made() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO profiles VALUES (NEW.id, 'by trigger'); RETURN NEW; END $$;
        CREATE TRIGGER handle_new_user AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION made();
        """
    )
    plan = restore(world, "leads.user_id")

    assert plan.steps[0].restorations[0].triggers == ("handle_new_user",)
    there_and_back(world, plan)


def test_a_system_row_that_needs_another_one_makes_that_first(world: World) -> None:
    accounts(
        world,
        "[system_row.profiles]\nid = -1\nfull_name = 'system'\n"
        "[system_row.auth.users]\nid = -1\nemail = 'system'\n",
    )
    plan = world.ask("reassign", "orders.user_id")

    there_and_back(world, plan)


def test_a_system_row_whose_own_reference_nothing_satisfies_is_refused(world: World) -> None:
    accounts(world, "[system_row.profiles]\nid = -1\nfull_name = 'system'\n")

    with pytest.raises(PlanRefused, match="system row of profiles would be an orphan"):
        world.ask("reassign", "orders.user_id")


def test_missing_keys_of_one_reference_are_resolved_in_different_ways(world: World) -> None:
    shop(world)
    path = parse_path("leads.user_id")
    plan = world.plan(
        Request(path, Resolution.RELINK),
        Request(path, Resolution.DELETE, keys=((GONE,),)),
        Request(path, Resolution.REASSIGN, to=(C,), keys=((A.upper(),),)),
    )

    assert [(str(step.resolution), step.rows) for step in plan.steps] == [
        ("delete", 2),
        ("relink", 4),
        ("reassign", 1),
    ]
    assert Plan.from_json(plan.as_json()).hash == plan.hash
    there_and_back(world, plan)
    world.repair(world.plan(*[Request(path, Resolution.DELETE, keys=((GONE,),))]))
    assert user_ids(world)[2] == A.upper()
    assert 7 not in user_ids(world)


def test_a_key_that_is_not_missing_is_no_key_to_decide_about(world: World) -> None:
    shop(world)

    with pytest.raises(PlanRefused, match=f"No missing key of leads.user_id: {A}"):
        world.plan(Request(parse_path("leads.user_id"), Resolution.DELETE, keys=((A,),)))
    with pytest.raises(PlanRefused, match="belong to one reference"):
        world.plan(Request(None, Resolution.DELETE, keys=((GONE,),)))


def test_scripts_refuse_what_they_cannot_do_and_statements_show_it(world: World) -> None:
    shop(world)
    plan = relink(world)
    with Target(world.target.alias).reading() as session:
        schema = session.schema()

    with pytest.raises(PlanRefused, match="A script cannot carry out relink"):
        scripts(plan, schema, [])
    assert any(A.upper() in line and line.startswith("UPDATE") for line in statements(plan))
    assert any(line.startswith("INSERT") for line in statements(restore(world, keys=((GONE,),))))
