"""The room's one error."""


class CommissioningError(ValueError):
    """A plan of walks, a portal or a file can't be worked with; the message says which and what to change."""
