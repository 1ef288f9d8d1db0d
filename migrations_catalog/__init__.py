"""One folder for each target: what should hold there, and the migrations that make it so."""
