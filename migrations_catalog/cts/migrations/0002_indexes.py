"""cts: indexes (phase 1 of 3).

Each is built in one transaction; other writers wait meanwhile.

Apply it with: manage.py integrity_migrate cts --phase 1
"""

from integrity.operations import AddIndex, CatalogMigration


class Migration(CatalogMigration):
    """46 schema fixes."""

    target = "cts"
    phase = 1
    changes_rows = False
    dependencies = [
        ("catalog_cts", "0001_tables"),
    ]
    operations = [
        # Prices of a symbol over time
        AddIndex(
            table="market_data",
            columns=("symbol_id", "created_at"),
            name="idx_market_data_symbol_time",
        ),
        # History of a symbol on a connection over time
        AddIndex(
            table="indication_history",
            columns=("connection_id", "symbol", "created_at"),
            name="idx_indication_history_connection_time",
        ),
        # Open positions of a preset
        AddIndex(
            table="preset_pseudo_positions",
            columns=("preset_id", "status"),
            name="idx_preset_pseudo_positions_preset_status",
        ),
        # Open positions of a connection
        AddIndex(
            table="active_exchange_positions",
            columns=("connection_id", "status"),
            name="idx_active_exchange_positions_connection_status",
        ),
        # States of a symbol on a connection
        AddIndex(
            table="indication_states",
            columns=("connection_id", "symbol_id"),
            name="idx_indication_states_connection_symbol",
        ),
        # What a connection holds of an asset
        AddIndex(
            table="balances",
            columns=("connection_id", "asset"),
            name="idx_balances_connection_asset",
        ),
        # Optimal indications of a connection, newest first, as script 036 has it
        AddIndex(
            table="optimal_indications",
            columns=("connection_id", "created_at"),
            name="idx_optimal_indications_connection",
        ),
        # When a connection was last synchronised
        AddIndex(
            table="data_sync_log",
            columns=("connection_id", "created_at"),
            name="idx_data_sync_log_connection_time",
        ),
        # Open positions, newest first
        AddIndex(
            table="pseudo_positions",
            columns=("status", "created_at"),
            name="idx_pseudo_positions_status",
        ),
        # Configurations under evaluation, oldest first
        AddIndex(
            table="base_pseudo_positions",
            columns=("status", "created_at"),
            name="idx_base_pseudo_positions_status",
        ),
        # Orders that are not filled yet
        AddIndex(
            table="orders",
            columns=("status", "created_at"),
            name="idx_orders_status",
        ),
        # Trades that were closed in a time
        AddIndex(
            table="preset_trades",
            columns=("status", "closed_at"),
            name="idx_preset_trades_closed",
        ),
        # The log, newest first, and its pruning
        AddIndex(
            table="site_logs",
            columns=("created_at",),
            name="idx_site_logs_created_at",
        ),
        # History of a time, and its pruning
        AddIndex(
            table="indication_history",
            columns=("created_at",),
            name="idx_indication_history_created_at",
        ),
        # What refers to a row of users
        AddIndex(
            table="sessions",
            columns=("user_id",),
            name="idx_sessions_user_id",
        ),
        # What refers to a row of users
        AddIndex(
            table="notifications",
            columns=("user_id",),
            name="idx_notifications_user_id",
        ),
        # What refers to a row of users
        AddIndex(
            table="alerts",
            columns=("user_id",),
            name="idx_alerts_user_id",
        ),
        # What refers to a row of symbols
        AddIndex(
            table="preset_configurations",
            columns=("symbol_id",),
            name="idx_preset_configurations_symbol_id",
        ),
        # What refers to a row of symbols
        AddIndex(
            table="indication_states",
            columns=("symbol_id",),
            name="idx_indication_states_symbol_id",
        ),
        # What refers to a row of symbols
        AddIndex(
            table="strategy_signals",
            columns=("symbol_id",),
            name="idx_strategy_signals_symbol_id",
        ),
        # What refers to a row of symbols
        AddIndex(
            table="alerts",
            columns=("symbol_id",),
            name="idx_alerts_symbol_id",
        ),
        # What refers to a row of symbols
        AddIndex(
            table="orders",
            columns=("symbol_id",),
            name="idx_orders_symbol_id",
        ),
        # What refers to a row of exchange_connections
        AddIndex(
            table="volume_configuration",
            columns=("connection_id",),
            name="idx_volume_configuration_connection_id",
        ),
        # What refers to a row of exchange_connections
        AddIndex(
            table="base_pseudo_positions",
            columns=("connection_id",),
            name="idx_base_pseudo_positions_connection_id",
        ),
        # What refers to a row of exchange_connections
        AddIndex(
            table="pseudo_positions",
            columns=("connection_id",),
            name="idx_pseudo_positions_connection_id",
        ),
        # What refers to a row of exchange_connections
        AddIndex(
            table="real_pseudo_positions",
            columns=("connection_id",),
            name="idx_real_pseudo_positions_connection_id",
        ),
        # What refers to a row of exchange_connections
        AddIndex(
            table="preset_trades",
            columns=("connection_id",),
            name="idx_preset_trades_connection_id",
        ),
        # What refers to a row of exchange_connections
        AddIndex(
            table="orders",
            columns=("connection_id",),
            name="idx_orders_connection_id",
        ),
        # What refers to a row of strategies
        AddIndex(
            table="strategy_configurations",
            columns=("strategy_id",),
            name="idx_strategy_configurations_strategy_id",
        ),
        # What refers to a row of strategies
        AddIndex(
            table="strategy_signals",
            columns=("strategy_id",),
            name="idx_strategy_signals_strategy_id",
        ),
        # What refers to a row of strategies
        AddIndex(
            table="backtests",
            columns=("strategy_id",),
            name="idx_backtests_strategy_id",
        ),
        # What refers to a row of backtests
        AddIndex(
            table="backtest_results",
            columns=("backtest_id",),
            name="idx_backtest_results_backtest_id",
        ),
        # What refers to a row of pseudo_positions
        AddIndex(
            table="position_history",
            columns=("pseudo_position_id",),
            name="idx_position_history_pseudo_position_id",
        ),
        # What refers to a row of pseudo_positions
        AddIndex(
            table="real_pseudo_positions",
            columns=("pseudo_position_id",),
            name="idx_real_pseudo_positions_pseudo_position_id",
        ),
        # What refers to a row of real_pseudo_positions
        AddIndex(
            table="active_exchange_positions",
            columns=("real_position_id",),
            name="idx_active_exchange_positions_real_position_id",
        ),
        # What refers to a row of presets
        AddIndex(
            table="preset_configurations",
            columns=("preset_id",),
            name="idx_preset_configurations_preset_id",
        ),
        # What refers to a row of presets
        AddIndex(
            table="preset_coordination_results",
            columns=("preset_id",),
            name="idx_preset_coordination_results_preset_id",
        ),
        # What refers to a row of presets
        AddIndex(
            table="preset_trades",
            columns=("preset_id",),
            name="idx_preset_trades_preset_id",
        ),
        # What refers to a row of base_pseudo_positions
        AddIndex(
            table="preset_pseudo_positions",
            columns=("base_position_id",),
            name="idx_preset_pseudo_positions_base_position_id",
        ),
        # What refers to a row of preset_pseudo_positions
        AddIndex(
            table="preset_trades",
            columns=("preset_position_id",),
            name="idx_preset_trades_preset_position_id",
        ),
        # What refers to a row of indication_states
        AddIndex(
            table="indication_history",
            columns=("indication_state_id",),
            name="idx_indication_history_indication_state_id",
        ),
        # What refers to a row of orders
        AddIndex(
            table="trades",
            columns=("order_id",),
            name="idx_trades_order_id",
        ),
        # What refers to a row of symbols
        AddIndex(
            table="optimal_indications",
            columns=("symbol_id",),
            name="idx_optimal_indications_symbol_id",
        ),
        # What refers to a row of base_pseudo_positions
        AddIndex(
            table="optimal_indications",
            columns=("base_position_id",),
            name="idx_optimal_indications_base_position_id",
        ),
        # What refers to a row of presets
        AddIndex(
            table="preset_trade_engine_state",
            columns=("preset_id",),
            name="idx_preset_trade_engine_state_preset_id",
        ),
        # What refers to a row of exchange_connections
        AddIndex(
            table="preset_trade_engine_state",
            columns=("connection_id",),
            name="idx_preset_trade_engine_state_connection_id",
        ),
    ]
