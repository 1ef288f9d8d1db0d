"""SQLite 3.35 and later, libSQL files included."""
