"""cts: seed data for tests (phase 3 of 3).

Applied in the environment test alone, as the catalog says. Reversing it takes its rows out.

Apply it with: manage.py integrity_migrate cts --environment test
"""

from integrity.operations import CatalogMigration, RunScript

ROWS = [
    """INSERT INTO exchange_connections (id, name, exchange) VALUES ('test-connection', 'Test', 'bybit')
    ON CONFLICT DO NOTHING""",
    "INSERT INTO presets (id, name) VALUES ('test-preset', 'Test') ON CONFLICT DO NOTHING",
    """INSERT INTO symbols (symbol, base_asset, quote_asset) SELECT 'TESTUSDT', 'TEST', 'USDT'
    WHERE NOT EXISTS (SELECT 1 FROM symbols WHERE symbol = 'TESTUSDT')""",
]
BACK = [
    "DELETE FROM symbols WHERE symbol = 'TESTUSDT'",
    "DELETE FROM presets WHERE id = 'test-preset'",
    "DELETE FROM exchange_connections WHERE id = 'test-connection'",
]


class Migration(CatalogMigration):
    """1 script."""

    target = "cts"
    phase = 3
    changes_rows = True
    dependencies = [
        ("catalog_cts", "0006_remove_columns"),
    ]
    operations = [
        # A connection, a preset and a symbol to test with
        RunScript(
            script="seed_test_data",
            sql={"postgresql": ROWS, "sqlite": ROWS},
            reverse={"postgresql": BACK, "sqlite": BACK},
        ),
    ]
