"""The chapters of the demo, one a system."""

import psycopg

from fixtures import trulybot
from integrity_project.postgres import PostgresServer
from integrity_project.story import Story, StoryError


def gaztime_chapter(story: Story) -> None:
    """Tells of gaztime: the whole way in phases, and one repair taken back."""
    story.chapter(
        "gaztime · PostgreSQL",
        "Stop the bleeding first: indexes, then foreign keys that bind new rows. Then clean, then validate.",
    )
    story.say("A backup first.")
    story.run("integrity_backup", "gaztime")
    story.say("What is wrong? Exit code 1 says: there are findings.")
    story.run("integrity_audit", "gaztime", ends_with=(1,))
    story.say("What would be done about it, through every level, before anything is.")
    story.run("integrity_plan", "gaztime")
    story.say("Phases 1 and 2: the indexes, and the foreign keys for new rows, while others go on writing.")
    story.run("integrity_migrate", "gaztime", "--phase", "2")
    story.say("The repair, by the catalog's policies: every row that it touches is in the journal first.")
    story.run("integrity_cleanup", "gaztime", "--no-input", "--require-backup")
    story.say("Phase 3: the foreign keys hold for every row.")
    story.run("integrity_migrate", "gaztime")
    story.say(
        "And the proof: rows that must be refused are tried, plans are read, flows are run and taken back."
    )
    story.run("integrity_verify", "gaztime")
    story.say(
        "One thing back: the orders of pods that are gone. A foreign key stands in the way, and says so."
    )
    one = ("integrity_rollback", "gaztime", "1", "--reference", "orders.pod_id", "--no-input")
    story.run(*one, ends_with=(2,))
    story.run(*one, "--unvalidate")


def trulybot_chapter(story: Story, server: PostgresServer) -> None:
    """Tells of trulybot: an error that nobody understands, and what came of it."""
    story.chapter(
        "trulybot · PostgreSQL as Supabase has it",
        "A migration stopped half way, production is half migrated, and all that anybody has is this:\n\n"
        + _error(server),
    )
    story.say("What does it mean? Which rows, how many more like it, why, and what to run.")
    story.run("integrity_explain", trulybot.ERROR)
    story.say("Before anything is deleted: is it worth keeping? Exit code 1 says: there are orphans.")
    story.run("integrity_diagnose", "trulybot", "--reference", "orders.user_id", ends_with=(1,))
    story.say("First the foreign keys for new rows; what the failed migration had made is adopted.")
    story.run("integrity_backup", "trulybot")
    story.run("integrity_migrate", "trulybot", "--phase", "2")
    story.say("The repair that the team had decided on. Every row is in the journal, and in error_logs.")
    story.run("integrity_cleanup", "trulybot", "--no-input", "--require-backup")
    story.say("Were the orders worth keeping? They come back, each as it was, and can be looked at again.")
    story.run(
        "integrity_rollback", "trulybot", "1", "--reference", "orders.user_id", "--unvalidate", "--no-input"
    )
    story.say("They were not. Once more; then leads.user_id, a text in five spellings, becomes a UUID.")
    story.run("integrity_cleanup", "trulybot", "--no-input", "--require-backup")
    story.run("integrity_migrate", "trulybot")
    story.run("integrity_verify", "trulybot")
    story.run("integrity_log", "trulybot")


def _error(server: PostgresServer) -> str:
    """Runs what the failed migration ran, and returns what it says."""
    try:
        with psycopg.connect(server.url("trulybot")) as connection:
            connection.execute(trulybot.FAILING_STATEMENT)
    except psycopg.errors.ForeignKeyViolation as error:
        said = error.diag
        return f"ERROR:  {said.sqlstate}: {said.message_primary}\n{said.message_detail}"
    raise StoryError("the failing migration did not fail")


def mexc_chapter(story: Story) -> None:
    """Tells of mexc: keys written into a SQLite file, and everything back."""
    story.chapter(
        "mexc · SQLite",
        "Its catalog keeps orphans until somebody decides. Somebody does, as the delete actions suggest.",
    )
    story.run("integrity_backup", "mexc")
    story.run("integrity_audit", "mexc", ends_with=(1,))
    story.run("integrity_cleanup", "mexc", "--action", "suggested", "--no-input")
    story.say("Foreign keys are written into the stored schema in place, whatever the size of the file.")
    story.run("integrity_migrate", "mexc")
    story.run("integrity_verify", "mexc")
    story.say("Everything back, structure and rows, and the comparison that proves it.")
    story.run("integrity_rollback", "mexc", "1", "--with-migrations", "--no-input")
    story.run("integrity_log", "mexc")
    story.say("On libSQL it is the same with mexc=libsql:////the/file in INTEGRITY_TARGETS: docs/libsql.md.")


