"""Use cases and ports."""
