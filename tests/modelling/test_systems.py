"""Every table of every system, before and after it is healed, has a model that passes and reads its rows."""

from typing import Any

import pytest

from fixtures import gaztime, mexc, trulybot
from tests.commands import CHECKOUT, run_json
from tests.modelling.conftest import Loaded, all_models, mistakes
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

SYSTEMS = {"gaztime": gaztime, "mexc": mexc, "trulybot": trulybot}


@pytest.mark.engine("postgresql")
@pytest.mark.parametrize("system", ["gaztime", "trulybot"])
def test_the_models_of_a_system_pass_and_read_every_row(
    system: str, empty_target: EmptyTarget, load: Loaded
) -> None:
    look(system, empty_target, load)


@pytest.mark.engine(SQLITE)
def test_the_models_of_a_system_in_a_file_pass_and_read_every_row(
    empty_target: EmptyTarget, load: Loaded
) -> None:
    look("mexc", empty_target, load)


def look(system: str, empty_target: EmptyTarget, load: Loaded) -> None:
    """Build a system, write its models, and read everything by them."""
    SYSTEMS[system].build(empty_target.url.removeprefix("sqlite:///"), rows=200)
    catalog = CHECKOUT / "migrations_catalog" / system / "catalog.toml"
    written = run_json("models", "target", "--catalog", catalog)
    module = load()

    assert mistakes(module) == []
    assert len(all_models(module)) == len(written["models"]) >= 7
    related = {each["related_name"] for model in written["models"] for each in model["relations"]}
    assert related
    for model in all_models(module):
        rows: Any = model._default_manager.using("target")
        table = model._meta.db_table.replace('"."', ".")
        assert len(list(rows.all()[:500])) == min(
            500, empty_target.rows(f"SELECT count(*) FROM {table}")[0][0]
        )
        for field in model._meta.get_fields():
            if field.is_relation and not field.auto_created:
                list(rows.select_related(field.name)[:20])
