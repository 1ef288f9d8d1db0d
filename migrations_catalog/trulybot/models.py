"""No models: nothing of trulybot belongs to this site."""
