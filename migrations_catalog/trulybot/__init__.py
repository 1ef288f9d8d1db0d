"""What should hold in trulybot: catalog.toml and its migrations."""
