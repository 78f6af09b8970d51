"""The room's one error."""


class AccessError(ValueError):
    """What a controller sent, or how it is to be let in, can't be used; the message says what to do."""
