"""No models: nothing of gaztime belongs to this site."""
