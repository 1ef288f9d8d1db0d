"""libSQL: a fork of SQLite with a Python driver of its own, in files of SQLite's format."""
