"""The one error of runs."""


class RunError(Exception):
    """A scenario can't be played, or not to its end; the message says why and what to do."""
