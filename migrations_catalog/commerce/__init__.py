"""What should hold in commerce: catalog.toml and its migrations."""
