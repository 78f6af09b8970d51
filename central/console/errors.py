"""The room's error tree: `ConsoleError`, and under it what isn't there."""


class ConsoleError(Exception):
    """The console can't do what was asked; the message says what, where and what to do."""


class NotThereError(ConsoleError):
    """What was asked for isn't there; the message is the API's."""
