"""Reader profiles as data."""
