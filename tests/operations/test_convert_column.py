"""A column of text becomes one of UUIDs, and goes back to what it was, letter by letter."""

from typing import Any

import psycopg
import pytest

from integrity.exceptions import SchemaFixRefused
from integrity.operations import ConvertColumn
from tests.operations.conftest import Shop

pytestmark = pytest.mark.newest_postgres_only

ONE, TWO = "6b47cbac-9009-42e3-9a37-b1106bf0cba0", "00000000-0000-4000-8000-0000000000ab"
SPELLINGS = [
    ONE,
    ONE.upper(),
    f"{{{ONE}}}",
    ONE.replace("-", ""),
    f"  {ONE.upper()}\t",
    TWO,
    None,
]
CONVERT = ConvertColumn(table="leads", column="user_id", from_type="text", to_type="uuid")
LEADS = "SELECT user_id::text FROM leads ORDER BY id"


@pytest.fixture
def leads(postgres_shop: Shop) -> Shop:
    postgres_shop.execute(
        "CREATE TABLE leads (id integer PRIMARY KEY, user_id text, note text DEFAULT 'new')"
    )
    postgres_shop.execute("CREATE INDEX leads_user_idx ON leads (user_id)")
    for number, spelled in enumerate(SPELLINGS, 1):
        add(postgres_shop, number, spelled)
    return postgres_shop


def add(shop: Shop, number: int, spelled: str | None) -> None:
    with psycopg.connect(shop.target.url) as connection:
        connection.execute("INSERT INTO leads (id, user_id) VALUES (%s, %s)", [number, spelled])


def values(shop: Shop) -> list[Any]:
    return [value for (value,) in shop.target.rows(LEADS)]


def test_every_spelling_is_read_and_given_back_letter_by_letter(leads: Shop) -> None:
    before = leads.fingerprint()

    leads.apply(CONVERT)
    assert leads.table("leads").column("user_id").type == "uuid"
    assert values(leads) == [ONE] * 5 + [TWO, None]

    leads.run(to="zero")
    assert values(leads) == SPELLINGS
    assert leads.fingerprint() == before
    kept = "SELECT count(*) FROM pg_class WHERE relname LIKE 'spelled%'"
    assert leads.value(kept) == 0


def test_what_was_changed_since_comes_back_as_the_type_writes_it(leads: Shop) -> None:
    leads.apply(CONVERT)
    leads.execute(f"UPDATE leads SET user_id = '{TWO}' WHERE id = 2; DELETE FROM leads WHERE id = 3")
    leads.execute(f"INSERT INTO leads (id, user_id) VALUES (9, '{ONE}')")

    leads.run(to="zero")

    assert values(leads) == [ONE, TWO, *SPELLINGS[3:], ONE]


def test_it_may_run_twice_and_converts_again_after_it_was_reversed(leads: Shop) -> None:
    leads.apply(CONVERT)
    leads.apply(CONVERT)
    leads.run(to="zero")
    assert values(leads) == SPELLINGS
    leads.run()
    assert values(leads) == [ONE] * 5 + [TWO, None]


def test_values_that_cannot_be_read_stop_it_before_the_first_change(leads: Shop) -> None:
    for number, spelled in enumerate(["default-user", "default-user", ONE[:-1], ""], 20):
        add(leads, number, spelled)
    before = leads.fingerprint()

    with pytest.raises(SchemaFixRefused, match=r"4 rows of leads\.user_id have 3 values") as refused:
        leads.apply(CONVERT)

    assert "integrity_cleanup target --reference leads.user_id" in refused.value.hint
    listing = refused.value.hint.removeprefix("List them with: ").split("; then")[0]
    assert leads.target.rows(listing)[0] == ("default-user", 2)
    assert leads.fingerprint() == before
    assert values(leads)[:7] == SPELLINGS


def test_triggers_of_the_table_are_not_fired_in_either_direction(leads: Shop) -> None:
    leads.execute("""
        CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.note := 'touched'; RETURN NEW; END $$;
        CREATE TRIGGER noting BEFORE UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION noted()""")

    leads.apply(CONVERT)
    leads.run(to="zero")

    assert leads.value("SELECT count(*) FROM leads WHERE note = 'touched'") == 0


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("CREATE POLICY own ON leads USING (user_id = current_user)", "policy own"),
        (
            "ALTER TABLE leads ADD COLUMN twin text GENERATED ALWAYS AS (user_id) STORED",
            "generated column twin",
        ),
        ("ALTER TABLE leads ALTER COLUMN user_id SET DEFAULT 'nobody'", "default value"),
    ],
)
def test_what_hangs_on_the_column_is_named_and_nothing_is_changed(
    leads: Shop, statement: str, named: str
) -> None:
    leads.execute(statement)
    before = leads.fingerprint()

    with pytest.raises(SchemaFixRefused, match=named):
        leads.apply(CONVERT)

    assert leads.fingerprint() == before


def test_a_column_that_a_foreign_key_binds_is_refused(leads: Shop) -> None:
    leads.execute("""
        CREATE TABLE people (id text PRIMARY KEY);
        ALTER TABLE leads ADD CONSTRAINT fk_people FOREIGN KEY (user_id) REFERENCES people (id) NOT VALID""")

    with pytest.raises(SchemaFixRefused, match="bound by the foreign key fk_people"):
        leads.apply(CONVERT)


def test_a_table_without_a_key_is_converted_only_where_nothing_would_be_forgotten(leads: Shop) -> None:
    leads.execute("ALTER TABLE leads DROP CONSTRAINT leads_pkey")
    with pytest.raises(SchemaFixRefused, match=r"has 4 values .* no primary key"):
        leads.apply(CONVERT)

    leads.execute("DELETE FROM leads WHERE id BETWEEN 2 AND 5")
    leads.run()
    leads.run(to="zero")

    assert values(leads) == [ONE, TWO, None]


def test_a_column_that_has_the_type_already_is_adopted_and_keeps_it(leads: Shop) -> None:
    leads.execute("ALTER TABLE leads ALTER COLUMN user_id TYPE uuid USING trim(user_id, E' \t')::uuid")

    leads.apply(CONVERT)
    leads.run(to="zero")

    assert leads.table("leads").column("user_id").type == "uuid"


def test_a_column_of_another_type_is_refused_with_the_difference(leads: Shop) -> None:
    leads.execute("ALTER TABLE leads ALTER COLUMN user_id TYPE varchar(50)")

    with pytest.raises(SchemaFixRefused, match=r"is character varying\(50\), not text"):
        leads.apply(CONVERT)


def test_whole_numbers_come_back_with_their_zeros_and_keys_of_several_columns(postgres_shop: Shop) -> None:
    postgres_shop.execute("""
        CREATE TABLE lines (at date, "n %" varchar(5), code varchar(20), PRIMARY KEY (at, "n %"));
        INSERT INTO lines VALUES ('2026-01-01', 'a', ' 007'), ('2026-01-01', 'b', '7'),
                                 ('2026-01-02', 'a', '-12')""")
    before = postgres_shop.fingerprint()

    postgres_shop.apply(
        ConvertColumn(table="lines", column="code", from_type="character varying(20)", to_type="integer")
    )
    assert postgres_shop.target.rows("SELECT code FROM lines ORDER BY code") == [(-12,), (7,), (7,)]
    postgres_shop.run(to="zero")

    assert postgres_shop.target.rows('SELECT code FROM lines ORDER BY at, "n %"') == [
        (" 007",),
        ("7",),
        ("-12",),
    ]
    assert postgres_shop.fingerprint() == before
