"""What outbox and uplink tests share: rows, and a central that keeps what it is sent."""

from edge.contracts import (
    Clock,
    Evidence,
    MovementRow,
    StreamMark,
    Watermark,
    decode_envelope,
    decode_row,
    encode,
    event_id,
    instant,
    passage_id,
)
from edge.outbox import Coverage

NOW_US = 1_790_000_000_000_000


def movement(n, *, kind="near", final=True, epc=None, reason=None):
    """Return the n-th passage's row; every n is another passage."""
    at_us = NOW_US + n * 1_000_000
    epc = epc or f"3034257bf7194e40{n:08x}"
    passage = passage_id("gw-1", "door", epc, at_us)
    at = instant(at_us)
    return MovementRow(
        seq=1,
        id=event_id(passage, 1),
        passage=passage,
        rev=1,
        final=final,
        at=at,
        portal="door",
        epc=epc,
        kind=kind,
        confidence=0.9,
        started_at=at,
        reads=n,
        evidence=Evidence(antennas=[]),
        clock=Clock(source="reader"),
        crossed_at=at if kind in ("in", "out") else None,
        ended_at=at,
        reason=reason,
    )


class KeepingCentral:
    """Commits envelopes at most once and says so; `restart` begins a new session, `restore` goes back to a backup."""

    def __init__(self) -> None:
        self.session = 0
        self.kept = {}  # stream -> epoch -> {seq: payload}
        self.newest = {}  # stream -> epoch
        self.twice = 0
        self.arrivals = []

    def take(self, payload):
        """Commit an envelope's rows."""
        envelope = decode_envelope(payload)
        rows = self.kept.setdefault(envelope.stream, {}).setdefault(envelope.epoch, {})
        self.newest[envelope.stream] = envelope.epoch
        assert envelope.last - envelope.first + 1 == len(envelope.events)
        for seq, raw in enumerate(envelope.events, start=envelope.first):
            row = decode_row(raw)
            assert row.seq == seq
            self.arrivals.append(seq)
            if seq in rows:
                self.twice += 1
                assert rows[seq] == bytes(raw), f"row {seq} came with another content"
            for covered in range(row.first, seq) if hasattr(row, "first") else ():
                rows.setdefault(covered, b"")
            rows[seq] = bytes(raw)

    def mark(self, stream):
        """Return what is committed of a stream, or None."""
        epoch = self.newest.get(stream)
        if epoch is None:
            return None
        coverage = Coverage.of(
            StreamMark(epoch=epoch, upto=0, above=[[seq, seq] for seq in sorted(self.kept[stream][epoch])])
        )
        return StreamMark(epoch=epoch, upto=coverage.upto, above=[list(pair) for pair in coverage.above])

    def watermark(self):
        """Return the watermark's bytes."""
        marks = {stream: self.mark(stream) for stream in self.newest}
        return encode(Watermark(session=f"session-{self.session}", now=instant(NOW_US), streams=marks))

    def restart(self):
        """Begin a new session."""
        self.session += 1

    def restore(self, stream, upto):
        """Forget everything beyond `upto`, as a central restored from a backup."""
        self.restart()
        rows = self.kept[stream][self.newest[stream]]
        for seq in [seq for seq in rows if seq > upto]:
            del rows[seq]
