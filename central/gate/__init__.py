"""The gate snapshot: made from the registry, signed, and published to every gateway.

Errors: `KeyFileError`, the room's one error: the file of signing keys can't be used.
"""
