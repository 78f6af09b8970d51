"""HTTP API and live feed."""
