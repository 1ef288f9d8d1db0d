"""What is looked for in scripts: one file a check, found through the registry in ``base``."""
