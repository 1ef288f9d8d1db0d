"""PostgreSQL's statements as text: what is said, and what is left out because it is the default."""

from integrity.database.identifiers import TableName
from integrity.database.postgresql import ddl
from integrity.database.schema import Action, ForeignKey, Match

ORDERS = TableName("public", "orders")
KEY = ForeignKey("fk", ORDERS, ("customer_id",), TableName("public", "customers"), ("id",))


def test_a_foreign_key_binds_new_rows_alone_unless_it_is_said() -> None:
    wanted = 'ALTER TABLE "public"."orders" ADD CONSTRAINT "fk" FOREIGN KEY ("customer_id") '
    wanted += 'REFERENCES "public"."customers" ("id")'

    assert ddl.add_foreign_key(KEY, validated=True) == wanted
    assert ddl.add_foreign_key(KEY) == wanted + " NOT VALID"


def test_all_that_differs_from_the_defaults_is_said() -> None:
    key = ForeignKey(
        'f"k%', TableName("Auth", "100%s"), ("a", "b"), ORDERS, ("x", "y"),
        Action.SET_NULL, Action.CASCADE, Match.FULL, deferrable=True, deferred=True,
    )  # fmt: skip

    assert ddl.add_foreign_key(key) == (
        'ALTER TABLE "Auth"."100%s" ADD CONSTRAINT "f""k%" FOREIGN KEY ("a", "b") '
        'REFERENCES "public"."orders" ("x", "y") MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL '
        "DEFERRABLE INITIALLY DEFERRED NOT VALID"
    )


def test_unvalidating_drops_the_key_and_adds_it_for_new_rows() -> None:
    drop, add = ddl.unvalidate(KEY)

    assert drop == 'ALTER TABLE "public"."orders" DROP CONSTRAINT "fk"'
    assert add == ddl.add_foreign_key(KEY)


def test_indexes_are_built_and_dropped_while_others_write() -> None:
    created = ddl.create_index("i", ORDERS, ["a", "b"], where="a > 0")

    assert created == 'CREATE INDEX CONCURRENTLY "i" ON "public"."orders" ("a", "b") WHERE a > 0'
    assert ddl.create_index("i", ORDERS, ["a"], unique=True).startswith("CREATE UNIQUE INDEX CONCURRENTLY")
    assert ddl.drop_index("public", "i") == 'DROP INDEX CONCURRENTLY "public"."i"'
