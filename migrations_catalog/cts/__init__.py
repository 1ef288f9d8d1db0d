"""What should hold in cts: catalog.toml and its migrations."""
