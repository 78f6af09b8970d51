"""Passages that the agent must remember over a restart, and the rows that a decision becomes."""

from collections import OrderedDict
from typing import Annotated, Final

import msgspec
import numpy as np

from edge.contracts import AntennaEvidence, Clock, Evidence, Kind, MovementRow, event_id, instant, passage_id
from edge.contracts.rows import Count, EpcHex, PassageId
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.around import NOTHING_AROUND, Around, badge_words, beam_words, door_words
from edge.windows.held import HeldTag, StoredUs
from edge.windows.settings import PortalSettings, WindowClock, WindowsError
from edge.windows.snapshot import Snapshot

MIN_SLOPE_US: Final = 100_000
"""Less than this of phase tracked without a break gives no slope."""
MOST_NAMES: Final = 16_384
"""Passages whose names are remembered, 0.2 KB each: a day's of a busy gateway, and clocks are set back by less."""


class OpenPassage(msgspec.Struct, frozen=True, kw_only=True):
    """A passage that began and has no final yet: what one final needs if the agent is started anew meanwhile."""

    passage: PassageId
    portal: str
    epc: EpcHex
    rev: Annotated[int, msgspec.Meta(ge=0, lt=2**31 - 1)]
    started_us: StoredUs
    last_us: StoredUs
    reads: Count
    clock: Clock
    crossed_us: StoredUs | None = None


class Passage(msgspec.Struct, kw_only=True):
    """What was published of a visit that is still open.

    Attributes:
        since_us: event time after which the visit's reads are this passage's; None where all are.
        crossed_us: event time of the crossing that was told.
        later_us: how much later it is said to have started than its reads, so that its id is its own.
    """

    id: str
    rev: int = 0
    batch: str | None = None
    kind: Kind | None = None
    since_us: int | None = None
    crossed_us: int | None = None
    later_us: int = 0


class Batch(msgspec.Struct, kw_only=True):
    """Crossings of one portal in one direction, close in time; named by the passage that was called first."""

    id: str
    crossed_us: int


def clock_row(clock: WindowClock, boot: str) -> Clock:
    """Return the clock as a row tells it."""
    return Clock(
        source=clock.source,
        offset_us=clock.offset_us or 0,
        spread_us=clock.spread_us,
        stepped=clock.stepped,
        host_synced=clock.host_synced,
        boot=boot,
    )


class Names:
    """Names passages: no two alike, though a reader's clock comes by the same microsecond twice.

    A clock that is set back, or a report whose tag is first seen when an earlier visit's was, would give one tag's two
    passages one id, as that is made of the start (contracts: Movement event). The later one is said to have started a
    microsecond later then. The same reads give the same names, as those given are forgotten by their number alone.
    """

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self._given: OrderedDict[str, None] = OrderedDict()

    def new(self, snap: Snapshot, portal: PortalSettings, *, since_us: int | None = None) -> Passage:
        """Return a passage that begins with a visit, or with the part of it that `since_us` tells."""
        later_us = 0
        while (name := self._name(snap, portal, later_us)) in self._given:
            later_us += 1
        self._given[name] = None
        if len(self._given) > MOST_NAMES:
            self._given.popitem(last=False)
        return Passage(id=name, since_us=since_us, later_us=later_us)

    def _name(self, snap: Snapshot, portal: PortalSettings, later_us: int) -> str:
        return passage_id(self._gateway, portal.id, snap.epc.hex(), int(snap.head[L.START_US]) + later_us)


