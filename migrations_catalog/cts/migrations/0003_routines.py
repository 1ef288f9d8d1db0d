"""cts: functions, triggers and views (phase 1 of 3).

Made as the catalog says; what stands in their place is kept whole in the target's journal, and reversing this
brings it back. A trigger that refers to what is gone, and that the catalog cannot repair, fails every write
that fires it: it is dropped, and its definition stands here. From here on triggers act, and views answer, as
they are written below: look at them.

Apply it with: manage.py integrity_migrate cts --phase 1
"""

from integrity.operations import CatalogMigration, CreateRoutine, DropRoutine


class Migration(CatalogMigration):
    """11 schema fixes."""

    target = "cts"
    phase = 1
    changes_rows = False
    dependencies = [
        ("catalog_cts", "0002_indexes"),
    ]
    operations = [
        # It fails whenever it fires: table exchange_totals is gone.
        # To repair it instead, describe it as a [[routine]].
        DropRoutine(
            routine="trigger",
            name="active_positions_totals",
            definition="""CREATE TRIGGER active_positions_totals AFTER INSERT ON active_exchange_positions BEGIN
        UPDATE exchange_totals SET open_positions = open_positions + 1
        WHERE connection_id = NEW.connection_id;
    END""",
            vendor="sqlite",
            table="active_exchange_positions",
        ),
        # It fails whenever it fires: column stamped_at is gone.
        # To repair it instead, describe it as a [[routine]].
        DropRoutine(
            routine="trigger",
            name="stamp_base_position",
            definition="""CREATE TRIGGER stamp_base_position AFTER UPDATE ON base_pseudo_positions BEGIN
        UPDATE base_pseudo_positions SET stamped_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
    END""",
            vendor="sqlite",
            table="base_pseudo_positions",
        ),
        # It fails whenever it fires: table exchange_totals is gone in its function
        # refresh_exchange_totals().
        # To repair it instead, describe it as a [[routine]].
        DropRoutine(
            routine="trigger",
            name="active_positions_totals",
            definition="CREATE TRIGGER active_positions_totals AFTER INSERT ON public.active_exchange_positions FOR EACH ROW EXECUTE FUNCTION refresh_exchange_totals()",
            vendor="postgresql",
            table="active_exchange_positions",
        ),
        # It fails whenever it fires: function current_stamp is gone in its function stamp_base_position().
        # To repair it instead, describe it as a [[routine]].
        DropRoutine(
            routine="trigger",
            name="stamp_base_position",
            definition="CREATE TRIGGER stamp_base_position BEFORE UPDATE ON public.base_pseudo_positions FOR EACH ROW EXECUTE FUNCTION stamp_base_position()",
            vendor="postgresql",
            table="base_pseudo_positions",
        ),
        # Script 036 calls it, and nothing ever made it
        CreateRoutine(
            routine="function",
            name="update_updated_at_column",
            create={
                "postgresql": """CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END $$"""
            },
        ),
        # pnl_percent is called profit_loss now
        # Another one stands there: it is replaced, and kept in the journal.
        CreateRoutine(
            routine="function",
            name="preset_win_rate",
            create={
                "postgresql": """CREATE OR REPLACE FUNCTION preset_win_rate(wanted text) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT avg(CASE WHEN t.profit_loss > 0 THEN 1 ELSE 0 END)
            FROM preset_trades t WHERE t.preset_id = wanted);
END $$"""
            },
        ),
        # leverage_mode is called leverage now
        CreateRoutine(
            routine="view",
            name="open_positions",
            create={
                "postgresql": """CREATE VIEW open_positions AS
SELECT id, symbol, side, entry_price, leverage FROM pseudo_positions WHERE status = 'active'""",
                "sqlite": """CREATE VIEW open_positions AS
SELECT id, symbol, side, entry_price, leverage FROM pseudo_positions WHERE status = 'active'""",
            },
        ),
        # Says when a row was last changed
        CreateRoutine(
            routine="trigger",
            name="update_exchange_connections_updated_at",
            create={
                "postgresql": """CREATE TRIGGER update_exchange_connections_updated_at BEFORE UPDATE ON exchange_connections
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()""",
                "sqlite": """CREATE TRIGGER update_exchange_connections_updated_at AFTER UPDATE ON exchange_connections
WHEN NEW.updated_at IS OLD.updated_at BEGIN
    UPDATE exchange_connections SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
END""",
            },
            table="exchange_connections",
        ),
        # Says when a row was last changed
        CreateRoutine(
            routine="trigger",
            name="update_base_pseudo_positions_updated_at",
            create={
                "postgresql": """CREATE TRIGGER update_base_pseudo_positions_updated_at BEFORE UPDATE ON base_pseudo_positions
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()""",
                "sqlite": """CREATE TRIGGER update_base_pseudo_positions_updated_at AFTER UPDATE ON base_pseudo_positions
WHEN NEW.updated_at IS OLD.updated_at BEGIN
    UPDATE base_pseudo_positions SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
END""",
            },
            table="base_pseudo_positions",
        ),
        # Says when a row was last changed
        CreateRoutine(
            routine="trigger",
            name="update_presets_updated_at",
            create={
                "postgresql": """CREATE TRIGGER update_presets_updated_at BEFORE UPDATE ON presets
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()""",
                "sqlite": """CREATE TRIGGER update_presets_updated_at AFTER UPDATE ON presets
WHEN NEW.updated_at IS OLD.updated_at BEGIN
    UPDATE presets SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
END""",
            },
            table="presets",
        ),
        # Says when a row was last changed
        CreateRoutine(
            routine="trigger",
            name="update_preset_trade_engine_state_updated_at",
            create={
                "postgresql": """CREATE TRIGGER update_preset_trade_engine_state_updated_at BEFORE UPDATE ON preset_trade_engine_state
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()""",
                "sqlite": """CREATE TRIGGER update_preset_trade_engine_state_updated_at AFTER UPDATE ON preset_trade_engine_state
WHEN NEW.updated_at IS OLD.updated_at BEGIN
    UPDATE preset_trade_engine_state SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
END""",
            },
            table="preset_trade_engine_state",
        ),
    ]
