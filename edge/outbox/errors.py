"""The room's error tree: `OutboxError` > `OutboxUnavailableError`, `OutboxInUseError`."""


class OutboxError(RuntimeError):
    """The outbox can't do what was asked; the message names the file, the trouble and what to do."""


class OutboxUnavailableError(OutboxError):
    """The store can't be written or read now (full, read-only, I/O error); nothing was half done, try again later."""


class OutboxInUseError(OutboxError):
    """Another agent holds this outbox; two writers would give one number to two rows."""
