"""What each result says to people, as blocks that a terminal, a log and Markdown can show."""
