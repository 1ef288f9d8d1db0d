"""TrulyBot's whole way, by commands alone: from the error that nobody understands to enforced, and back."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures import trulybot
from fixtures.manifest import Manifest
from fixtures.trulybot.references import NAMED_KEY
from integrity.database.schema import Schema
from integrity.database.session import Target
from integrity.operations.fixes import schema_fixes
from integrity.operations.writer import write_migrations
from integrity.references.catalog import load_catalog
from integrity.references.resolve import known_references
from integrity_project.postgres import PostgresServer
from tests.commands import run, run_json
from tests.servers import MakePostgresDatabase, RegisterTarget

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

ROOT = Path(__file__).parents[1]
# A log is news, not data: a rollback adds to it.
NOT_COMPARED = ("django_migrations", "error_logs")
LOGGED = {
    "orders": "ORPHANED_ORDER_DETECTED",
    "chat_messages": "ORPHANED_CHAT_MESSAGE_DETECTED",
    "conversations": "ORPHANED_CONVERSATION_DETECTED",
    "leads": "ORPHANED_LEAD_DETECTED",
}


@dataclass(frozen=True)
class Bot:
    """The support bot as its failed migration left it."""

    url: str
    manifest: Manifest
    before: dict[str, str] = field(default_factory=dict)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database, past the product."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(statement).fetchall()

    def schema(self) -> Schema:
        """Read the structure as it is."""
        with Target("trulybot").reading() as session:
            return session.schema()

    def state(self) -> dict[str, str]:
        """Digest every table, and the structure."""
        with Target("trulybot").reading() as session:
            schema = session.schema()
            rows = {
                str(table.name): str(session.engine.digest(session, table))
                for table in schema
                if table.name.name not in NOT_COMPARED
            }
        return rows | {"structure": schema.fingerprint()}

    def logged(self, ending: str) -> Counter[str]:
        """Count what stands in the target's own log, by type."""
        found = f"SELECT error_type FROM error_logs WHERE error_type LIKE '%{ending}'"
        return Counter(kind for (kind,) in self.rows(found))


@pytest.fixture
def bot(
    tmp_path: Path,
    settings: Any,
    newest_postgres: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
) -> Bot:
    """The support bot, as a target."""
    settings.INTEGRITY = {"BACKUP_ROOT": tmp_path / "backups"}
    url = make_postgres_database(newest_postgres)
    made = Bot(url, trulybot.build(url, rows=1_000))
    register_target("trulybot", url)
    made.before.update(made.state())
    return made


def orphans() -> dict[str, tuple[int, int]]:
    document = run("audit", "trulybot", "--format", "json").json
    assert document["coverage"]["complete"] is True
    return {
        f"{each['table']}.{','.join(each['columns'])}": (each["rows"], each["missing_keys"])
        for each in document["findings"]
        if each["code"] == "orphaned_rows"
    }


def test_the_error_that_nobody_understands_is_explained(bot: Bot) -> None:
    found = run_json("explain", trulybot.ERROR)

    assert found["target"] == "trulybot"
    stated = bot.manifest.reference("orders.user_id")
    text = str(found)
    assert "orders.user_id" in text
    assert "integrity_cleanup trulybot" in text
    assert f"{stated.orphans}" in text
    assert NAMED_KEY in text


def test_an_audit_counts_what_the_manifest_says(bot: Bot) -> None:
    assert orphans() == {
        each.referencing: (each.orphans, each.missing_keys) for each in bot.manifest.references
    }


def test_from_half_migrated_to_enforced_and_back_again(bot: Bot) -> None:
    run_json("backup", "trulybot")
    bound = run("migrate", "trulybot", "--phase", "2")
    assert bound.code == 0, bound.err
    stopped = run("migrate", "trulybot")
    assert stopped.code == 2
    assert "integrity_cleanup trulybot" in stopped.err

    planned = run_json("plan", "trulybot")
    cleaned = run_json("cleanup", "trulybot", "--plan", planned["hash"], "--no-input", "--require-backup")
    assert cleaned["state"] == "finished"
    assert cleaned["rows"] == planned["blast_radius"]
    assert orphans() == {}

    assert run("migrate", "trulybot").code == 0
    assert bot.schema().table(bot.schema().resolve("leads")).column("user_id").type == "uuid"
    assert "Nothing is missing" in run("makemigrations", "trulybot", "--check").out
    verified = run("verify", "trulybot", "--format", "json")
    assert verified.code == 0, verified.out
    enforced = {each["name"] for each in verified.json["constraints"] if each["validated"]}
    assert enforced >= {each.name for each in bot.manifest.references}

    back = run("rollback", "trulybot", cleaned["run"], "--with-migrations", "--no-input", "--format", "json")
    assert back.code == 0, back.out + back.err
    assert back.json["proof"]["rows_equal"] is True
    assert run("migrate", "trulybot", "zero", "--no-input").code == 0
    assert bot.state() == bot.before


