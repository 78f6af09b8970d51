"""The room's error tree: `ProfileError`, with nothing under it."""


class ProfileError(ValueError):
    """A profile that is missing or wrong; the message names the file, the key and what would be right."""
