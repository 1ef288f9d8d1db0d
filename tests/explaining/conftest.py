"""A shop whose constraints are there, and the errors that a service catches there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction

from tests.servers import EmptyTarget

SHOP = """
CREATE TABLE customers (id integer PRIMARY KEY, email varchar(60) CONSTRAINT customers_email UNIQUE);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, note varchar(60) NOT NULL DEFAULT '',
  CONSTRAINT fk_orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id));
CREATE TABLE visits (id integer PRIMARY KEY, customer_id integer,
  CONSTRAINT fk_visits_customer FOREIGN KEY (customer_id) REFERENCES customers (id));
INSERT INTO customers VALUES (1, 'ann@example.com'), (2, 'bob@example.com');
INSERT INTO orders VALUES (10, 1, 'a'), (11, 1, 'b'), (12, 2, 'c');
INSERT INTO visits VALUES (20, 1);
"""
Refused = Callable[..., IntegrityError]


@pytest.fixture
def shop(empty_target: EmptyTarget) -> EmptyTarget:
    """The shop, on each engine."""
    empty_target.execute_script(SHOP)
    return empty_target


@contextmanager
def refused(alias: str, *statements: str) -> Iterator[IntegrityError]:
    """Run statements as a service does, and stay in its broken transaction with the error."""
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        try:
            for statement in statements:
                cursor.execute(statement)
            connections[alias].check_constraints()
        except IntegrityError as error:
            yield error
        else:
            pytest.fail("the statement was not refused")
        transaction.set_rollback(True, using=alias)


def rows(target: EmptyTarget, sql: str) -> list[tuple[Any, ...]]:
    """Run a query word for word, as somebody copies it."""
    return target.rows(sql)
