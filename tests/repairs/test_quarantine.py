"""The quarantine is read page by page from the journal alone, whatever stands in it."""

from collections.abc import Iterator

import pytest

from integrity.database.identifiers import TableName
from integrity.database.session import Target
from integrity.exceptions import InvalidPlace
from integrity.repairs import Selection
from integrity.repairs.preview import preview_rollback
from integrity.repairs.quarantine import Place, QuarantinePage, QuarantineSearch, What, quarantined
from integrity.repairs.values import Value
from tests.repairs.world import World

pytestmark = pytest.mark.newest_postgres_only

SHOP = """
CREATE TABLE p (id integer PRIMARY KEY, name text);
CREATE TABLE c (id integer PRIMARY KEY, p integer, q integer, note text UNIQUE);
CREATE TABLE d (id integer PRIMARY KEY, c integer);
INSERT INTO p VALUES (1, 'one');
INSERT INTO c VALUES (1, 1, 1, 'a'), (2, 9, 1, 'Bee'), (3, 9, 1, 'c'), (4, 1, 8, 'd'), (5, 1, 8, 'e');
INSERT INTO d VALUES (1, 1), (2, 2), (3, 3);
"""
REFERENCES = ("c.p -> p.id CASCADE", "c.q -> p.id SET NULL", "d.c -> c.id CASCADE")

ODD = """
CREATE TABLE "od%d ""t" ("a.b" integer, "%s" text, "select" {bytes}, p integer, PRIMARY KEY ("a.b", "%s"));
CREATE TABLE p (id integer PRIMARY KEY);
CREATE TABLE k (p integer, note text);
INSERT INTO "od%d ""t" VALUES (1, 'x', {blob}, 7), (1, 'y%', NULL, 7), (2, 'x', {blob}, NULL);
INSERT INTO k VALUES (7, 'twin'), (7, 'twin'), (7, NULL);
"""


def shown(page: QuarantinePage) -> list[tuple[str, str]]:
    """(table, texts of its values) of each row."""
    return [
        (shelf.table.name, " ".join("·" if v.null else v.text for v in row.values.values()))
        for shelf in page.shelves
        for row in shelf.rows
    ]


def pages(search: QuarantineSearch, limit: int) -> Iterator[QuarantinePage]:
    """Every page, forward."""
    page = quarantined(Target("target"), search, limit=limit)
    yield page
    while page.next:
        page = quarantined(Target("target"), search, after=page.next, limit=limit)
        yield page


