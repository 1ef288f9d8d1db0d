"""cts: foreign keys for new rows (phase 2 of 3).

Each key is written into its table's definition, at once at any size. It binds the connections that switch
foreign_keys on; saving a whole row that is still an orphan fails there, so resolve orphans first if the
application does that. Deletions do what stands above each key.

Apply it with: manage.py integrity_migrate cts --phase 2
"""

from integrity.operations import AddForeignKey, CatalogMigration


class Migration(CatalogMigration):
    """22 schema fixes."""

    target = "cts"
    phase = 2
    changes_rows = False
    dependencies = [
        ("catalog_cts", "0003_routines"),
    ]
    operations = [
        # A session is a session of somebody
        # Deleting a row of users deletes the rows of sessions that refer to it by user_id.
        AddForeignKey(
            table="sessions",
            columns=("user_id",),
            to="users",
            to_columns=("id",),
            name="fk_sessions_user",
            on_delete="CASCADE",
        ),
        # Nobody is left to read it
        # Deleting a row of users deletes the rows of notifications that refer to it by user_id.
        AddForeignKey(
            table="notifications",
            columns=("user_id",),
            to="users",
            to_columns=("id",),
            name="fk_notifications_user",
            on_delete="CASCADE",
        ),
        # Nobody is left to be alerted
        # Deleting a row of users deletes the rows of alerts that refer to it by user_id.
        AddForeignKey(
            table="alerts",
            columns=("user_id",),
            to="users",
            to_columns=("id",),
            name="fk_alerts_user",
            on_delete="CASCADE",
        ),
        # Prices of nothing
        # Deleting a row of symbols deletes the rows of market_data that refer to it by symbol_id.
        AddForeignKey(
            table="market_data",
            columns=("symbol_id",),
            to="symbols",
            to_columns=("id",),
            name="fk_market_data_symbol",
            on_delete="CASCADE",
        ),
        # A setting for a symbol goes with it
        # Deleting a row of symbols deletes the rows of preset_configurations that refer to it by symbol_id.
        AddForeignKey(
            table="preset_configurations",
            columns=("symbol_id",),
            to="symbols",
            to_columns=("id",),
            name="fk_preset_configurations_symbol",
            on_delete="CASCADE",
        ),
        # The state of a symbol that is not traded any more
        # Deleting a row of symbols deletes the rows of indication_states that refer to it by symbol_id.
        AddForeignKey(
            table="indication_states",
            columns=("symbol_id",),
            to="symbols",
            to_columns=("id",),
            name="fk_indication_states_symbol",
            on_delete="CASCADE",
        ),
        # A signal for a symbol that is not traded any more
        # Deleting a row of symbols deletes the rows of strategy_signals that refer to it by symbol_id.
        AddForeignKey(
            table="strategy_signals",
            columns=("symbol_id",),
            to="symbols",
            to_columns=("id",),
            name="fk_strategy_signals_symbol",
            on_delete="CASCADE",
        ),
        # An alert without a symbol is one on the whole market
        # Deleting a row of symbols sets symbol_id to NULL in the rows of alerts that refer to it.
        AddForeignKey(
            table="alerts",
            columns=("symbol_id",),
            to="symbols",
            to_columns=("id",),
            name="fk_alerts_symbol",
            on_delete="SET NULL",
        ),
        # A symbol with orders is not deleted, it is made inactive
        # Deleting a row of symbols is refused while rows of orders refer to it by symbol_id.
        AddForeignKey(
            table="orders",
            columns=("symbol_id",),
            to="symbols",
            to_columns=("id",),
            name="fk_orders_symbol",
            on_delete="RESTRICT",
        ),
        # Parameters of a strategy go with it
        # Deleting a row of strategies deletes the rows of strategy_configurations that refer to it by
        # strategy_id.
        AddForeignKey(
            table="strategy_configurations",
            columns=("strategy_id",),
            to="strategies",
            to_columns=("id",),
            name="fk_strategy_configurations_strategy",
            on_delete="CASCADE",
        ),
        # A signal is one of a strategy
        # Deleting a row of strategies deletes the rows of strategy_signals that refer to it by strategy_id.
        AddForeignKey(
            table="strategy_signals",
            columns=("strategy_id",),
            to="strategies",
            to_columns=("id",),
            name="fk_strategy_signals_strategy",
            on_delete="CASCADE",
        ),
        # A test of a strategy goes with it
        # Deleting a row of strategies deletes the rows of backtests that refer to it by strategy_id.
        AddForeignKey(
            table="backtests",
            columns=("strategy_id",),
            to="strategies",
            to_columns=("id",),
            name="fk_backtests_strategy",
            on_delete="CASCADE",
        ),
        # A result is a part of its test
        # Deleting a row of backtests deletes the rows of backtest_results that refer to it by backtest_id.
        AddForeignKey(
            table="backtest_results",
            columns=("backtest_id",),
            to="backtests",
            to_columns=("id",),
            name="fk_backtest_results_backtest",
            on_delete="CASCADE",
        ),
        # What happened to a position goes with it
        # Deleting a row of pseudo_positions deletes the rows of position_history that refer to it by
        # pseudo_position_id.
        AddForeignKey(
            table="position_history",
            columns=("pseudo_position_id",),
            to="pseudo_positions",
            to_columns=("id",),
            name="fk_position_history_pseudo_position",
            on_delete="CASCADE",
        ),
        # A validated position stands without the simulation that it came from
        # Deleting a row of pseudo_positions sets pseudo_position_id to NULL in the rows of
        # real_pseudo_positions that refer to it.
        AddForeignKey(
            table="real_pseudo_positions",
            columns=("pseudo_position_id",),
            to="pseudo_positions",
            to_columns=("id",),
            name="fk_real_pseudo_positions_pseudo_position",
            on_delete="SET NULL",
        ),
        # A live position stands without the validation that it came from
        # Deleting a row of real_pseudo_positions sets real_position_id to NULL in the rows of
        # active_exchange_positions that refer to it.
        AddForeignKey(
            table="active_exchange_positions",
            columns=("real_position_id",),
            to="real_pseudo_positions",
            to_columns=("id",),
            name="fk_active_exchange_positions_real_position",
            on_delete="SET NULL",
        ),
        # A position stands without the configuration that it was found by
        # Deleting a row of base_pseudo_positions sets base_position_id to NULL in the rows of
        # preset_pseudo_positions that refer to it.
        AddForeignKey(
            table="preset_pseudo_positions",
            columns=("base_position_id",),
            to="base_pseudo_positions",
            to_columns=("id",),
            name="fk_preset_pseudo_positions_base_position",
            on_delete="SET NULL",
        ),
        # Trades stay on record without the simulated position
        # Deleting a row of preset_pseudo_positions sets preset_position_id to NULL in the rows of
        # preset_trades that refer to it.
        AddForeignKey(
            table="preset_trades",
            columns=("preset_position_id",),
            to="preset_pseudo_positions",
            to_columns=("id",),
            name="fk_preset_trades_preset_position",
            on_delete="SET NULL",
        ),
        # History stands without the current state
        # Deleting a row of indication_states sets indication_state_id to NULL in the rows of
        # indication_history that refer to it.
        AddForeignKey(
            table="indication_history",
            columns=("indication_state_id",),
            to="indication_states",
            to_columns=("id",),
            name="fk_indication_history_indication_state",
            on_delete="SET NULL",
        ),
        # A fill is a part of its order
        # Deleting a row of orders deletes the rows of trades that refer to it by order_id.
        AddForeignKey(
            table="trades",
            columns=("order_id",),
            to="orders",
            to_columns=("id",),
            name="fk_trades_order",
            on_delete="CASCADE",
        ),
        # An indication for a symbol goes with it
        # Deleting a row of symbols deletes the rows of optimal_indications that refer to it by symbol_id.
        AddForeignKey(
            table="optimal_indications",
            columns=("symbol_id",),
            to="symbols",
            to_columns=("id",),
            name="fk_optimal_indications_symbol",
            on_delete="CASCADE",
        ),
        # An indication stands without the configuration that it was found by
        # Deleting a row of base_pseudo_positions sets base_position_id to NULL in the rows of
        # optimal_indications that refer to it.
        AddForeignKey(
            table="optimal_indications",
            columns=("base_position_id",),
            to="base_pseudo_positions",
            to_columns=("id",),
            name="fk_optimal_indications_base_position",
            on_delete="SET NULL",
        ),
    ]