def test_misspelled_leads_are_relinked_then_converted_then_constrained_and_all_comes_back(bot: Bot) -> None:
    assert run("migrate", "trulybot", "--phase", "2").code == 0
    wish = ("--reference", "leads.user_id", "--action", "relink", "--no-input", "--format", "json")
    relinked = run("cleanup", "trulybot", *wish)
    assert relinked.code == 0, relinked.err
    misspelled = bot.manifest.reference("leads.user_id").causes["format_mismatch"]
    assert relinked.json["rows"]["public.leads"]["updated"] == misspelled
    left = bot.manifest.reference("leads.user_id").orphans - misspelled
    assert orphans()["leads.user_id"][0] == left

    cleaned = run_json("cleanup", "trulybot", "--no-input")
    assert cleaned["rows"]["public.leads"]["deleted"] == left
    assert run("migrate", "trulybot").code == 0
    assert run("verify", "trulybot").code == 0
    refused = run("rollback", "trulybot", relinked.json["run"], "--no-input")
    assert refused.code == 2
    assert "public.leads.user_id has another type" in refused.err

    for number in (cleaned["run"], relinked.json["run"]):
        back = run("rollback", "trulybot", number, "--with-migrations", "--no-input", "--format", "json")
        assert back.code == 0, back.out + back.err
    assert run("migrate", "trulybot", "zero", "--no-input").code == 0
    assert bot.state() == bot.before


def test_what_the_first_migration_had_made_is_adopted_and_stays(bot: Bot) -> None:
    run("migrate", "trulybot", "--phase", "2")
    assert run("migrate", "trulybot", "zero", "--no-input").code == 0
    names = "SELECT conname FROM pg_constraint WHERE conname LIKE 'fk%' UNION ALL "
    indexes = "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'idx%user_id'"
    assert bot.rows(names + indexes) == [("fk_conversations_user_id",), ("idx_orders_user_id",)]
    assert bot.state() == bot.before


def test_the_targets_own_log_says_what_was_deleted_and_that_it_came_back(bot: Bot) -> None:
    planned = run_json("plan", "trulybot")
    cleaned = run_json("cleanup", "trulybot", "--no-input")

    deleted = {name.removeprefix("public."): each["deleted"] for name, each in cleaned["rows"].items()}
    assert deleted["orders"] == bot.manifest.reference("orders.user_id").orphans
    assert bot.logged("_DETECTED") == {LOGGED[table]: rows for table, rows in deleted.items()}
    assert cleaned["rows"] == planned["blast_radius"]

    back = run("rollback", "trulybot", cleaned["run"], "--no-input")
    if back.code:  # The foreign key that the first migration had made stands in the way.
        assert "fk_conversations_user_id" in back.err
        back = run("rollback", "trulybot", cleaned["run"], "--unvalidate", "--no-input")
    assert back.code == 0, back.err
    assert bot.logged("_ROLLED_BACK")
    assert bot.state() == bot.before


def test_the_migrations_that_are_shipped_are_those_that_would_be_written(bot: Bot, tmp_path: Path) -> None:
    """For other copies of the same database: what one of them has already is adopted there."""
    catalog, schema = load_catalog("trulybot"), bot.schema()
    fixes = schema_fixes(schema, catalog, known_references(schema, catalog), everything=True)

    folder = tmp_path / "migrations_catalog"
    for file in write_migrations("trulybot", fixes, root=folder, dry_run=True):
        shipped = ROOT / "migrations_catalog" / file.path.relative_to(folder)
        if shipped.name != "__init__.py":
            assert shipped.read_text() == file.text
