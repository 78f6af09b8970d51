"""All of Stockgate on one machine."""
