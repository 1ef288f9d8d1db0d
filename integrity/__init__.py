"""From unknown to enforced: referential integrity for databases that have lost it."""

__version__ = "0.1.0"
