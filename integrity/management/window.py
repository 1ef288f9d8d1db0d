"""The hours in which a target may be migrated, as a command line has them."""

from __future__ import annotations

from argparse import ArgumentTypeError

from integrity.tasks.window import Longest, Window, read_window

__all__ = ["Longest", "Window", "window"]


def window(text: str) -> Window:
    """Reads ``22:00-05:30`` from a command line."""
    try:
        return read_window(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
