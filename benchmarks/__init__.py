"""Against what a user would do instead, side by side in one run, as ratios."""
