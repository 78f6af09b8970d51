"""Finds frames in a byte stream that loses and garbles bytes, and begins at any place.

What is no frame is skipped byte by byte, so that a frame that stands inside garbage is found. Nothing is decided by
how bytes were cut: the only other input is `idle`, which says that the line has been silent for longer than any frame
pauses, so that what looks like the beginning of a frame is none.
"""

from collections.abc import Callable
from typing import Final, Generic, NamedTuple, TypeVar

F = TypeVar("F")
_WAIT: Final = -1


class Found(NamedTuple, Generic[F]):
    """What stands at a place of a buffer."""

    value: F | None
    length: int

    @classmethod
    def frame(cls, value: F, length: int) -> "Found[F]":
        """Return a whole frame and how many bytes it takes."""
        return cls(value, length)

    @classmethod
    def nothing(cls) -> "Found[F]":
        """Return that no frame can begin here."""
        return cls(None, 0)

    @classmethod
    def more(cls) -> "Found[F]":
        """Return that more bytes must come before one can tell."""
        return cls(None, _WAIT)


class Framer(Generic[F]):
    """One connection's framing.

    Args:
        find: looks at a buffer from an index below its end and says what stands there; it never raises, and the longest
            frame that it waits for bounds the memory used.
    """

    def __init__(self, find: Callable[[bytes, int], Found[F]]) -> None:
        self._find = find
        self._buffer = b""
        self._skipping = False
        self.skipped_bytes = 0
        """Bytes that belonged to no frame."""
        self.faults = 0
        """Runs of such bytes: each stands for at least one frame that was lost, or for a start in midstream."""

    @property
    def pending(self) -> int:
        """Bytes held back, since they may begin a frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[F]:
        """Return the frames that became whole."""
        self._buffer += data
        return self._scan()

    def idle(self) -> list[F]:
        """Give up what waits for more bytes, and return frames that stood behind it."""
        frames: list[F] = []
        while self._buffer:
            self._skip(1)
            frames += self._scan()
        return frames

    def _scan(self) -> list[F]:
        frames: list[F] = []
        at, buffer = 0, self._buffer
        while at < len(buffer):
            value, length = self._find(buffer, at)
            if length == _WAIT:
                break
            if value is None:
                self._count_skip()
                at += 1
                continue
            frames.append(value)
            self._skipping = False
            at += length
        self._buffer = buffer[at:]
        return frames

    def _skip(self, count: int) -> None:
        for _ in range(count):
            self._count_skip()
        self._buffer = self._buffer[count:]

    def _count_skip(self) -> None:
        self.skipped_bytes += 1
        if not self._skipping:
            self._skipping = True
            self.faults += 1
