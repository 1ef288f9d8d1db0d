"""What an operator runs; each command parses, calls the function that does the work, and formats."""
