"""Cutting a byte stream into whole LLRP messages, without I/O."""

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Final, NamedTuple, Protocol

import numpy as np

from edge.llrp.errors import LlrpError
from edge.llrp.wire import HEADER, HEADER_BYTES, TYPE_MASK, VERSIONS, Message

MAX_FRAME_BYTES: Final = 16 * 1024 * 1024
"""Default cap of one message: messages over 1 MB are legal, a length of gigabytes is a stream out of step."""
RECEIVE_BYTES: Final = 64 * 1024
"""Least room offered to one receive, so that a busy reader's messages come many a call."""
LENGTH_END: Final = 6
"""Bytes of a header up to the end of its length field."""
CAPACITY_BYTES: Final = 256 * 1024
"""First size of the buffer: four receives before the waiting part has to be moved to the front."""


OTHERS_A_CALL: Final = 64
"""Places that the compiled cut tells in one call; where there are more, it is called again."""


class CutAt(NamedTuple):
    """What a cut found; the places are the buffer's.

    Attributes:
        end: where the whole messages end.
        messages: how many they are.
        others: where those stand that are no RO_ACCESS_REPORT.
        broken: whether a header follows that says a wrong version or length.
    """

    end: int
    messages: int
    others: list[int]
    broken: bool


class Cut(Protocol):
    """The walk over message headers; there is a compiled and a plain one."""

    def whole(self, buffer: bytearray, start: int, end: int, max_frame_bytes: int) -> CutAt:
        """Find the whole messages between two places of a buffer."""


class PlainCut:
    """The definition, and what serves where numba is absent or not worth its half second."""

    def whole(self, buffer: bytearray, start: int, end: int, max_frame_bytes: int) -> CutAt:
        """See `Cut.whole`."""
        at, messages = start, 0
        others: list[int] = []
        while end - at >= HEADER_BYTES:
            word, length, _ = HEADER.unpack_from(buffer, at)
            if word >> 10 not in VERSIONS or not HEADER_BYTES <= length <= max_frame_bytes:
                return CutAt(at, messages, others, broken=True)
            if length > end - at:
                break
            if word & TYPE_MASK != Message.RO_ACCESS_REPORT:
                others.append(at)
            messages += 1
            at += length
        return CutAt(at, messages, others, broken=False)


class CompiledCut:
    """The kernel; importing numba is put off until one is made."""

    def __init__(self) -> None:
        from edge.llrp import kernels  # noqa: PLC0415 - loads numba, which only this class wants

        self._cut = kernels.cut_messages
        self._others = np.empty(OTHERS_A_CALL, np.int64)
        self._buffer = bytearray()
        self._array = np.frombuffer(self._buffer, np.uint8)

    def whole(self, buffer: bytearray, start: int, end: int, max_frame_bytes: int) -> CutAt:
        """See `Cut.whole`."""
        if buffer is not self._buffer:
            self._buffer, self._array = buffer, np.frombuffer(buffer, np.uint8)
        at, messages, found, ended = self._cut(self._array, start, end, max_frame_bytes, self._others)
        others = self._others[:found].tolist() if found else []
        while ended == FULL:
            at, more, found, ended = self._cut(self._array, at, end, max_frame_bytes, self._others)
            others += self._others[:found].tolist()
            messages += more
        return CutAt(at, messages, others, ended == BROKEN)


BROKEN: Final = 1
FULL: Final = 2
"""Why the kernel ended, where it wasn't for want of bytes."""


