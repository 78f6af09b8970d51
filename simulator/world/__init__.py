"""Seeded world with radio."""
