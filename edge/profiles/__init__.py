"""Reader profiles: load, validate, match."""
