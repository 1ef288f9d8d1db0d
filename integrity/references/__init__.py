"""What should hold in a target: references, and where each came from."""

from integrity.references.catalog import Catalog, load_catalog
from integrity.references.reference import Reference, Resolution, Source, matching_key
from integrity.references.resolve import known_references

__all__ = [
    "Catalog",
    "Reference",
    "Resolution",
    "Source",
    "known_references",
    "load_catalog",
    "matching_key",
]
