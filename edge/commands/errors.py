"""The room's error tree (drawn in the package's docstring)."""


class OrderError(Exception):
    """An order isn't carried out; the message says why and what to do."""


class TooSoonError(OrderError):
    """An order comes too soon after another that harms as it does."""


class NoncesError(OrderError):
    """A nonce was used before, or is older than what is remembered of used ones."""


class NotNotedError(NoncesError):
    """A nonce can't be noted as used, since the disk can't take it."""
