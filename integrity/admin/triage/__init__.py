"""Triage: what is wrong, why, and what can become of it, as people who know the business read it."""
