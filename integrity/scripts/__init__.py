"""SQL scripts, and SQL inside source files: what they define, and what is wrong with them."""
