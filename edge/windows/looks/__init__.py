"""A visit looked at in one call: measured, and the fitted trees asked; alone, and then with its company."""
