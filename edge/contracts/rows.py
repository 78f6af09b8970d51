"""Rows of the sequenced streams and the envelope that carries them (contracts: Sequenced streams, Movement event).

Every row has `row` (its kind, the tag of the union) and `seq`, contiguous within (gateway, stream, epoch).
Unknown fields are ignored; times are `Instant`; EPC and TID are lower-case hex.
"""

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from edge.contracts.times import Instant

GatewayId = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}$", description="globally unique")]
Name = Annotated[str, Meta(min_length=1, max_length=80)]
EpcHex = Annotated[str, Meta(pattern=r"^([0-9a-f]{2}){1,62}$", description="EPC bytes, lower-case hex")]
TidHex = Annotated[str, Meta(pattern=r"^([0-9a-f]{2}){1,64}$", description="TID bytes, lower-case hex")]
PassageId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
Seq = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]

Stream = Literal["movement", "presence"]
Kind = Literal["in", "out", "turned_back", "near", "parked", "unresolved", "retracted"]
ClockSource = Literal["reader", "host", "uptime"]


class AntennaEvidence(Struct, frozen=True, kw_only=True):
    """What one antenna saw of the tag during the passage."""

    reader: Name
    port: Annotated[int, Meta(ge=1, le=65535)]
    reads: Count
    peak_at: Instant | None = None
    peak_rssi_cdbm: int | None = None
    phase_slope_rad_s: float | None = None


class Evidence(Struct, frozen=True, kw_only=True):
    """Why the passage was called as it was, for a person to read."""

    antennas: list[AntennaEvidence]
    read_rate: Annotated[float, Meta(ge=0.0, description="reads per second over the passage")] = 0.0
    door: str | None = None
    beams: str | None = None
    badge: str | None = None


class Clock(Struct, frozen=True, kw_only=True):
    """Quality of the event's time; `offset_us` is host minus reader."""

    source: ClockSource
    offset_us: int = 0
    spread_us: Count = 0
    stepped: bool = False
    host_synced: bool = True
    boot: str = ""


class GateVerdict(Struct, frozen=True, kw_only=True):
    """What the gate at the door decided, on which snapshot, and when it acted."""

    verdict: Literal["allow", "refuse", "stale"]
    reason: str = ""
    snapshot: Annotated[list[int], Meta(min_length=2, max_length=2)] | None = None
    acted_at: Instant | None = None


class MovementRow(Struct, frozen=True, kw_only=True, tag_field="row", tag="movement"):
    """One revision of one passage of one tag through one portal; the highest `rev` wins."""

    seq: Seq
    id: str
    passage: PassageId
    rev: Annotated[int, Meta(ge=1)]
    final: bool
    at: Instant
    portal: Name
    epc: EpcHex
    kind: Kind
    confidence: Share
    started_at: Instant
    reads: Count
    evidence: Evidence
    clock: Clock
    tid: TidHex | None = None
    crossed_at: Instant | None = None
    ended_at: Instant | None = None
    batch: str | None = None
    gate: GateVerdict | None = None
    traceparent: str | None = None
    reason: str | None = None


class GapRow(Struct, frozen=True, kw_only=True, tag_field="row", tag="gap"):
    """Rows `first` to `last` were dropped by the edge; this row stands in for them under `seq` = `last`."""

    seq: Seq
    first: Seq
    last: Seq
    reason: str
    count: Count


class LossRow(Struct, frozen=True, kw_only=True, tag_field="row", tag="loss", rename={"from_": "from"}):
    """A reader lost reads between two instants; `count` is null where the reader can't say how many."""

    seq: Seq
    reader: Name
    reason: str
    from_: Instant
    to: Instant
    count: Count | None = None


class SensorRow(Struct, frozen=True, kw_only=True, tag_field="row", tag="sensor"):
    """A light beam or door contact on a reader's input changed state."""

    seq: Seq
    reader: Name
    gpi: Annotated[int, Meta(ge=1)]
    kind: Literal["beam", "door"]
    state: bool
    at: Instant


class PresenceAntenna(Struct, frozen=True, kw_only=True):
    """One antenna's coverage of a presence span."""

    reader: Name
    port: Annotated[int, Meta(ge=1, le=65535)]
    up_s: Annotated[float, Meta(ge=0.0)]
    rounds: Count
    reads: Count


class PresenceTag(Struct, frozen=True, kw_only=True):
    """One tag heard in a presence span."""

    epc: EpcHex
    reads: Count
    best_rssi_cdbm: int
    last_at: Instant


class PresenceRow(Struct, frozen=True, kw_only=True, tag_field="row", tag="presence"):
    """What a zone's antennas heard in a span, with their coverage; part `i` of `n`."""

    seq: Seq
    span: Annotated[list[Instant], Meta(min_length=2, max_length=2)]
    zone: Name
    mode: Literal["portal", "zone", "sweep"]
    antennas: list[PresenceAntenna]
    tags: list[PresenceTag]
    part: Annotated[list[int], Meta(min_length=2, max_length=2)]
    complete: bool


Row = MovementRow | GapRow | LossRow | SensorRow | PresenceRow


class Envelope(Struct, frozen=True, kw_only=True):
    """At most 100 rows and 128 KiB of one stream; `events` stay raw so that one bad row is one bad row."""

    v: Literal[1]
    gateway: GatewayId
    stream: Stream
    epoch: Annotated[str, Meta(min_length=1, max_length=40)]
    first: Seq
    last: Seq
    events: list[Raw]
