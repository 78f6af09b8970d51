"""One connection of a reader on its way into a capture: bytes in both directions -> packets that Wireshark joins."""

from collections.abc import Iterator, Sequence
from typing import Final

from edge.llrp.capture.frames import ACK, FIN, PSH, SYN, Endpoint, Segment, build
from edge.llrp.capture.pcapng import packet

LLRP_PORT: Final = 5084
"""Wireshark knows LLRP by this port, whatever the reader's real one is."""
MAX_SEGMENT_BYTES: Final = 32 * 1024
"""Below the 64 KiB of an IP packet; a receive that brought more becomes several packets of one time."""
_MASK: Final = 0xFFFFFFFF


class RecordedConnection:
    """Gives blocks for a capture; the sequence numbers are its own, from 1 on each side."""

    def __init__(self, *, client: Endpoint, reader: Endpoint) -> None:
        self.client, self.reader = client, reader
        self._seq = {client: 1, reader: 1}

    def open(self, at_us: int, comments: Sequence[str] = ()) -> bytes:
        """Return the three packets that begin a connection."""
        first = self._packet(at_us, self.client, SYN, comments=comments)
        second = self._packet(at_us, self.reader, SYN | ACK)
        return first + second + self._packet(at_us, self.client, ACK)

    def received(self, at_us: int, data: bytes, comments: Sequence[str] = ()) -> bytes:
        """Return the packets of what the reader sent; comments go to the first."""
        return b"".join(self._data(at_us, self.reader, data, comments))

    def sent(self, at_us: int, data: bytes) -> bytes:
        """Return the packets of what went to the reader."""
        return b"".join(self._data(at_us, self.client, data, ()))

    def note(self, at_us: int, comments: Sequence[str]) -> bytes:
        """Return an empty packet that carries comments."""
        return self._packet(at_us, self.client, ACK, comments=comments)

    def close(self, at_us: int) -> bytes:
        """Return the packets that end a connection."""
        ends = self._packet(at_us, self.client, FIN | ACK) + self._packet(at_us, self.reader, FIN | ACK)
        return ends + self._packet(at_us, self.client, ACK)

    def _data(self, at_us: int, source: Endpoint, data: bytes, comments: Sequence[str]) -> Iterator[bytes]:
        for begin in range(0, len(data), MAX_SEGMENT_BYTES):
            part = data[begin : begin + MAX_SEGMENT_BYTES]
            yield self._packet(at_us, source, PSH | ACK, part, comments=() if begin else comments)

    def _packet(
        self, at_us: int, source: Endpoint, flags: int, data: bytes = b"", *, comments: Sequence[str] = ()
    ) -> bytes:
        target = self.reader if source == self.client else self.client
        ack = self._seq[target] if flags & ACK else 0
        seq = self._seq[source] if not flags & SYN else self._seq[source] - 1
        if not flags & SYN:
            # SYN and FIN each take a number; the SYN's is the one before the first byte's.
            self._seq[source] = self._seq[source] + len(data) + bool(flags & FIN) & _MASK
        raw = build(Segment(source, target, seq, ack, flags, data))
        return packet(at_us, raw, inbound=source == self.reader, comments=comments)
