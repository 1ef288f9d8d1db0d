"""Pages that programs read."""
