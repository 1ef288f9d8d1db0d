"""Pictures as inline SVG: no script, no colour of their own, and every fact of theirs in words as well."""
