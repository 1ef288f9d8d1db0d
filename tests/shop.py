"""The shop as a target: past the product, by its commands, and what an audit says of it."""

from dataclasses import dataclass, field
from typing import Any

from fixtures.manifest import Manifest
from integrity.database.schema import Schema
from integrity.database.session import Target
from integrity.database.structures import fingerprint
from tests.commands import run
from tests.servers import SQLITE, EmptyTarget

NAME = "target"
CUSTOMERS = """SELECT md5(string_agg(row(id, store_id, email, name, phone, orders, created_at)::text, '' ORDER BY id))
    FROM store_customers"""


@dataclass(frozen=True)
class Shop:
    """The shop in its broken state, as a target."""

    target: EmptyTarget
    manifest: Manifest
    before: dict[str, str] = field(default_factory=dict)

    @property
    def sqlite(self) -> bool:
        """Whether it is in a file."""
        return self.target.vendor == SQLITE

    def number(self, statement: str) -> int:
        """Ask the database one number, past the product."""
        return int(self.target.rows(statement)[0][0])

    def execute(self, statement: str) -> None:
        """Do what the application does, on a connection that enforces."""
        self.target.execute_script(f"PRAGMA foreign_keys = ON; {statement}" if self.sqlite else statement)

    def schema(self) -> Schema:
        """Read the structure as it is."""
        with Target(NAME).reading() as session:
            return session.schema()

    def state(self) -> dict[str, str]:
        """Digest every table, and the structure; PostgreSQL gives a column that comes back the last place."""
        with Target(NAME).reading() as session:
            schema = session.schema()
            rows = {
                table.name.name: str(session.engine.digest(session, table))
                for table in schema
                if table.name.name != "django_migrations"
            }
        structure = schema.structure()
        if not self.sqlite:
            rows["store_customers"] = str(self.target.rows(CUSTOMERS))
            (customers,) = (each for name, each in structure.items() if name.endswith("store_customers"))
            customers["columns"] = sorted(customers["columns"], key=lambda column: column["name"])
        return rows | {"structure": fingerprint(structure)}


def audited() -> dict[str, Any]:
    document = run("audit", NAME, "--format", "json").json
    assert document["coverage"]["complete"] is True, document["coverage"]
    return dict(document)


def orphans(document: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {
        f"{each['table']}.{','.join(each['columns'])}": (each["rows"], each["missing_keys"])
        for each in document["findings"]
        if each["code"] == "orphaned_rows"
    }


def with_code(document: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [each for each in document["findings"] if each["code"] == code]


def duplicates(document: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {
        each["object"]: (each["evidence"]["values"], each["rows"])
        for each in with_code(document, "duplicate_rows")
    }


def succeeds(name: str, *arguments: object) -> Any:
    ran = run(name, NAME, *arguments, "--format", "json")
    assert ran.code == 0, f"{name} {arguments}: {ran.err}\n{ran.out}"
    return ran.json


def enforced(document: dict[str, Any]) -> set[str]:
    listed = (*document["constraints"], *document["uniques"])
    return {each["name"] for each in listed if each["validated"] and each["enforced"]}
