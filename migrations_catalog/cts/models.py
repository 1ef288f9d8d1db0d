"""No models: nothing of cts belongs to this site."""
