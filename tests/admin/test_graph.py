"""The relation graph says how each reference stands, whatever tables are called and however many there are."""

from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree as ET

import pytest

from integrity.admin.overview import relations
from integrity.admin.overview.relations import Hold, Relation, tables_of, to_draw
from integrity.admin.pictures import graph as graphs
from integrity.admin.pictures.graph import Edge, Node, graph
from integrity.database.identifiers import TableName
from integrity.store.reference_maps import KnownReference

ODD = ['"quoted"', "<script>alert(1)</script>", "a\\nb\\G", "with space", "tábla 表", "<b>html</b>", "#!%s{}"]


def related(start: int, end: int, hold: Hold = Hold.ENFORCED, rows: int = 0) -> Relation:
    here, there = (TableName("main", f"t{number:03}") for number in (start, end))
    return Relation(KnownReference(here, ("a", "b"), there, ("a", "b")), hold, rows)


def test_odd_names_are_written_as_they_are() -> None:
    nodes = [Node((name,), name, "broken", f"/?q={name}") for name in ODD]
    edges = [Edge(place, 0, f"{name} → x", "broken", f"✕ {name}", "/e") for place, name in enumerate(ODD)]
    svg = graph(nodes, edges, title='How "they" hang', description="d")
    root = ET.fromstring(svg)
    assert "<script" not in svg
    assert "style=" not in svg
    written = {each.text for each in root.iter("text")}
    assert {*ODD, *(f"✕ {name}" for name in ODD)} <= written
    assert [each.get("aria-label") for each in root.iter("a")][len(ODD) :] == ODD
    assert {each.get("href") for each in root.iter("a")} == {"/e", *(f"/?q={name}" for name in ODD)}


def test_cycles_self_references_and_two_references_between_the_same_tables_are_all_drawn() -> None:
    nodes = [Node(("a", "1 orphan"), "a"), Node(("b",), "b")]
    ends = [(0, 1), (1, 0), (0, 0), (0, 1)]
    root = ET.fromstring(
        graph(nodes, [Edge(*each, "x", "enforced") for each in ends], title="t", description="d")
    )
    assert len([each for each in root.iter("path") if each.get("class") == "integrity-course"]) == 4
    assert not list(root.iter("a")), "who may not look is led nowhere"


def test_threads_do_not_disturb_each_other() -> None:
    def drawn(number: int) -> int:
        nodes = [Node((f"t{place}" * (number + 1),), "") for place in range(12)]
        edges = [Edge(place, (place * 7 + number) % 12, "", "enforced") for place in range(12)]
        return len(list(ET.fromstring(graph(nodes, edges, title="t", description="d")).iter("rect")))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(drawn, range(24))) == [12] * 24


def test_there_is_no_picture_of_nothing_nor_without_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    assert graph([], [], title="t", description="d") == ""
    monkeypatch.setattr(graphs, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    assert graph([Node(("a",), "a")], [], title="t", description="d") == ""


def test_of_many_tables_those_in_trouble_and_their_neighbours_are_drawn() -> None:
    chain = [related(number, number + 1) for number in range(300)]
    broken = [related(150, 151, Hold.BROKEN, 9)]
    drawn, whole = to_draw([*broken, *chain])
    assert not whole
    assert {each.name for each in tables_of(drawn)} == {"t149", "t150", "t151", "t152"}


def test_a_picture_never_has_more_than_can_be_laid_out() -> None:
    dense = [related(a, b, Hold.BROKEN, a) for a in range(90) for b in range(90)]
    drawn, whole = to_draw(dense)
    assert not whole
    assert len(drawn) <= relations.MOST_REFERENCES
    assert len(tables_of(drawn)) <= relations.MOST_TABLES
    assert to_draw([]) == ([], True)
    assert to_draw(dense[:50]) == (dense[:50], True)
