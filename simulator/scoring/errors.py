"""The one error of scoring."""


class ScoreError(Exception):
    """Truth or events can't be scored; the message says which file, which line, and what to do."""
