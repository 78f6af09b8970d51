"""Rows of the sequenced streams and the envelope that carries them (contracts: Sequenced streams, Movement event).

Every row has `row` (its kind, the tag of the union) and `seq`, contiguous within (gateway, stream, epoch).
Unknown fields are ignored; times are `Instant`; EPC and TID are lower-case hex.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Raw, Struct

from edge.contracts.times import Instant

# `$(?!\n)`: Python's `$` alone also matches before a last line feed. Control characters are refused since PostgreSQL
# text can't hold NUL and a screen shouldn't show the others. Integers stop at 2^53 - 1, the last that every JSON
# reader keeps exactly.
GatewayId = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}$(?!\n)", description="globally unique")]
Name = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,80}$(?!\n)", description="an id or a name")]
Text = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{0,500}$(?!\n)", description="a short text for people")]
EpcHex = Annotated[str, Meta(pattern=r"^(?:[0-9a-f][0-9a-f]){1,62}$(?!\n)", description="EPC bytes, lower-case hex")]
TidHex = Annotated[str, Meta(pattern=r"^(?:[0-9a-f][0-9a-f]){1,64}$(?!\n)", description="TID bytes, lower-case hex")]
PassageId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", description="names a passage")]
Seq = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
SignedUs = Annotated[int, Meta(ge=-(2**53) + 1, le=2**53 - 1)]
Port = Annotated[int, Meta(ge=1, le=65535)]
RssiCdbm = Annotated[int, Meta(ge=-32767, le=32767)]
Epoch = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_.-]{1,40}$(?!\n)", description="one life of an outbox")]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]

MAX_ROW_ANTENNAS: Final = 64
"""8 readers an edge, 8 ports a reader at most."""
MAX_PRESENCE_TAGS: Final = 400
"""So that a presence row of the longest EPCs still fits one envelope; more tags go in `part` 2 and on."""

Stream = Literal["movement", "presence"]
SensorKind = Literal["beam", "door", "fire", "forced", "held"]
Kind = Literal["in", "out", "turned_back", "near", "parked", "unresolved", "retracted"]
ClockSource = Literal["reader", "host", "uptime"]


class AntennaEvidence(Struct, frozen=True, kw_only=True, gc=False):
    """What one antenna saw of the tag during the passage."""

    reader: Name
    port: Port
    reads: Count
    peak_at: Instant | None = None
    peak_rssi_cdbm: RssiCdbm | None = None
    phase_slope_rad_s: float | None = None


class Evidence(Struct, frozen=True, kw_only=True, gc=False):
    """Why the passage was called as it was, for a person to read."""

    antennas: Annotated[list[AntennaEvidence], Meta(max_length=MAX_ROW_ANTENNAS)]
    read_rate: Annotated[float, Meta(ge=0.0, description="reads per second over the passage")] = 0.0
    door: Text | None = None
    beams: Text | None = None
    badge: Text | None = None


class Clock(Struct, frozen=True, kw_only=True, gc=False):
    """Quality of the event's time; `offset_us` is host minus reader."""

    source: ClockSource
    offset_us: SignedUs = 0
    spread_us: Count = 0
    stepped: bool = False
    host_synced: bool = True
    boot: Text = ""


class GateVerdict(Struct, frozen=True, kw_only=True, gc=False):
    """What the gate at the door decided, on which snapshot, and when it acted."""

    verdict: Literal["allow", "refuse", "stale"]
    reason: Text = ""
    snapshot: Annotated[list[Count], Meta(min_length=2, max_length=2)] | None = None
    acted_at: Instant | None = None


class MovementRow(Struct, frozen=True, kw_only=True, gc=False, tag_field="row", tag="movement"):
    """One revision of one passage of one tag through one portal; the highest `rev` wins."""

    seq: Seq
    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}-[1-9][0-9]{0,9}$(?!\n)", description="passage-rev")]
    passage: PassageId
    rev: Annotated[int, Meta(ge=1, le=2**31 - 1)]
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
    batch: Name | None = None
    gate: GateVerdict | None = None
    traceparent: Name | None = None
    reason: Text | None = None


class GapRow(Struct, frozen=True, kw_only=True, tag_field="row", tag="gap"):
    """Rows `first` to `last` were dropped by the edge; this row stands in for them under `seq` = `last`."""

    seq: Seq
    first: Seq
    last: Seq
    reason: Text
    count: Count


class LossRow(Struct, frozen=True, kw_only=True, tag_field="row", tag="loss", rename={"from_": "from"}):
    """A reader lost reads between two instants; `count` is null where the reader can't say how many."""

    seq: Seq
    reader: Name
    reason: Text
    from_: Instant
    to: Instant
    count: Count | None = None


class SensorRow(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="row", tag="sensor"):
    """An input of a reader or board changed state, or an access controller told something of a door.

    Of `beam` and `door` the state is the input's level. Of `fire`, `forced` and `held` true is an alarm and false its
    end; `reader` is `access` where a controller told it, once and without an end.
    """

    seq: Seq
    reader: Name
    gpi: Port
    kind: SensorKind
    state: bool
    at: Instant
    portal: Annotated[Name, Meta(description="the doorway, where the input is of one")] | None = None


class PresenceAntenna(Struct, frozen=True, kw_only=True):
    """One antenna's coverage of a presence span."""

    reader: Name
    port: Port
    up_s: Annotated[float, Meta(ge=0.0)]
    rounds: Count
    reads: Count


class PresenceTag(Struct, frozen=True, kw_only=True):
    """One tag heard in a presence span."""

    epc: EpcHex
    reads: Count
    best_rssi_cdbm: RssiCdbm
    last_at: Instant


class PresenceRow(Struct, frozen=True, kw_only=True, tag_field="row", tag="presence"):
    """What a zone's antennas heard in a span, with their coverage; part `i` of `n`."""

    seq: Seq
    span: Annotated[list[Instant], Meta(min_length=2, max_length=2)]
    zone: Name
    mode: Literal["portal", "zone", "sweep"]
    antennas: Annotated[list[PresenceAntenna], Meta(max_length=MAX_ROW_ANTENNAS)]
    tags: Annotated[list[PresenceTag], Meta(max_length=MAX_PRESENCE_TAGS)]
    part: Annotated[list[Seq], Meta(min_length=2, max_length=2)]
    complete: bool


Row = MovementRow | GapRow | LossRow | SensorRow | PresenceRow


class Envelope(Struct, frozen=True, kw_only=True):
    """At most 100 rows and 128 KiB of one stream; `events` stay raw so that one bad row is one bad row."""

    v: Literal[1]
    gateway: GatewayId
    stream: Stream
    epoch: Epoch
    first: Seq
    last: Seq
    events: list[Raw]
