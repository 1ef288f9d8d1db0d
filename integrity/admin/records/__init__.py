"""Pages of what is kept: what it was, how it went, what it found and left out, and where to go from there."""
