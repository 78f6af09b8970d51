"""The one error of scenarios."""


class ScenarioError(Exception):
    """A scenario that can't be used; says which file, where in it, and what to change."""
