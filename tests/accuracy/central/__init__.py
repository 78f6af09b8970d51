"""How right the central is over simulated months: an estate, played through its commits, against the truth."""
