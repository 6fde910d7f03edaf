"""The definition language: everything between a YAML file and checked requests."""
