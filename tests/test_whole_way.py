"""The whole way on both systems, by commands alone: broken, audited, repaired, enforced, and back."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fixtures import gaztime, mexc
from fixtures.manifest import Manifest
from integrity.database.session import Target
from tests.commands import run, run_json
from tests.servers import INSTALLATIONS, MakePostgresDatabase, PostgresServers, RegisterTarget

pytestmark = pytest.mark.django_db(transaction=True)

FOREIGN_KEYS = {"gaztime": 11, "mexc": 7}
INDEXES = {"gaztime": 7, "mexc": 4}


@dataclass(frozen=True)
class System:
    """A system as it was before the fix, and what is broken in it."""

    name: str
    manifest: Manifest
    before: dict[str, str] = field(default_factory=dict)

    def state(self) -> dict[str, str]:
        """Digest every table, and the structure."""
        with Target(self.name).reading() as session:
            schema = session.schema()
            rows = {
                str(table.name): str(session.engine.digest(session, table))
                for table in schema
                if table.name.name != "django_migrations"
            }
        return rows | {"structure": schema.fingerprint()}


EVERY = ["mexc", *(f"gaztime-pg{major}" for major in sorted(INSTALLATIONS))]
NEWEST = [EVERY[0], *EVERY[1:][-1:]]


@pytest.fixture(params=EVERY)
def system(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    settings: Any,
    register_target: RegisterTarget,
    make_postgres_database: MakePostgresDatabase,
    postgres_servers: PostgresServers,
) -> System:
    """Each system on its engine, the one on PostgreSQL with every version that this machine has."""
    settings.INTEGRITY = {"BACKUP_ROOT": tmp_path / "backups"}
    if request.param == "mexc":
        manifest = mexc.build(tmp_path / "mexc.sqlite3", rows=1_000)
        register_target("mexc", f"sqlite:///{tmp_path / 'mexc.sqlite3'}")
    else:
        major = int(request.param.removeprefix("gaztime-pg"))
        url = make_postgres_database(postgres_servers[major])
        manifest = gaztime.build(url, rows=1_000)
        register_target("gaztime", url)
    made = System(request.param.partition("-")[0], manifest)
    made.before.update(made.state())
    return made


def orphans(document: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {
        f"{each['table']}.{','.join(each['columns'])}": (each["rows"], each["missing_keys"])
        for each in document["findings"]
        if each["code"] == "orphaned_rows"
    }


def broken(manifest: Manifest) -> dict[str, tuple[int, int]]:
    return {
        each.referencing: (each.orphans, each.missing_keys) for each in manifest.references if each.orphans
    }


def test_the_whole_way_there_and_back_again(system: System) -> None:
    name = system.name
    assert Path(run_json("backup", name)["file"]).exists()

    audit = run("audit", name, "--format", "json")
    assert audit.code == 1
    assert orphans(audit.json) == broken(system.manifest)
    codes = [each["code"] for each in audit.json["findings"]]
    assert codes.count("missing_foreign_key") == FOREIGN_KEYS[name]
    assert codes.count("missing_index") >= INDEXES[name]
    assert audit.json["coverage"]["complete"] is True

    cleaned = _repair(system)
    assert cleaned["state"] == "finished"
    assert cleaned["refusals"] == []
    assert orphans(run("audit", name, "--format", "json").json) == {}

    assert "Nothing is missing" in run("makemigrations", name, "--check").out
    assert run("migrate", name).code == 0
    assert run_json("migrate", name)["migrations"] == []
    verified = run("verify", name, "--format", "json")
    assert verified.code == 0, verified.out
    assert len(verified.json["constraints"]) == FOREIGN_KEYS[name]
    assert all(each["enforced"] and each["validated"] for each in verified.json["constraints"])

    refused = run("rollback", name, cleaned["run"], "--no-input")
    assert refused.code == 2
    assert "--with-migrations" in refused.err
    assert "0002_foreign_keys" in refused.err

    back = run("rollback", name, cleaned["run"], "--with-migrations", "--no-input", "--format", "json")
    assert back.code == 0, back.out + back.err
    assert back.json["proof"]["rows_equal"] is True
    assert back.json["proof"]["schema_equal"] is True
    assert all(each["table_equal"] for each in back.json["proof"]["tables"].values())
    assert system.state() == system.before


def _repair(system: System) -> dict[str, Any]:
    """By policy where the catalog has one; as the delete actions suggest where it has none."""
    action = [] if system.name == "gaztime" else ["--action", "suggested"]
    planned = run_json("plan", system.name, *action)
    dry = run_json("cleanup", system.name, *action, "--dry-run")
    assert dry["plan"] == planned["hash"]
    assert dry["rows"] == planned["blast_radius"]
    assert system.state() == system.before
    done = run_json("cleanup", system.name, "--plan", planned["hash"], "--no-input", "--require-backup")
    assert done["rows"] == planned["blast_radius"]
    return dict(done)


@pytest.mark.parametrize("system", NEWEST, indirect=True)
def test_rows_come_back_under_foreign_keys_that_are_validated_again_later(system: System) -> None:
    name = system.name
    cleaned = _repair_at_once(system)
    assert run("migrate", name).code == 0
    back = run("rollback", name, cleaned["run"], "--unvalidate", "--no-input", "--format", "json")
    assert back.code == 0, back.out + back.err
    assert back.json["migrations"] == ["0003_validate"]
    assert orphans(run("audit", name, "--format", "json").json) == broken(system.manifest)
    assert run("migrate", name, "--check").code == 1
    stopped = run("migrate", name)
    assert stopped.code == 2
    assert "integrity_cleanup" in stopped.err
    again = _repair_at_once(system)
    assert again["state"] == "finished"
    assert run("migrate", name).code == 0
    assert run("verify", name).code == 0


def _repair_at_once(system: System) -> dict[str, Any]:
    action = [] if system.name == "gaztime" else ["--action", "suggested"]
    return dict(run_json("cleanup", system.name, *action, "--no-input"))
