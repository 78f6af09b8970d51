"""What may listen in on one reader's connections, for recordings. The session works the same without."""

from typing import Protocol

from edge.llrp.capture import Endpoint
from edge.readers.model import Chunk


class Tap(Protocol):
    """Told of everything on one reader's connections, one connection at a time, in the order in which it happened.

    No method may wait or raise. Bytes are given whole and once: all that was received and all that was sent.
    """

    def opened(self, *, local: Endpoint, remote: Endpoint) -> None:
        """Begin a connection; what follows belongs to it."""
        ...

    def received(self, data: bytes) -> None:
        """Take what one receive brought, before it is looked at."""
        ...

    def took(self, chunk: Chunk) -> None:
        """Take what the last receive meant: its arrival, the clock that was taken for it, its rows."""
        ...

    def aside(self, chunk: Chunk) -> None:
        """Take a chunk that no receive brought: the start of the inventory, or an input's level that has lasted."""
        ...

    def sent(self, data: bytes) -> None:
        """Take what went to the reader."""
        ...

    def closed(self) -> None:
        """End the connection."""
        ...
