"""No models: nothing of mexc belongs to this site."""
