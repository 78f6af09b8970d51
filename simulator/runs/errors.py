"""The errors of runs."""


class RunError(Exception):
    """A scenario can't be played, or not to its end; the message says why and what to do."""


class OptionError(RunError):
    """An option of a run is wrong, which was seen before anything was played."""
