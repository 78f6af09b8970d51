"""The room's error tree: `ConsoleError`, with nothing under it."""


class ConsoleError(Exception):
    """The console can't do what was asked; the message says what, where and what to do."""
