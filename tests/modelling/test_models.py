"""Models of odd databases import, pass Django's checks, and find every row and both ends of every relation."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.db import models as django_models

from tests.commands import run, run_json
from tests.modelling.conftest import LABEL, Loaded, all_models, mistakes
from tests.modelling.schemas import COMMON, ONLY
from tests.servers import EmptyTarget

pytestmark = pytest.mark.newest_postgres_only


@pytest.fixture
def odd(empty_target: EmptyTarget) -> EmptyTarget:
    """A database as odd as real ones."""
    empty_target.execute_script(COMMON + ONLY[empty_target.vendor])
    return empty_target


def rows(model: Any) -> Any:
    """All rows of a model, from the target."""
    return model._default_manager.using("target")


def test_every_model_passes_the_checks(odd: EmptyTarget, modelled: Loaded) -> None:
    module = modelled()
    assert mistakes(module) == []
    assert len(all_models(module)) >= 17
    for model in all_models(module):
        assert not model._meta.managed
        assert model._meta.app_label == LABEL


def test_every_row_and_both_sides_of_every_relation_are_read(odd: EmptyTarget, modelled: Loaded) -> None:
    followed = 0
    for model in all_models(modelled()):
        found = list(rows(model).all())
        for field in model._meta.get_fields():
            if field.is_relation and not field.auto_created:
                followed += 1
                for row in found:
                    getattr(row, field.name)
                list(rows(model).select_related(field.name))
                list(rows(model).prefetch_related(field.name))
            elif field.is_relation and field.one_to_many:
                for row in found:
                    list(getattr(row, field.get_accessor_name()).all())
                list(rows(model).filter(**{f"{field.name}__isnull": False}))
    assert followed >= 13


def test_rows_are_as_many_as_in_the_tables(odd: EmptyTarget, modelled: Loaded) -> None:
    module = modelled()
    assert rows(module.Log).count() == len(list(rows(module.Log))) == 3
    assert [each.what for each in rows(module.Log)] == ["one", "one", None]
    assert rows(module.Nullkey).get(code="k").refers.get().pk == 1
    assert rows(module.Class).get(per_cent="p", quo_te="q").class_field == "c"


def test_relations_are_named_on_both_sides(odd: EmptyTarget, modelled: Loaded) -> None:
    module = modelled()
    store = rows(module.Store).get(pk=1)
    assert [each.pk for each in store.products.all()] == [1]
    assert sorted(each.sku for each in store.products.get().variants.all()) == ["x", "y"]
    assert store.profile.about == "the first"
    assert store.transfers_by_from_store.get().to_store.code == "b"
    assert rows(module.Category).get(pk=1).children.get().pk == 2
    assert rows(module.Store).filter(products__category__parent__store__code="a").get() == store
    assert store.notes.get().line.product.store.code == "b"
    assert rows(module.Line).get(pk=(1, 2)).notes.get().pk == 1
    assert rows(module.Note).get(pk=2).line is None


def test_what_a_deletion_does_is_as_the_rule_says(odd: EmptyTarget, modelled: Loaded) -> None:
    module = modelled()

    def on_delete(model: Any, name: str) -> Any:
        return model._meta.get_field(name).remote_field.on_delete

    assert on_delete(module.Category, "store") is django_models.CASCADE
    assert on_delete(module.Category, "parent") is django_models.SET_NULL
    assert on_delete(module.Product, "store") is django_models.PROTECT
    assert on_delete(module.Line, "product") is django_models.DO_NOTHING
    # NULL in one of two columns is the database's business
    assert on_delete(module.Note, "line") is django_models.DO_NOTHING


def test_a_composite_reference_is_followed_by_the_column_that_identifies(
    odd: EmptyTarget, modelled: Loaded
) -> None:
    module = modelled()
    category = module.Product._meta.get_field("category")
    assert type(category) is django_models.ForeignKey
    assert category.column == "category_id"
    assert type(module.Note._meta.get_field("line")) is django_models.ForeignObject
    assert isinstance(module.Line._meta.pk, django_models.CompositePrimaryKey)


def test_what_the_database_computes_or_gives_is_left_to_it(odd: EmptyTarget, modelled: Loaded) -> None:
    module = modelled()
    row = rows(module.Computed).get()
    assert row.twice == 8
    row.n = 5
    row.save(using="target")
    assert rows(module.Computed).get().twice == 10
    made = rows(module.Computed).create(id=2, n=7)
    found = rows(module.Computed).get(pk=made.pk)
    assert (found.twice, found.given) == (14, "50%")


def test_a_row_without_a_key_is_known_by_its_place(odd: EmptyTarget, modelled: Loaded) -> None:
    module = modelled()
    made = rows(module.Log).create(what="new")
    assert rows(module.Log).get(pk=made.pk).what == "new"
    first, second, _, _ = rows(module.Log).all()
    assert first != second


def test_indexes_and_uniques_are_in_meta_under_their_names(odd: EmptyTarget, modelled: Loaded) -> None:
    module = modelled()
    names = {index.name for index in module.Product._meta.indexes}
    assert names == {"a_very_long_name_of_an_index_that_django_would_not_give"}
    [unique] = module.Category._meta.constraints
    assert unique.fields == ("store", "id")
    assert module.Store._meta.get_field("code").unique


@pytest.mark.engine("sqlite")
def test_dates_that_are_none_are_read_as_they_are(odd: EmptyTarget, modelled: Loaded) -> None:
    module = modelled()
    kinds = {field.name: field.get_internal_type() for field in module.Loose._meta.fields}
    assert kinds["good"] == "DateTimeField"
    assert kinds["day"] == "DateField"
    assert kinds["amount"] == "DecimalField"
    assert kinds["doc"] == "JSONField"
    assert {kinds[name] for name in ("bad", "wrong", "much", "broken", "whatever", "u")} == {"TextField"}
    row = rows(module.Loose).get(pk=1)
    assert (row.bad, row.wrong, row.much) == (1577872800, "2020-02-30", 123456)
    assert (row.day.day, row.doc, row.flag) == (29, {"a": 1}, True)


@pytest.mark.engine("postgresql")
def test_types_of_postgresql_are_read_as_what_they_are(odd: EmptyTarget, modelled: Loaded) -> None:
    module = modelled()
    row = rows(module.Type).get()
    assert row.ints == [1, 2]
    assert row.texts == ["a", "b"]
    assert row.j == row.jb == "5"
    assert (row.r.lower, row.r.upper) == (1, 3)
    assert dict(module.Type._meta.get_field("m").choices)["sad"] == "sad"
    assert rows(module.Type).filter(ints__contains=[1], m="sad", jb="5").count() == 1
    assert rows(module.User).select_related("user").get().user.email == "a@b"
    assert rows(module.AuthUser).get(user__nick="nick").user.nick == "nick"
    assert rows(module.Store).get(pk=1).stores.get().store.code == "a"
    assert not hasattr(module, "Measured2020")
    assert rows(module.Measured).get(store__code="a").at.year == 2020


def test_the_text_is_the_same_each_time_and_as_ruff_would_have_it(odd: EmptyTarget, catalogs: Path) -> None:
    first = run_json("models", "target")
    assert run_json("models", "target", "--dry-run")["files"] == []
    assert {Path(file["path"]).name for file in first["files"]} >= {"generated.py", "models.py", "apps.py"}
    for arguments in (["check", "--isolated", "--select", "E,F,I,W,UP"], ["format", "--isolated", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, catalogs], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_reference_that_nothing_enforces_is_a_relation_too(
    empty_target: EmptyTarget, load: Callable[[], ModuleType], tmp_path: Path
) -> None:
    empty_target.execute_script(
        "CREATE TABLE stores (id integer PRIMARY KEY); CREATE TABLE tags (id integer PRIMARY KEY, store_id integer);"
        "INSERT INTO tags VALUES (1, 99)"
    )
    lent = tmp_path / "lent.toml"
    lent.write_text('[[reference]]\nfrom = "tags.store_id"\nto = "stores.id"\non_delete = "CASCADE"\n')
    run_json("models", "target", "--catalog", lent)
    module = load()
    field = module.Tag._meta.get_field("store")
    assert field.db_constraint is False
    assert field.remote_field.on_delete is django_models.CASCADE
    assert mistakes(module) == []
    with pytest.raises(module.Store.DoesNotExist):
        _ = rows(module.Tag).get().store


def test_an_empty_database_has_no_models(empty_target: EmptyTarget, modelled: Loaded) -> None:
    assert all_models(modelled()) == []
    assert "0 models" in run("models", "target").out
