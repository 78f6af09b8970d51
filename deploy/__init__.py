"""How Stockgate is run."""
