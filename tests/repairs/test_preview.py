"""What a rollback would meet is seen before it: conflicts side by side, lost parents, keys in the way."""

from typing import Any

import pytest

from integrity.database.identifiers import TableName
from integrity.database.session import Target
from integrity.exceptions import InvalidPlace, UnknownRun
from integrity.repairs import Selection
from integrity.repairs.preview import RollbackPreview, preview_rollback, rows_left
from integrity.repairs.quarantine import QuarantineSearch, quarantined, selection_in
from integrity.repairs.values import Value
from tests.repairs.test_quarantine import REFERENCES, SHOP
from tests.repairs.world import World

pytestmark = pytest.mark.newest_postgres_only

TARGET = "target"


def look(world: World, run: int | None, **wishes: Any) -> RollbackPreview:
    return preview_rollback(Target(TARGET), run or 0, catalog=world.catalog, **wishes)


def coming(preview: RollbackPreview) -> dict[str, tuple[int | None, int | None, int | None]]:
    return {each.table.name: (each.deleted, each.changed, each.refused) for each in preview.coming}


def chosen(world: World, run: int | None, table: str, key: str) -> Selection:
    """The selection of one row of the quarantine."""
    found = quarantined(Target(TARGET), QuarantineSearch(table=table, key=(key,)))
    place = found.shelves[0].rows[0].place
    return selection_in(Target(TARGET), run or 0, choices=[(place.journal, place.seq)])


def test_a_rollback_without_conflicts_says_what_comes_back(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    run = world.repair().run

    preview = look(world, run)

    assert coming(preview) == {"c": (2, 2, 0), "d": (2, 0, 0)}
    assert (preview.conflicts, preview.in_the_way, preview.unanswered) == ([], [], [])
    assert {(each.reference.label, each.before, each.lost) for each in preview.parentless} == {
        ("c.p", 2, 0),
        ("c.q", 2, 0),
    }
    assert rows_left(Target(TARGET), run or 0, Selection()) == preview.rows == 6


def test_every_kind_of_conflict_is_shown_beside_what_stands_there(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    run = world.repair().run
    world.target.execute_script(
        "INSERT INTO c VALUES (2, NULL, NULL, 'mine'); UPDATE c SET note = 'changed' WHERE id = 4;"
        "DELETE FROM c WHERE id = 5; INSERT INTO c VALUES (30, NULL, NULL, 'c');"
    )

    preview = look(world, run)
    back = world.roll_back(run)

    found = {(each.before["id"].text, str(each.kind)): each for each in preview.conflicts}
    assert set(found) == {("2", "made_again"), ("3", "unique_taken"), ("4", "changed"), ("5", "gone")}
    again, changed = found["2", "made_again"], found["4", "changed"]
    assert again.differing == ("p", "q", "note")
    assert (again.before["note"], again.live["note"]) == (Value("Bee"), Value("mine"))
    assert found["3", "unique_taken"].columns == ("note",)
    assert found["3", "unique_taken"].live["id"] == Value("30")
    assert changed.differing == ("note",)
    assert (changed.before["q"], changed.left["q"], changed.live["note"]) == (
        Value("8"),
        Value(null=True),
        Value("changed"),
    )
    assert preview.refused == back.refused == 4


def test_rows_that_were_made_again_exactly_differ_in_nothing(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    run = world.repair().run
    world.target.execute_script("INSERT INTO d VALUES (2, 2)")
    (conflict,) = look(world, run).conflicts
    assert conflict.differing == ()


def test_a_foreign_key_in_the_way_is_named_before(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    run = world.repair().run
    if world.sqlite:
        world.target.execute_script(
            "ALTER TABLE c RENAME TO old; CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p, "
            "q integer, note text UNIQUE); INSERT INTO c SELECT * FROM old; DROP TABLE old"
        )
    else:
        world.target.execute_script("ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p")
    (found,) = look(world, run).in_the_way
    assert found.rows == 2
    assert look(world, run, selection=Selection(tables=(TableName(world.schema, "d"),))).in_the_way == []


def test_what_belongs_to_chosen_rows_is_offered_and_comes_back_with_them(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    before, run = world.rows(), world.repair().run
    order = chosen(world, run, "c", "2")

    alone = look(world, run, selection=order)
    together = look(world, run, selection=order, with_relatives=True)

    assert coming(alone) == {"c": (1, 0, 0)}
    assert [(reference.label, rows) for reference, rows in alone.relatives] == [("d.c", 1)]
    assert coming(together) == {"c": (1, 0, 0), "d": (1, 0, 0)}
    assert together.relatives == []
    line = look(world, run, selection=chosen(world, run, "d", "2"))
    assert [(each.reference.label, each.quarantined) for each in line.parentless] == [("d.c", 1)]
    world.roll_back(run, selection=together.selection)
    assert world.rows()[next(name for name in before if name.endswith("d"))] != {}
    assert world.value("SELECT count(*) FROM d WHERE id = 2") == 1
    world.roll_back(run)
    assert world.rows() == before


def test_a_parent_that_went_since_is_told_apart_from_one_that_never_was(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    run = world.repair().run
    world.target.execute_script("DELETE FROM c WHERE id = 1; DELETE FROM d WHERE c = 1; DELETE FROM p")
    found = {each.reference.label: (each.before, each.lost) for each in look(world, run).parentless}
    assert found["c.p"] == (2, 2)
    assert found["c.q"] == (2, 2)


def test_a_masked_column_stays_masked_in_a_conflict(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    run = world.repair().run
    world.target.execute_script("INSERT INTO c VALUES (2, NULL, NULL, 'mine')")
    (conflict,) = look(world, run, is_masked=lambda _, name: name == "note").conflicts
    assert conflict.before["note"].masked
    assert conflict.live["note"].masked
    assert "note" in conflict.differing


def test_a_table_that_is_gone_makes_it_impossible_and_says_so(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    run = world.repair().run
    world.target.execute_script("DROP TABLE d")
    preview = look(world, run)
    assert preview.impossible is not None
    assert "d is gone" in str(preview.impossible)
    assert look(world, run, selection=chosen(world, run, "c", "2")).impossible is None


def test_rows_without_a_key_are_compared_whole(world: World) -> None:
    world.given(
        "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE k (p integer, note text);"
        "INSERT INTO k VALUES (7, 'a'), (7, 'a'), (7, 'b')",
        "k.p -> p.id SET NULL",
    )
    run = world.repair().run
    world.target.execute_script("UPDATE k SET note = 'c' WHERE note = 'b'")
    preview = look(world, run)
    assert [(str(each.kind), each.before["note"].text) for each in preview.conflicts] == [("gone", "b")]


def test_what_does_not_belong_to_the_run_cannot_be_chosen(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    run = world.repair().run or 0
    for wrong in ({"choices": [("run9_c", 1)]}, {"choices": [("runs", 1)]}, {"table": "nothing"}):
        with pytest.raises(InvalidPlace):
            selection_in(Target(TARGET), run, **wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidPlace):
        selection_in(Target(TARGET), run + 1)
    with pytest.raises(UnknownRun):
        look(world, run + 1)
