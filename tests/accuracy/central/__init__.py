"""How right the central is over simulated months: an estate played through its commit pipeline and held against the truth."""
