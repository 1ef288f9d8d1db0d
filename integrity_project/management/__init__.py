"""Commands of the site that is shipped to try the product with."""
