"""The room's error tree: `StandaloneError`, under it a wrong option or folder (exit 2) and a silent API."""


class StandaloneError(Exception):
    """Something on this machine keeps the standalone form from running; the message says what, where and what to do."""


class ConfigurationError(StandaloneError):
    """An option or the user's folder is not as it must be; the message says what to change."""


class NoAnswerError(StandaloneError):
    """The central service did not answer; it may be starting again."""
