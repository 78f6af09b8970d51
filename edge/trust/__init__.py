"""Whom the agent believes: the central's public keys, and whether a message was signed with one of them.

Used by the gate snapshot and by commands. A keyring without keys believes nobody.
"""

from edge.trust.keyring import Keyring, TrustError, UnreadableError

__all__ = ["Keyring", "TrustError", "UnreadableError"]
