"""What a ``[[column]]`` may say, and what it may not."""

from pathlib import Path

import pytest

from integrity.exceptions import CatalogError
from integrity.references import load_catalog
from integrity.references.entries import CatalogColumn


def read(folder: Path, text: str) -> CatalogColumn:
    file = folder / "catalog.toml"
    file.write_text(f'[[column]]\ncolumn = "presets.id"\n{text}\n')
    return load_catalog("default", file).columns[0]


def test_types_and_defaults_are_written_once_or_by_engine(tmp_path: Path) -> None:
    column = read(
        tmp_path,
        'from = { postgresql = "uuid" }\nto = { postgresql = "text" }\n'
        'default = { postgresql = "gen_random_uuid()::text" }',
    )
    assert column.vendors == ("postgresql",)
    assert column.default == {"postgresql": "gen_random_uuid()::text"}

    column = read(tmp_path, 'from = "integer"\nto = "text"')
    assert column.vendors == ("postgresql", "sqlite")
    assert column.to_type == {"": "text"}


def test_a_column_can_be_wanted_away_with_what_may_go_with_it(tmp_path: Path) -> None:
    column = read(tmp_path, 'remove = true\nacknowledged = ["view owners"]')
    assert column.remove
    assert column.acknowledged == ("view owners",)
    assert column.vendors == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('from = "integer"', "to is missing"),
        ('to = "text"', "from is missing"),
        ('remove = true\nto = "text"', "to says nothing of a column that is to go"),
        ('from = "integer"\nto = "text"\nacknowledged = ["view v"]', "acknowledged is for a column"),
        ('from = { sqlite = "TEXT" }\nto = "text"', "from says nothing of postgresql"),
        ('from = { mysql = "int" }\nto = "text"', "'mysql' is not a word"),
        ('remove = "yes"', "remove must be true or false"),
        ('from = "integer"\nto = "text"\ntype = "x"', "'type' is not a word"),
    ],
)
def test_mistakes_are_named_with_their_entry(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CatalogError, match=said) as refused:
        read(tmp_path, text)
    assert "[[column]] 1 (presets.id)" in refused.value.where
