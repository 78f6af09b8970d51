"""Simulated figures beside measured ones: each comes from a run of a scenario, none from a constant of the model."""
