"""The room's error tree: `ContractError`, with nothing under it."""


class ContractError(ValueError):
    """A payload, topic or value that breaks the contract; the message names what, where and what would be right."""
