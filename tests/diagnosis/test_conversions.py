"""Before a conversion is written, somebody can see what it would do."""

from pathlib import Path

import pytest

from tests.commands import run
from tests.servers import EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

SQL = """
CREATE TABLE presets (id {key} PRIMARY KEY, name text);
CREATE TABLE trades (id integer PRIMARY KEY, preset_id {key} REFERENCES presets (id));
INSERT INTO presets VALUES ('1', 'a'), ('007', 'b');
INSERT INTO trades VALUES (1, '007'), (2, NULL), (3, '1');
"""
CATALOG = '[[column]]\ncolumn = "presets.id"\nfrom = "text"\nto = "integer"\n'


@pytest.fixture
def lent(empty_target: EmptyTarget, tmp_path: Path) -> Path:
    empty_target.execute_script(SQL.format(key="text"))
    file = tmp_path / "catalog.toml"
    file.write_text(CATALOG)
    return file


def test_it_says_what_is_converted_and_what_is_kept(lent: Path) -> None:
    ran = run("diagnose", "target", "--column", "presets.id", "--catalog", lent, "--format", "json")

    assert ran.code == 0, ran.err
    (column,) = ran.json["columns"]
    found = {each["column"]: each for each in column["conversion"]["columns"]}
    assert set(found) == {"presets.id", "trades.preset_id"}
    assert (found["presets.id"]["values"], found["presets.id"]["respelled"]) == (2, 1)
    assert (found["trades.preset_id"]["values"], found["trades.preset_id"]["unreadable"]) == (2, 0)
    assert column["conversion"]["refused"] == ""
    assert column["unacknowledged"] == []

    text = run("diagnose", "target", "--column", "trades.preset_id", "--catalog", lent).out
    assert "Convert presets.id from text to integer, with 1 that refer to it" in text
    assert "Every value can be read" in text


def test_it_says_what_cannot_be_converted_and_how_to_see_it(empty_target: EmptyTarget, lent: Path) -> None:
    empty_target.execute_script("INSERT INTO presets VALUES ('main', 'c')")

    ran = run("diagnose", "target", "--column", "presets.id", "--catalog", lent)

    assert ran.code == 1
    assert "1 row of presets.id has a value that integer cannot read" in ran.out
    listing = ran.out.partition("List those of presets.id with: ")[2].splitlines()[0]
    assert empty_target.rows(listing) == [("main", 1)]
