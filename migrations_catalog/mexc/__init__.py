"""What should hold in mexc: catalog.toml and its migrations."""
