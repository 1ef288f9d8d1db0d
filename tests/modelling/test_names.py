"""Whatever a column is called, its field has a name that Python and Django allow, and no other field has it."""

import keyword

from django.db import models
from hypothesis import given
from hypothesis import strategies as st

from integrity.database.identifiers import TableName
from integrity.modelling.names import class_name, field_name, one_of, snake

ODD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
LIKELY = st.sampled_from(
    ["id", "ID", "class", "pk", "a__b", "_", "save", "models", "1", "Order ID", "orderId", "check"]
)


@given(st.lists(ODD | LIKELY, min_size=1, max_size=12, unique=True))
def test_fields_have_legal_names_of_their_own(columns: list[str]) -> None:
    taken: set[str] = set()
    names = [field_name([column], taken) for column in columns]
    assert len(set(names)) == len(names)
    for name in names:
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        field = models.TextField()
        field.set_attributes_from_name(name)
        assert field._check_field_name() == []
        assert not hasattr(models.Model, name)


@given(st.lists(ODD | LIKELY, min_size=1, max_size=12, unique=True))
def test_models_have_legal_names_of_their_own(tables: list[str]) -> None:
    taken: set[str] = set()
    names = [class_name(TableName("public", table), "public", taken) for table in tables]
    assert len({name.lower() for name in names}) == len(names)
    for name in names:
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert not name.startswith("_")
        assert not name.endswith("_")
        assert "__" not in name


def test_names_are_split_into_words() -> None:
    assert [snake(name) for name in ("storeId", "StoreID", "HTTPServer", "Order ID")] == [
        "store_id",
        "store_id",
        "http_server",
        "order_id",
    ]
    assert [one_of(name) for name in ("categories", "addresses", "status", "food_des")] == [
        "category",
        "address",
        "status",
        "food_des",
    ]