def commerce_chapter(story: Story) -> None:
    """Tells of commerce: more than foreign keys."""
    story.chapter(
        "commerce · a multi-tenant shop on PostgreSQL",
        "Rows of stores that are gone, products in the category of another store, slugs that occur twice in "
        "a store, a JSON column that repeats the orders and no longer agrees, and queries that must not get "
        "slower.",
    )
    story.run("integrity_backup", "commerce")
    story.say("What is wrong? Orphans, duplicates, what nothing enforces, and where the JSON disagrees.")
    story.run("integrity_audit", "commerce", ends_with=(1,))
    story.say("Phase 1: indexes. The hot queries are measured before and after, on real values.")
    story.run("integrity_migrate", "commerce", "--phase", "1", "--queries", "--query-seconds", "3")
    story.say("Phase 2: foreign keys for new rows; checks before and after.")
    story.run("integrity_migrate", "commerce", "--phase", "2")
    story.say("The tenants of stores that are gone, and all that belongs to them.")
    story.run("integrity_cleanup", "commerce", "--no-input", "--require-backup")
    story.say("Duplicates: categories are renamed, tags merged, with the products that have both.")
    story.run("integrity_deduplicate", "commerce", "--dry-run")
    story.run("integrity_deduplicate", "commerce", "--no-input", "--require-backup")
    story.say("Phase 3: uniques and foreign keys for all rows.")
    story.run("integrity_migrate", "commerce", "0003")
    story.say("The JSON that repeats the orders is to go. What does it say, and who reads it?")
    column = ("--column", "store_customers.orders", "--source", "fixtures/commerce/application")
    story.run("integrity_diagnose", "commerce", *column, ends_with=(0, 1))
    story.say("It is rewritten from the table, a view answers old readers, the column goes to the journal.")
    story.run("integrity_migrate", "commerce")
    story.run("integrity_verify", "commerce")
    story.say("The relation graph as models, both directions named: those that are shipped say it already.")
    story.run("integrity_models", "commerce", "--check")
    story.say("The duplicates back? Uniques stand in the way, and say so; with the structure, they come.")
    back = ("integrity_rollback", "commerce", "2", "--no-input")
    story.run(*back, ends_with=(2,))
    story.run(*back, "--with-migrations")


def cts_chapter(story: Story) -> None:
    """Tells of cts: two engines, two migration systems, one schema."""
    story.chapter(
        "cts · a trading suite on PostgreSQL, and in a SQLite file",
        "Two migration systems define one table in three ways; keys are integers here, text there, UUIDs "
        "elsewhere; tables and columns are missing, triggers cannot work, and a ledger says that a script "
        "ran which did nothing.",
    )
    story.say("The damage was done by the tools. What is wrong in the scripts, the route and the additions?")
    story.run("integrity_scripts", "fixtures/cts/scripts/036_create_optimal_indication_tables.sql",
              "fixtures/cts/app", "fixtures/cts/lib", ends_with=(1,))  # fmt: skip
    story.say("And in the database? Exit code 2: what refers to a missing table could not be looked at.")
    story.run("integrity_backup", "cts")
    story.run("integrity_audit", "cts", ends_with=(2,))
    story.say("Phases 1 and 2: tables, columns, indexes, routines, and the keys that fit already.")
    story.run("integrity_migrate", "cts", "--phase", "2")
    story.say("Trades that spell their preset in capitals or braces find it again; the others lost it.")
    _cts_cleaned(story, "cts")
    story.say("Phase 3: keys become text, with all that refers to them; the user of a connection goes.")
    story.run("integrity_migrate", "cts")
    story.run("integrity_verify", "cts")
    story.say("The same catalog, the same migrations, in a file.")
    story.run("integrity_backup", "cts_file")
    story.run("integrity_migrate", "cts_file", "--phase", "2")
    _cts_cleaned(story, "cts_file")
    story.run("integrity_migrate", "cts_file")
    story.run("integrity_verify", "cts_file")
    story.say("And back, structure and rows: what was text is a number again, the user is there again.")
    story.run("integrity_rollback", "cts_file", "2", "--with-migrations", "--no-input")


def _cts_cleaned(story: Story, alias: str) -> None:
    """Repairs by policy, then what no policy says: trades of presets that are really gone."""
    story.run("integrity_cleanup", alias, "--no-input", "--require-backup")
    reference = ("--reference", "preset_trades.preset_id")
    story.run("integrity_cleanup", alias, *reference, "--action", "set_null", "--no-input")
