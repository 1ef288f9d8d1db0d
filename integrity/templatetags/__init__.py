"""Filters that the templates of this app use."""
