"""The room's error tree (drawn in the package's docstring)."""


class OrderError(Exception):
    """An order isn't carried out; the message says why and what to do."""


class NoncesError(OrderError):
    """A nonce was used before, or can't be noted as used."""
