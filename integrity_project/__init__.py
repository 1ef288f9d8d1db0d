"""A Django site to try the product with; it is not part of the distribution."""
