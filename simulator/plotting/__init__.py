"""Pictures of scenarios: floor plan, paths, and what a tag's reads look like over time."""
