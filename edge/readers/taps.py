"""One reader's tap for several who listen in: the recording of a whole run, and a capture that comes and goes."""

from edge.llrp.capture import Endpoint
from edge.readers.model import Chunk
from edge.readers.recorder import ReaderTap
from edge.readers.tap import Tap


class Taps:
    """A `Tap` that tells others; who joins while a connection stands is told so.

    Args:
        first: is told of everything from the start.
    """

    def __init__(self, first: Tap | None = None) -> None:
        self._first: tuple[Tap, ...] = () if first is None else (first,)
        self._joined: tuple[ReaderTap, ...] = ()
        self._ends: tuple[Endpoint, Endpoint] | None = None

    @property
    def open(self) -> bool:
        """Whether a connection stands."""
        return self._ends is not None

    def join(self, tap: ReaderTap) -> None:
        """Tell a tap too from now on."""
        self._joined = (*self._joined, tap)
        if self._ends is not None:
            tap.joined(local=self._ends[0], remote=self._ends[1])

    def leave(self, tap: ReaderTap) -> None:
        """Tell it no more."""
        if tap in self._joined and self._ends is not None:
            tap.closed()
        self._joined = tuple(one for one in self._joined if one is not tap)

    def opened(self, *, local: Endpoint, remote: Endpoint) -> None:
        """See `Tap`."""
        self._ends = local, remote
        for tap in (*self._first, *self._joined):
            tap.opened(local=local, remote=remote)

    def received(self, data: bytes) -> None:
        """See `Tap`."""
        for tap in (*self._first, *self._joined):
            tap.received(data)

    def took(self, chunk: Chunk) -> None:
        """See `Tap`."""
        for tap in (*self._first, *self._joined):
            tap.took(chunk)

    def aside(self, chunk: Chunk) -> None:
        """See `Tap`."""
        for tap in (*self._first, *self._joined):
            tap.aside(chunk)

    def sent(self, data: bytes) -> None:
        """See `Tap`."""
        for tap in (*self._first, *self._joined):
            tap.sent(data)

    def closed(self) -> None:
        """See `Tap`."""
        self._ends = None
        for tap in (*self._first, *self._joined):
            tap.closed()
