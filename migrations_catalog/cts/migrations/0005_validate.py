"""cts: foreign keys for all rows (phase 3 of 3).

A key binds all rows by its nature here. This checks that no orphan is left, and changes nothing. A column
that changes its type is rewritten, and with a key all that refers to it: readers and writers of these tables
wait meanwhile. Values that cannot be read stop it before the first change. Not before the application knows
the new type.

Apply it with: manage.py integrity_migrate cts --phase 3
"""

from integrity.operations import AddForeignKey, CatalogMigration, ConvertKey, ValidateForeignKey


class Migration(CatalogMigration):
    """60 schema fixes."""

    target = "cts"
    phase = 3
    changes_rows = False
    dependencies = [
        ("catalog_cts", "0004_foreign_keys"),
    ]
    operations = [
        # One key of text, whichever script or route made the table
        ConvertKey(
            table="exchange_connections",
            column="id",
            from_type={"postgresql": "integer", "sqlite": "INTEGER"},
            to_type={"postgresql": "text", "sqlite": "TEXT"},
            referring=(
                ("volume_configuration", "connection_id"),
                ("balances", "connection_id"),
                ("base_pseudo_positions", "connection_id"),
                ("pseudo_positions", "connection_id"),
                ("real_pseudo_positions", "connection_id"),
                ("indication_states", "connection_id"),
                ("indication_history", "connection_id"),
                ("data_sync_log", "connection_id"),
                ("preset_trades", "connection_id"),
                ("active_exchange_positions", "connection_id"),
                ("orders", "connection_id"),
                ("optimal_indications", "connection_id"),
                ("preset_trade_engine_state", "connection_id"),
            ),
            default={"postgresql": "gen_random_uuid()::text", "sqlite": "(lower(hex(randomblob(16))))"},
        ),
        # A key of text on both engines; whatever refers to it is text already
        ConvertKey(
            table="presets",
            column="id",
            from_type={"postgresql": "uuid"},
            to_type={"postgresql": "text"},
            referring=(
                ("preset_configurations", "preset_id"),
                ("preset_pseudo_positions", "preset_id"),
                ("preset_coordination_results", "preset_id"),
                ("preset_trades", "preset_id"),
                ("preset_trade_engine_state", "preset_id"),
            ),
            default={"postgresql": "gen_random_uuid()::text"},
        ),
        ValidateForeignKey(
            table="sessions",
            columns=("user_id",),
            to="users",
            to_columns=("id",),
            name="fk_sessions_user",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="notifications",
            columns=("user_id",),
            to="users",
            to_columns=("id",),
            name="fk_notifications_user",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="alerts",
            columns=("user_id",),
            to="users",
            to_columns=("id",),
            name="fk_alerts_user",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="market_data",
            columns=("symbol_id",),
            to="symbols",
            to_columns=("id",),
            name="fk_market_data_symbol",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="preset_configurations",
            columns=("symbol_id",),
            to="symbols",
            to_columns=("id",),
            name="fk_preset_configurations_symbol",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="indication_states",
            columns=("symbol_id",),
            to="symbols",
            to_columns=("id",),
            name="fk_indication_states_symbol",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="strategy_signals",
            columns=("symbol_id",),
            to="symbols",
            to_columns=("id",),
            name="fk_strategy_signals_symbol",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="alerts",
            columns=("symbol_id",),
            to="symbols",
            to_columns=("id",),
            name="fk_alerts_symbol",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="orders",
            columns=("symbol_id",),
            to="symbols",
            to_columns=("id",),
            name="fk_orders_symbol",
            on_delete="RESTRICT",
        ),
        # Volumes are set for a connection
        # Deleting a row of exchange_connections deletes the rows of volume_configuration that refer to it
        # by connection_id.
        AddForeignKey(
            table="volume_configuration",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_volume_configuration_connection",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="volume_configuration",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_volume_configuration_connection",
            on_delete="CASCADE",
        ),
        # A balance is one of a connection
        # Deleting a row of exchange_connections deletes the rows of balances that refer to it by
        # connection_id.
        AddForeignKey(
            table="balances",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_balances_connection",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="balances",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_balances_connection",
            on_delete="CASCADE",
        ),
        # Configurations are found for a connection
        # Deleting a row of exchange_connections deletes the rows of base_pseudo_positions that refer to it
        # by connection_id.
        AddForeignKey(
            table="base_pseudo_positions",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_base_pseudo_positions_connection",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="base_pseudo_positions",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_base_pseudo_positions_connection",
            on_delete="CASCADE",
        ),
        # A simulation on a connection goes with it
        # Deleting a row of exchange_connections deletes the rows of pseudo_positions that refer to it by
        # connection_id.
        AddForeignKey(
            table="pseudo_positions",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_pseudo_positions_connection",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="pseudo_positions",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_pseudo_positions_connection",
            on_delete="CASCADE",
        ),
        # A validation on a connection goes with it
        # Deleting a row of exchange_connections deletes the rows of real_pseudo_positions that refer to it
        # by connection_id.
        AddForeignKey(
            table="real_pseudo_positions",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_real_pseudo_positions_connection",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="real_pseudo_positions",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_real_pseudo_positions_connection",
            on_delete="CASCADE",
        ),
        # The state on a connection goes with it
        # Deleting a row of exchange_connections deletes the rows of indication_states that refer to it by
        # connection_id.
        AddForeignKey(
            table="indication_states",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_indication_states_connection",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="indication_states",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_indication_states_connection",
            on_delete="CASCADE",
        ),
        # History of a connection goes with it
        # Deleting a row of exchange_connections deletes the rows of indication_history that refer to it by
        # connection_id.
        AddForeignKey(
            table="indication_history",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_indication_history_connection",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="indication_history",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_indication_history_connection",
            on_delete="CASCADE",
        ),
        # What was synchronised stays on record
        # Deleting a row of exchange_connections sets connection_id to NULL in the rows of data_sync_log
        # that refer to it.
        AddForeignKey(
            table="data_sync_log",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_data_sync_log_connection",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="data_sync_log",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_data_sync_log_connection",
            on_delete="SET NULL",
        ),
        # Trades stay on record when their connection goes
        # Deleting a row of exchange_connections sets connection_id to NULL in the rows of preset_trades
        # that refer to it.
        AddForeignKey(
            table="preset_trades",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_preset_trades_connection",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="preset_trades",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_preset_trades_connection",
            on_delete="SET NULL",
        ),
        # Money is at stake: a connection with open positions is not deleted
        # Deleting a row of exchange_connections is refused while rows of active_exchange_positions refer to
        # it by connection_id.
        AddForeignKey(
            table="active_exchange_positions",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_active_exchange_positions_connection",
            on_delete="RESTRICT",
        ),
        ValidateForeignKey(
            table="active_exchange_positions",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_active_exchange_positions_connection",
            on_delete="RESTRICT",
        ),
        # Orders are on record at the exchange too: their connection is disabled, not deleted
        # Deleting a row of exchange_connections is refused while rows of orders refer to it by
        # connection_id.
        AddForeignKey(
            table="orders",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_orders_connection",
            on_delete="RESTRICT",
        ),
        ValidateForeignKey(
            table="orders",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_orders_connection",
            on_delete="RESTRICT",
        ),
        ValidateForeignKey(
            table="strategy_configurations",
            columns=("strategy_id",),
            to="strategies",
            to_columns=("id",),
            name="fk_strategy_configurations_strategy",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="strategy_signals",
            columns=("strategy_id",),
            to="strategies",
            to_columns=("id",),
            name="fk_strategy_signals_strategy",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="backtests",
            columns=("strategy_id",),
            to="strategies",
            to_columns=("id",),
            name="fk_backtests_strategy",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="backtest_results",
            columns=("backtest_id",),
            to="backtests",
            to_columns=("id",),
            name="fk_backtest_results_backtest",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="position_history",
            columns=("pseudo_position_id",),
            to="pseudo_positions",
            to_columns=("id",),
            name="fk_position_history_pseudo_position",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="real_pseudo_positions",
            columns=("pseudo_position_id",),
            to="pseudo_positions",
            to_columns=("id",),
            name="fk_real_pseudo_positions_pseudo_position",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="active_exchange_positions",
            columns=("real_position_id",),
            to="real_pseudo_positions",
            to_columns=("id",),
            name="fk_active_exchange_positions_real_position",
            on_delete="SET NULL",
        ),
        # Settings of a preset go with it
        # Deleting a row of presets deletes the rows of preset_configurations that refer to it by preset_id.
        AddForeignKey(
            table="preset_configurations",
            columns=("preset_id",),
            to="presets",
            to_columns=("id",),
            name="fk_preset_configurations_preset",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="preset_configurations",
            columns=("preset_id",),
            to="presets",
            to_columns=("id",),
            name="fk_preset_configurations_preset",
            on_delete="CASCADE",
        ),
        # Simulated positions of a preset go with it
        # Deleting a row of presets deletes the rows of preset_pseudo_positions that refer to it by
        # preset_id.
        AddForeignKey(
            table="preset_pseudo_positions",
            columns=("preset_id",),
            to="presets",
            to_columns=("id",),
            name="fk_preset_pseudo_positions_preset",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="preset_pseudo_positions",
            columns=("preset_id",),
            to="presets",
            to_columns=("id",),
            name="fk_preset_pseudo_positions_preset",
            on_delete="CASCADE",
        ),
        # Results of a preset go with it
        # Deleting a row of presets deletes the rows of preset_coordination_results that refer to it by
        # preset_id.
        AddForeignKey(
            table="preset_coordination_results",
            columns=("preset_id",),
            to="presets",
            to_columns=("id",),
            name="fk_preset_coordination_results_preset",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="preset_coordination_results",
            columns=("preset_id",),
            to="presets",
            to_columns=("id",),
            name="fk_preset_coordination_results_preset",
            on_delete="CASCADE",
        ),
        # Trades stay on record when their preset goes; those that spell it otherwise mean a preset that is
        # there
        # Deleting a row of presets sets preset_id to NULL in the rows of preset_trades that refer to it.
        AddForeignKey(
            table="preset_trades",
            columns=("preset_id",),
            to="presets",
            to_columns=("id",),
            name="fk_preset_trades_preset",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="preset_trades",
            columns=("preset_id",),
            to="presets",
            to_columns=("id",),
            name="fk_preset_trades_preset",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="preset_pseudo_positions",
            columns=("base_position_id",),
            to="base_pseudo_positions",
            to_columns=("id",),
            name="fk_preset_pseudo_positions_base_position",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="preset_trades",
            columns=("preset_position_id",),
            to="preset_pseudo_positions",
            to_columns=("id",),
            name="fk_preset_trades_preset_position",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="indication_history",
            columns=("indication_state_id",),
            to="indication_states",
            to_columns=("id",),
            name="fk_indication_history_indication_state",
            on_delete="SET NULL",
        ),
        ValidateForeignKey(
            table="trades",
            columns=("order_id",),
            to="orders",
            to_columns=("id",),
            name="fk_trades_order",
            on_delete="CASCADE",
        ),
        # An indication found on a connection goes with it
        # Deleting a row of exchange_connections deletes the rows of optimal_indications that refer to it by
        # connection_id.
        AddForeignKey(
            table="optimal_indications",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_optimal_indications_connection",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="optimal_indications",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_optimal_indications_connection",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="optimal_indications",
            columns=("symbol_id",),
            to="symbols",
            to_columns=("id",),
            name="fk_optimal_indications_symbol",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="optimal_indications",
            columns=("base_position_id",),
            to="base_pseudo_positions",
            to_columns=("id",),
            name="fk_optimal_indications_base_position",
            on_delete="SET NULL",
        ),
        # The engine has no state for a preset that is gone
        # Deleting a row of presets deletes the rows of preset_trade_engine_state that refer to it by
        # preset_id.
        AddForeignKey(
            table="preset_trade_engine_state",
            columns=("preset_id",),
            to="presets",
            to_columns=("id",),
            name="fk_preset_trade_engine_state_preset",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="preset_trade_engine_state",
            columns=("preset_id",),
            to="presets",
            to_columns=("id",),
            name="fk_preset_trade_engine_state_preset",
            on_delete="CASCADE",
        ),
        # The engine has no state on a connection that is gone
        # Deleting a row of exchange_connections deletes the rows of preset_trade_engine_state that refer to
        # it by connection_id.
        AddForeignKey(
            table="preset_trade_engine_state",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_preset_trade_engine_state_connection",
            on_delete="CASCADE",
        ),
        ValidateForeignKey(
            table="preset_trade_engine_state",
            columns=("connection_id",),
            to="exchange_connections",
            to_columns=("id",),
            name="fk_preset_trade_engine_state_connection",
            on_delete="CASCADE",
        ),
    ]
