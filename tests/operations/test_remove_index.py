"""An index is dropped only where another does the same, and comes back as it was."""

import psycopg
import pytest

from integrity.exceptions import SchemaFixRefused
from integrity.operations import RemoveIndex
from tests.operations.conftest import Shop

INDEXES = "CREATE INDEX short ON orders (customer_id); CREATE INDEX long ON orders (customer_id, status);"


def removal(shop: Shop, name: str = "short", by: str = "long") -> RemoveIndex:
    index = shop.table("orders").index(name)
    assert index is not None
    return RemoveIndex(table="orders", name=name, definition=index.definition, covered_by=by)


def test_it_goes_and_comes_back_as_it_was(shop: Shop) -> None:
    shop.execute(INDEXES)
    before, operation = shop.fingerprint(), removal(shop)

    shop.apply(operation)
    assert shop.table("orders").index("short") is None
    shop.apply(operation)
    shop.run(to="zero")

    assert shop.fingerprint() == before


@pytest.mark.parametrize(
    "definition",
    [
        "CREATE INDEX short ON orders (customer_id DESC) WHERE total > 5",
        """CREATE INDEX short ON orders (lower(status), customer_id) WHERE status LIKE '5%'""",
        "CREATE UNIQUE INDEX short ON orders (id, customer_id)",
    ],
)
def test_every_definition_comes_back_as_it_was(shop: Shop, definition: str) -> None:
    shop.execute(definition + ";" + definition.replace("short", "long"))
    before = shop.fingerprint()

    shop.apply(removal(shop))
    shop.run(to="zero")

    assert shop.fingerprint() == before


def test_an_index_that_was_gone_is_not_made_by_the_reverse(shop: Shop) -> None:
    shop.execute(INDEXES)
    operation = removal(shop)
    shop.execute("DROP INDEX short")
    before = shop.fingerprint()

    shop.apply(operation)
    shop.run(to="zero")

    assert shop.fingerprint() == before


def test_it_stays_where_the_other_one_is_not_there(shop: Shop) -> None:
    shop.execute(INDEXES)
    operation = removal(shop)
    shop.execute("DROP INDEX long")
    before = shop.fingerprint()

    with pytest.raises(SchemaFixRefused, match="long does not stand on orders, so short is not redundant"):
        shop.apply(operation)

    assert shop.fingerprint() == before


def test_another_index_of_the_name_stays(shop: Shop) -> None:
    shop.execute(INDEXES)
    operation = removal(shop)
    shop.execute("DROP INDEX short; CREATE INDEX short ON orders (total)")

    with pytest.raises(SchemaFixRefused, match="The index short on orders is another one"):
        shop.apply(operation)


def test_what_a_constraint_needs_stays(postgres_shop: Shop) -> None:
    postgres_shop.execute(
        "CREATE UNIQUE INDEX short ON orders (id, total); CREATE UNIQUE INDEX long ON orders (id, total)"
    )
    operation = removal(postgres_shop)
    postgres_shop.execute("ALTER TABLE orders ADD CONSTRAINT short UNIQUE USING INDEX short")

    with pytest.raises(SchemaFixRefused, match="the constraint short needs the index short"):
        postgres_shop.apply(operation)


def test_writers_go_on_meanwhile(postgres_shop: Shop) -> None:
    postgres_shop.execute(INDEXES)
    operation = removal(postgres_shop)
    with psycopg.connect(postgres_shop.target.url, autocommit=True) as connection:
        connection.execute("SET lock_timeout = '1s'")
        postgres_shop.apply(operation)
        connection.execute("INSERT INTO orders (id, customer_id) VALUES (900, 1)")
        postgres_shop.run(to="zero")
    assert postgres_shop.table("orders").index("short") is not None
