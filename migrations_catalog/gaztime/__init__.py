"""What should hold in gaztime: catalog.toml and its migrations."""