def choose_cut() -> Cut:
    """Return the compiled cut where numba is there and not switched off, else the plain one."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" or find_spec("numba") is None:
        return PlainCut()
    return CompiledCut()


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole message; `offset` is where its header stood in the chunk."""

    type: int
    message_id: int
    version: int
    payload: bytes
    offset: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole messages as they came, in one piece.

    Attributes:
        data: the messages with their headers; a view that is valid until the buffer's next `writable` or `feed`.
        messages: how many messages `data` holds.
        reports: how many of them are RO_ACCESS_REPORTs.
        others: the rest as frames, in wire order, with payloads of their own.
        fault: why nothing can follow on this connection, or None.
    """

    data: memoryview
    messages: int
    reports: int
    others: list[Frame] = field(default_factory=list)
    fault: LlrpError | None = None


class FrameBuffer:
    """A writable buffer to receive into, that hands over whole messages as one piece.

    One connection each. The order is `writable`, receive into it, `written(count)`, `take`; `feed` does the first
    three from bytes. After a fault the stream has no message boundary any more: `take` then raises.

    Args:
        max_frame_bytes: longest message that is taken for one.
        capacity_bytes: first size of the buffer.
        cut: the walk over headers to use; by default the compiled one where numba is there and not switched off.
    """

    def __init__(
        self,
        *,
        max_frame_bytes: int = MAX_FRAME_BYTES,
        capacity_bytes: int = CAPACITY_BYTES,
        cut: Cut | None = None,
    ) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._cut = cut or choose_cut()
        self._buffer = bytearray(max(capacity_bytes, HEADER_BYTES))
        self._receive_bytes = min(RECEIVE_BYTES, len(self._buffer))
        self._start = 0
        self._end = 0
        self._taken = 0
        self._fault: LlrpError | None = None

    @property
    def pending(self) -> int:
        """Bytes received that are not a whole message yet."""
        return self._end - self._start

    def writable(self, size_hint: int = -1) -> memoryview:
        """Return room to receive into, at least 64 KiB (or the buffer's size) and never empty."""
        wanted = max(self._receive_bytes, size_hint)
        if len(self._buffer) - self._end < wanted:
            self._make_room(wanted)
        return memoryview(self._buffer)[self._end :]

    def written(self, count: int) -> None:
        """Say how many bytes were received into the last `writable`."""
        if not 0 <= count <= len(self._buffer) - self._end:
            raise ValueError(f"{count} bytes can't have been written to {len(self._buffer) - self._end} bytes of room")
        self._end += count

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Append received bytes by copying them."""
        size = len(data)
        self.writable(size)[:size] = data
        self.written(size)

    def take(self) -> Chunk:
        """Hand over all whole messages received so far, which may be none.

        Raises:
            LlrpError: if the stream was found broken in an earlier `take`; the first one gives what was whole
                before, with the error as the chunk's `fault`.
        """
        if self._fault is not None:
            raise self._fault
        begin = self._start
        at, messages, places, broken = self._cut.whole(self._buffer, begin, self._end, self._max_frame_bytes)
        if broken:
            word, length, _ = HEADER.unpack_from(self._buffer, at)
            self._check(at, word >> 10, length)
        elif self._end - at < HEADER_BYTES:
            self._check_part(at)
        others = [self._frame(place, begin) for place in places]
        self._start = at
        self._taken += at - begin
        return Chunk(memoryview(self._buffer)[begin:at], messages, messages - len(others), others, self._fault)

    def finish(self) -> None:
        """Say that the stream has ended; `LlrpError` where it ended inside a message."""
        if self._fault is not None:
            raise self._fault
        if self.pending:
            raise LlrpError(
                f"the stream ends inside a message: the one at byte {self._taken} is cut off after {self.pending} of "
                f"{self._announced()} bytes",
                offset=self._taken,
            )

    def begun(self) -> tuple[int, str] | None:
        """Return how much there is of a message that isn't whole, and its length in words; None where there is none."""
        return (self.pending, self._announced()) if self.pending and self._fault is None else None

    def _frame(self, at: int, begin: int) -> Frame:
        word, length, message_id = HEADER.unpack_from(self._buffer, at)
        payload = bytes(memoryview(self._buffer)[at + HEADER_BYTES : at + length])
        return Frame(word & TYPE_MASK, message_id, word >> 10, payload, at - begin)

    def _check(self, at: int, version: int, length: int) -> None:
        if version not in VERSIONS:
            self._fault = self._not_llrp(at)
        elif not HEADER_BYTES <= length <= self._max_frame_bytes:
            self._fault = self._bad_length(at, length)

    def _check_part(self, at: int) -> None:
        """Judge a header that isn't whole by the bytes there are, so that a wrong port is told from a slow one."""
        have = self._end - at
        if have:
            length = int.from_bytes(self._buffer[at + 2 : at + 6], "big") if have >= LENGTH_END else HEADER_BYTES
            self._check(at, self._buffer[at] >> 2, length)

    def _not_llrp(self, at: int) -> LlrpError:
        place = self._taken + at - self._start
        seen = self._buffer[at : min(self._end, at + 8)].hex(" ")
        found = f"no LLRP message header: {seen} (version bits say {self._buffer[at] >> 2}, LLRP has 1 or 2)"
        if place == 0:
            return LlrpError(f"the first bytes are {found}; is this an LLRP reader's port?", offset=0)
        return LlrpError(f"at byte {place} stands {found}; nothing from here on can be read", offset=place)

    def _bad_length(self, at: int, length: int) -> LlrpError:
        place = self._taken + at - self._start
        if length < HEADER_BYTES:
            return LlrpError(
                f"the message at byte {place} says it is {length} bytes long, its header alone has {HEADER_BYTES}; "
                "nothing from here on can be read",
                offset=place,
            )
        return LlrpError(
            f"the message at byte {place} says it is {length} bytes long, more than the {self._max_frame_bytes} "
            "allowed; if a reader really sends such, raise its max_frame_mib in edge.toml",
            offset=place,
        )

    def _announced(self) -> str:
        if self.pending < LENGTH_END:
            return f"at least {HEADER_BYTES}"
        return str(int.from_bytes(self._buffer[self._start + 2 : self._start + 6], "big"))

    def _make_room(self, wanted: int) -> None:
        """Move what waits to the front; a larger buffer only where a long message or hint needs it."""
        waiting = bytes(self._buffer[self._start : self._end])
        if len(self._buffer) < len(waiting) + wanted:
            # A new one: views of the old buffer may still be held, and a bytearray with views can't grow.
            self._buffer = bytearray(max(2 * len(self._buffer), len(waiting) + wanted))
        self._buffer[: len(waiting)] = waiting
        self._start, self._end = 0, len(waiting)