def test_what_was_taken_out_is_read_forward_and_back(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    assert quarantined(Target("target"), QuarantineSearch()) == QuarantinePage()
    world.repair()
    everything = [row for page in pages(QuarantineSearch(), 50) for row in shown(page)]
    assert sorted(everything) == [("c", "2 9 1 Bee"), ("c", "3 9 1 c"), ("d", "2 2"), ("d", "3 3")]

    forward = list(pages(QuarantineSearch(), 1))

    assert [row for page in forward for row in shown(page)] == everything
    back, page = [], forward[-1]
    while page.previous:
        page = quarantined(Target("target"), QuarantineSearch(), before=page.previous, limit=1)
        back += shown(page)
    assert back == everything[-2::-1]


def test_a_search_through_many_tables_goes_on_on_the_next_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.given(SHOP, *REFERENCES)
    world.repair()
    monkeypatch.setattr("integrity.repairs.quarantine.TABLES_AT_ONCE", 1)
    search = QuarantineSearch(reference="d.c")
    first, second = pages(search, 50)
    assert (first.rows, first.unfinished) == (0, True)
    assert (second.rows, second.unfinished) == (2, False)
    assert second.previous is not None
    back = quarantined(Target("target"), search, before=second.previous)
    assert (back.rows, back.unfinished) == (0, True)
    assert back.previous is not None
    back = quarantined(Target("target"), search, before=back.previous)
    assert (back.rows, back.previous) == (0, None)


SEARCHES = [
    (QuarantineSearch(reference="d.c"), ["2 2", "3 3"]),
    (QuarantineSearch(text="bEE"), ["2 9 1 Bee"]),
    (QuarantineSearch(text="%"), []),
    (QuarantineSearch(text="' OR 1=1 --"), []),
    (QuarantineSearch(key=("3",)), ["3 9 1 c", "3 3"]),
    (QuarantineSearch(key=("3", "3")), []),
    (QuarantineSearch(run=7), []),
    (QuarantineSearch(what=What.CHANGED), ["4 1 8 d", "5 1 8 e"]),
]


def test_a_search_finds_what_it_says(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    world.repair()
    for search, found in SEARCHES:
        assert [text for _, text in shown(quarantined(Target("target"), search))] == found, search


def test_a_table_is_told_with_its_schema_or_without(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    world.repair()
    for name in (f"{world.schema}.d", "d"):
        search = QuarantineSearch(table=name)
        assert [table for table, _ in shown(quarantined(Target("target"), search))] == ["d", "d"]


def test_a_changed_row_says_what_became_of_it(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    world.repair()
    (shelf,) = quarantined(Target("target"), QuarantineSearch(what=What.CHANGED)).shelves
    assert shelf.rows[0].changed == ("q",)
    assert (shelf.rows[0].values["q"], shelf.rows[0].after["q"]) == (Value("8"), Value(null=True))


def test_what_came_back_is_no_longer_there(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    before, run = world.rows(), world.repair().run
    (first, *_), *_ = [shelf.rows for shelf in quarantined(Target("target"), QuarantineSearch()).shelves]
    table = TableName(world.schema, "c")

    world.roll_back(run, selection=Selection.from_json(Selection(rows=((table, first.place.seq),)).as_json()))

    assert ("c", "2 9 1 Bee") not in shown(quarantined(Target("target"), QuarantineSearch()))
    everything = quarantined(Target("target"), QuarantineSearch(run=run, what=What.EVERYTHING))
    assert [row.taken_back is not None for s in everything.shelves for row in s.rows].count(True) == 1
    world.roll_back(run)
    assert world.rows() == before
    assert not quarantined(Target("target"), QuarantineSearch()).shelves


def test_odd_names_composite_keys_binary_values_and_rows_without_a_key(world: World) -> None:
    kinds = (
        {"bytes": "blob", "blob": "x'00ff10'"} if world.sqlite else {"bytes": "bytea", "blob": "'\\x00ff10'"}
    )
    script = ODD
    for name, text in kinds.items():
        script = script.replace(f"{{{name}}}", text)
    world.given(script, '"od%d ""t".p -> p.id CASCADE', "k.p -> p.id CASCADE")
    before, run = world.rows(), world.repair().run

    found = {s.table.name: s for s in quarantined(Target("target"), QuarantineSearch()).shelves}

    assert found['od%d "t'].key == ("a.b", "%s")
    assert found['od%d "t'].rows[0].values["select"] == Value(size=3)
    assert len(found["k"].rows) == 3
    assert found["k"].key == ()
    search = QuarantineSearch(key=("1", "y%"))
    assert [text for _, text in shown(quarantined(Target("target"), search))] == ["1 y% · 7"]
    assert quarantined(Target("target"), QuarantineSearch(text="y%")).rows == 1
    twin = found["k"].rows[0].place.seq
    world.roll_back(run, selection=Selection(rows=((TableName(world.schema, "k"), twin),)))
    assert world.value("SELECT count(*) FROM k WHERE note = 'twin'") == 1
    world.roll_back(run)
    assert world.rows() == before


def test_a_masked_column_is_neither_shown_nor_searched(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    world.repair()
    masked = quarantined(Target("target"), QuarantineSearch(), is_masked=lambda _, name: name == "note")
    assert all(row.values["note"].masked for s in masked.shelves for row in s.rows if "note" in row.values)
    hidden = QuarantineSearch(text="Bee")
    assert not quarantined(Target("target"), hidden, is_masked=lambda _, name: name == "note").shelves


def test_text_that_is_no_text_can_be_sent_on(sqlite_world: World) -> None:
    sqlite_world.given(
        "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (id integer PRIMARY KEY, p integer, t text);"
        "INSERT INTO c VALUES (1, 9, CAST(x'fffe41' AS text)), (2, 9, printf('%.1000c', 'z'));",
        "c.p -> p.id CASCADE",
    )
    sqlite_world.repair()
    (shelf,) = quarantined(Target("target"), QuarantineSearch()).shelves
    first, second = (row.values["t"] for row in shelf.rows)
    assert first.text.encode().endswith(b"A")
    assert second.cut
    assert len(second.text) == 300


@pytest.mark.parametrize(
    "text",
    ["", "x", "WzFd", "W10", "WyIxIiwiYSIsMV0", "WzEsImEiLC0xXQ", "WzEsIlx1MDAwMCIsMV0", "é" * 9, "[" * 999],
)
def test_a_forged_place_is_refused(text: str) -> None:
    with pytest.raises(InvalidPlace):
        Place.parse(text)


def test_a_place_survives_its_address() -> None:
    place = Place(3, 'run3_od%d "t', 2**62)
    assert Place.parse(str(place)) == place


def test_a_table_of_the_journal_that_is_gone_hides_no_other(world: World) -> None:
    world.given(SHOP, *REFERENCES)
    run = world.repair().run
    (shelf,) = quarantined(Target("target"), QuarantineSearch(table="d")).shelves
    journal = shelf.rows[0].place.journal
    prefix = "integrity_journal_" if world.sqlite else "integrity_journal."
    world.target.execute_script(f"DROP TABLE {prefix}{journal}")
    assert {each.table.name for each in quarantined(Target("target"), QuarantineSearch()).shelves} == {"c"}
    preview = preview_rollback(Target("target"), run or 0, catalog=world.catalog)
    assert preview.unanswered


def test_a_very_wide_row_is_read_as_far_as_it_can_be(world: World) -> None:
    columns = ", ".join(f"c{n} integer" for n in range(450))
    world.given(
        f"CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE w (id integer PRIMARY KEY, p integer, {columns});"
        "INSERT INTO w (id, p, c449) VALUES (1, 9, 5), (2, 9, 6)",
        "w.p -> p.id SET NULL",
    )
    run = world.repair().run
    world.target.execute_script("UPDATE w SET c1 = 1 WHERE id = 1")
    (shelf,) = quarantined(Target("target"), QuarantineSearch(what=What.CHANGED)).shelves
    assert shelf.rows[0].changed == ("p",)
    (conflict,) = preview_rollback(Target("target"), run or 0, catalog=world.catalog).conflicts
    assert conflict.differing == ("c1",)
