"""Partitioned tables get the same as others, partition by partition where PostgreSQL wants that."""

from typing import Any

import psycopg
import pytest

from integrity.database.identifiers import TableName
from integrity.exceptions import SchemaFixRefused
from integrity.operations import AddForeignKey, AddIndex, AddUnique, ValidateForeignKey
from integrity.operations.concurrently import partition_name
from tests.operations.conftest import Shop

EVENTS = """
CREATE TABLE events (id integer, customer_id integer, year integer) PARTITION BY RANGE (year);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (2000) TO (2020);
CREATE TABLE events_new PARTITION OF events FOR VALUES FROM (2020) TO (2030) PARTITION BY LIST (id);
CREATE TABLE events_new_1 PARTITION OF events_new FOR VALUES IN (1);
CREATE TABLE events_new_rest PARTITION OF events_new DEFAULT;
INSERT INTO events VALUES (1, 1, 2010), (2, 2, 2021);
"""
KEY = {
    "table": "events",
    "columns": ("customer_id",),
    "to": "customers",
    "to_columns": ("id",),
    "name": "fk_events_customer",
    "on_delete": "CASCADE",
}


@pytest.fixture
def events(postgres_shop: Shop) -> Shop:
    """A shop with a partitioned table of two levels."""
    postgres_shop.execute(EVENTS)
    return postgres_shop


def test_a_foreign_key_binds_new_rows_of_every_partition_then_all_rows(events: Shop) -> None:
    events.execute("INSERT INTO events VALUES (3, 90, 2010)")
    before = events.fingerprint()
    events.migration("0001_key", AddForeignKey(**KEY), phase=2)
    events.migration("0002_validate", ValidateForeignKey(**KEY), phase=3)

    events.run(phase=2)
    for year in (2011, 2022):
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            events.execute(f"INSERT INTO events VALUES (1, 91, {year})")
    with pytest.raises(SchemaFixRefused, match="1 row breaks"):
        events.run()
    between = events.fingerprint()
    events.execute("DELETE FROM events WHERE customer_id = 90")
    events.run()

    key = events.table("events").foreign_keys[0]
    assert (key.name, key.validated) == ("fk_events_customer", True)
    assert events.table("events_old").foreign_keys == ()
    events.run(to="0001")
    assert events.fingerprint() == between
    events.run(to="zero")
    assert events.fingerprint() == before


def test_a_second_attempt_adds_what_is_missing(events: Shop) -> None:
    events.apply(AddForeignKey(**KEY))
    events.execute("DELETE FROM django_migrations")
    events.run()
    events.run(to="zero")
    assert list(events.schema().foreign_keys()) == []


def test_an_index_is_built_partition_by_partition(events: Shop) -> None:
    before = events.fingerprint()

    events.apply(AddIndex(table="events", columns=("customer_id",), name="events_customer_idx"))

    assert all(index.valid for index in events.table("events").indexes)
    assert len(events.table("events_new_1").indexes) == 1
    events.run(to="zero")
    assert events.fingerprint() == before


def test_a_build_that_was_killed_halfway_can_be_reversed(
    events: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = events.fingerprint()
    index = AddIndex(table="events", columns=("customer_id",), name="events_customer_idx")
    with monkeypatch.context() as patch:
        patch.setattr(AddIndex, "_create", interrupted)
        with pytest.raises(KeyboardInterrupt):
            events.apply(index)
    assert events.fingerprint() != before

    events.run()
    events.execute("DROP INDEX events_customer_idx; CREATE INDEX ON events_old (id)")
    events.execute(
        f"CREATE INDEX {partition_name(index.name, TableName('', 'events_old'))} ON events_old (id)"
    )
    events.run(to="zero")

    assert [index.columns for index in events.table("events_old").indexes] == [("id",)]


def interrupted(*_: object) -> None:
    """Behave like Ctrl-C."""
    raise KeyboardInterrupt


def test_a_unique_is_built_partition_by_partition(events: Shop) -> None:
    before = events.fingerprint()

    events.apply(AddUnique(table="events", columns=("id", "year"), name="events_id_year_key"))

    with pytest.raises(psycopg.errors.UniqueViolation):
        events.execute("INSERT INTO events VALUES (1, 1, 2010)")
    events.run(to="zero")
    assert events.fingerprint() == before


def test_a_partitioned_table_can_be_referenced(events: Shop) -> None:
    events.execute("ALTER TABLE events ADD PRIMARY KEY (id, year); CREATE TABLE seen (id int, year int)")

    events.apply(
        AddForeignKey(
            table="seen", columns=("id", "year"), to="events", to_columns=("id", "year"), name="fk_seen"
        )
    )

    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        events.execute("INSERT INTO seen VALUES (5, 2025)")


@pytest.mark.parametrize(
    "more",
    [{}, {"nulls_not_distinct": True}, {"where": "customer_id > 0"}],
    ids=["plain", "NULLs not distinct", "partial"],
)
def test_a_unique_that_contains_the_partition_keys_binds_every_partition(
    events: Shop, more: dict[str, Any]
) -> None:
    before = events.fingerprint()
    unique = AddUnique(table="events", columns=("id", "year", "customer_id"), name="uq_events", **more)

    events.apply(unique)
    with pytest.raises(psycopg.errors.UniqueViolation):
        events.execute("INSERT INTO events VALUES (2, 2, 2021)")
    events.apply(unique)
    events.run(to="zero")

    assert events.fingerprint() == before


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (("id",), "events is partitioned by year, which a unique must contain"),
        (("year", "customer_id"), "events_new is partitioned by id"),
    ],
)
def test_a_unique_without_the_partition_keys_is_refused(
    events: Shop, columns: tuple[str, ...], said: str
) -> None:
    before = events.fingerprint()

    with pytest.raises(SchemaFixRefused, match=said):
        events.apply(AddUnique(table="events", columns=columns, name="uq_events"))

    assert events.fingerprint() == before


def test_a_partitioned_table_without_a_partition_gets_its_unique(postgres_shop: Shop) -> None:
    postgres_shop.execute("CREATE TABLE empty (id integer, year integer) PARTITION BY RANGE (year)")
    postgres_shop.apply(AddUnique(table="empty", columns=("id", "year"), name="uq_empty"))

    assert postgres_shop.table("empty").key_on(("id", "year")) is not None
