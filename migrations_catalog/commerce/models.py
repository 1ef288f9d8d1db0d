"""No models: nothing of commerce belongs to this site."""
