"""The room's error tree: `StandaloneError`, with nothing under it."""


class StandaloneError(Exception):
    """Something on this machine keeps the standalone form from running; the message says what, where and what to do."""
