"""Gives a key another type, together with all that refers to it."""

from __future__ import annotations

from integrity.operations.convert_column import ConvertColumn, Written


class ConvertKey(ConvertColumn):
    """Changes the type of a key together with all columns that refer to it; re-entrant, reversible.

    Both sides change in one transaction. Foreign keys between them are taken off and put back as they
    were: validated, deferrable, with their actions. An identity, a SERIAL's default and AUTOINCREMENT go
    with the number, and come back with it where they stood. Of the columns that refer, those that have
    the new type already are left.

    Args:
        table, column, from_type, to_type, default: as with :class:`ConvertColumn`.
        referring: the columns that refer to it, through any number of levels, as they are written:
            ``(("preset_trades", "preset_id"), …)``.
    """

    def __init__(
        self,
        *,
        table: str,
        column: str,
        from_type: Written,
        to_type: Written,
        referring: tuple[tuple[str, str], ...] = (),
        default: Written = "",
    ) -> None:
        super().__init__(table=table, column=column, from_type=from_type, to_type=to_type, default=default)
        self.referring = tuple((each, name) for each, name in referring)