def movement(
    snap: Snapshot,
    portal: PortalSettings,
    *,
    passage: Passage,
    kind: Kind,
    confidence: float,
    crossed_us: int | None,
    offset_us: int,
    clock: Clock,
    around: Around = NOTHING_AROUND,
    reason: str | None = None,
) -> MovementRow:
    """Build the next revision of a passage; times are reader time plus offset, `seq` is the outbox's to give."""
    final = snap.why != L.CANDIDATE
    started = instant(int(snap.head[L.START_US]) + passage.later_us + offset_us)
    crossed = None if crossed_us is None else instant(crossed_us + offset_us)
    ended_us = max(int(snap.head[L.LAST_US]), int(snap.head[L.START_US]) + passage.later_us)
    ended = instant(ended_us + offset_us) if final else None
    return MovementRow(
        seq=0,
        id=event_id(passage.id, passage.rev),
        passage=passage.id,
        rev=passage.rev,
        final=final,
        at=crossed or ended or started,
        portal=portal.id,
        epc=snap.epc.hex(),
        kind=kind,
        confidence=round(confidence, 4),
        started_at=started,
        crossed_at=crossed,
        ended_at=ended,
        reads=int(snap.head[L.READS]),
        evidence=evidence(snap, portal, offset_us, around),
        clock=clock,
        batch=passage.batch,
        reason=reason,
    )


def evidence(snap: Snapshot, portal: PortalSettings, offset_us: int, around: Around = NOTHING_AROUND) -> Evidence:
    """Return what each antenna saw, and what door, beams and badges tell."""
    seconds = int(snap.head[L.LAST_US] - snap.head[L.START_US]) / 1e6
    return Evidence(
        antennas=[
            AntennaEvidence(
                reader=antenna.reader,
                port=antenna.port,
                reads=int(row[L.A_READS]),
                peak_at=None if row[L.A_PEAK_CDBM] == L.NO_LEVEL else instant(int(row[L.A_PEAK_US]) + offset_us),
                peak_rssi_cdbm=None if row[L.A_PEAK_CDBM] == L.NO_LEVEL else int(row[L.A_PEAK_CDBM]),
                phase_slope_rad_s=_slope_rad_s(int(row[L.A_TURN]), int(row[L.A_TURN_US])),
            )
            for antenna, row in zip(portal.antennas, snap.ant, strict=False)
            if row[L.A_READS]
        ],
        read_rate=round(int(snap.head[L.READS]) / seconds, 2) if seconds > 0 else 0.0,
        door=door_words(around),
        beams=beam_words(around),
        badge=badge_words(around),
    )


def _slope_rad_s(steps: int, over_us: int) -> float | None:
    return round(steps * 2 * np.pi / L.TURN / (over_us / 1e6), 3) if over_us >= MIN_SLOPE_US else None


def open_passage(
    snap: Snapshot,
    portal: PortalSettings,
    passage: Passage,
    *,
    crossed_us: int | None,
    offset_us: int,
    clock: Clock,
) -> OpenPassage:
    """Return what must be remembered of a visit."""
    return OpenPassage(
        passage=passage.id,
        portal=portal.id,
        epc=snap.epc.hex(),
        rev=passage.rev,
        started_us=int(snap.head[L.START_US]) + passage.later_us + offset_us,
        last_us=int(snap.head[L.LAST_US]) + offset_us,
        reads=int(snap.head[L.READS]),
        clock=clock,
        crossed_us=None if crossed_us is None else crossed_us + offset_us,
    )


def encode_open(passage: OpenPassage | HeldTag) -> bytes:
    """Return the bytes that the outbox keeps."""
    return msgspec.json.encode(passage)


def decode_open(payload: bytes) -> OpenPassage:
    """Return the passage in bytes that the outbox kept; bytes that are none raise `WindowsError`."""
    try:
        return msgspec.json.decode(payload, type=OpenPassage)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WindowsError(f"open passage of {len(payload)} bytes can't be read: {error}") from error


def end_unresolved(passage: OpenPassage) -> MovementRow:
    """Return the one final of a passage that a restart cut off; its clock is the one that timed it."""
    ended = instant(passage.last_us)
    rev = passage.rev + 1
    return MovementRow(
        seq=0,
        id=event_id(passage.passage, rev),
        passage=passage.passage,
        rev=rev,
        final=True,
        at=ended,
        portal=passage.portal,
        epc=passage.epc,
        kind="unresolved",
        confidence=0.0,
        started_at=instant(passage.started_us),
        ended_at=ended,
        reads=passage.reads,
        evidence=Evidence(antennas=[]),
        clock=passage.clock,
        reason="the agent was started anew before the tag had left",
    )
