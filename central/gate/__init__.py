"""What the central signs: the gate snapshot, made from the registry and published to every gateway, and commands.

Errors: `KeyFileError`, the room's one error: the file of signing keys can't be used.
"""
