"""Unsequenced and retained messages: watermark, state (birth and will), health."""

from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from edge.contracts.rows import Clock, Count, EpcHex, Epoch, GatewayId, Name, Port, RssiCdbm, Seq, Stream, Text
from edge.contracts.times import Instant

MAX_GAPS: Final = 64
"""The newest; a heartbeat stays small however bad a day was."""

UplinkState = Literal["live", "backlog", "offline", "draining"]


class StreamMark(Struct, frozen=True, kw_only=True):
    """What the central has committed of one stream: all to `upto`, and the ranges in `above`."""

    epoch: Epoch
    upto: Count
    above: list[Annotated[list[Seq], Meta(min_length=2, max_length=2)]] = field(default_factory=list)


class Watermark(Struct, frozen=True, kw_only=True):
    """The central's promise; a new `session` asks the edge to send again from it at once."""

    session: Name
    now: Instant
    streams: dict[Stream, StreamMark]


class PortalBirth(Struct, frozen=True, kw_only=True):
    """A portal as the agent is configured; the central compares it with its registry."""

    id: Name
    inside: Name
    outside: Name
    layout: Name


class ReaderBirth(Struct, frozen=True, kw_only=True):
    """A reader as the agent is configured."""

    id: Name
    profile: Name = "generic/llrp"


class ZoneBirth(Struct, frozen=True, kw_only=True):
    """A zone, or what a sweep counts, as the agent is configured."""

    id: Name
    location: Name


class State(Struct, frozen=True, kw_only=True):
    """Birth message, and with `online` false the will; `stopped` says that it was asked to go, as no will does."""

    online: bool
    boot: Text
    version: Text
    config_digest: Text = ""
    stopped: bool = False
    portals: list[PortalBirth] = field(default_factory=list)
    readers: list[ReaderBirth] = field(default_factory=list)
    zones: Annotated[list[ZoneBirth], Meta(description="left out where the agent has none")] | UnsetType = UNSET


class AntennaHealth(Struct, frozen=True, kw_only=True):
    """What is known of one antenna; a fault or silence begins at the antenna's last proof of life.

    `ok`: heard lately, or its reader vouches for it. `fault`: its reader says so, or its reference tag is lost or
    weak. `silent`: tags that were heard all the time are all gone at once. `unknown`: nothing speaks for or against it.
    """

    port: Port
    state: Literal["ok", "fault", "silent", "unknown"]
    reason: Text = ""
    since: Instant | None = None
    read_rate: Annotated[float, Meta(ge=0.0, description="reads per second of late")] = 0.0
    rssi_cdbm: Annotated[RssiCdbm, Meta(description="of its reference tag, else of all tags")] | None = None
    reference: EpcHex | None = None
    rate_share: (
        Annotated[float, Meta(ge=0.0, description="the reference tag's read rate; 1 is as commissioned")] | None
    ) = None
    rssi_drift_cdb: Annotated[int, Meta(description="the reference tag's RSSI less its commissioning's")] | None = None


class OutputHealth(Struct, frozen=True, kw_only=True):
    """One switched output; `ends_itself` says that a pulse ends in the device even if the agent dies."""

    output: Port
    on: bool
    ends_itself: bool = False


class ReaderHealth(Struct, frozen=True, kw_only=True):
    """One reader's state and counters since the agent started.

    `since` is when the state began; for `lost` that is the last proof of life.
    """

    id: Name
    state: Literal["connecting", "connected", "lost"]
    reads: Count
    reports: Count = 0
    unlisted_reads: Count = 0
    reconnects: Count = 0
    lost_reports: Count = 0
    last_read_at: Instant | None = None
    problem: Text = ""
    since: Instant | None = None
    model: Text = ""
    firmware: Text = ""
    profile: Text = ""
    busy: Annotated[Text, Meta(description="what keeps it from watching though it is in session")] = ""
    busy_since: Instant | None = None
    plan: Annotated[Text, Meta(description="how tags are singulated now, in words")] = ""
    residents: Annotated[Count, Meta(description="tags that stay in the field")] | None = None
    temperature_c: Annotated[float, Meta(description="where the reader tells it")] | None = None
    buffer_warnings: Count = 0
    buffer_overflows: Count = 0
    clock: Clock | None = None
    antennas: list[AntennaHealth] = field(default_factory=list)
    outputs: list[OutputHealth] = field(default_factory=list)


class PortalHealth(Struct, frozen=True, kw_only=True):
    """Whether a doorway is watched, and since when; `partial` and `dark` begin at the last proof of life."""

    id: Name
    state: Literal["watching", "partial", "dark"]
    since: Instant
    reason: Text = ""


class CoverageGap(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A span in which a doorway was not watched, or not whole; `to` is null while it lasts."""

    portal: Name
    state: Literal["partial", "dark"]
    from_: Instant
    to: Instant | None = None
    reason: Text = ""


class StreamHealth(Struct, frozen=True, kw_only=True):
    """One outbox stream: rows written, rows beyond the watermark, and the oldest of them."""

    stream: Stream
    epoch: Epoch
    written: Count
    pending: Count
    oldest_s: Annotated[float, Meta(ge=0.0)] = 0.0
    dropped: Count = 0


class HostHealth(Struct, frozen=True, kw_only=True):
    """The machine that the agent runs on; null is what its kernel doesn't tell.

    `host_synced` is whether event times are believed. Offset and estimated error are those of the kernel's clock
    discipline, null while nothing disciplines the clock.
    """

    temperature_c: Annotated[float, Meta(description="the hottest zone")] | None = None
    load_1m: Annotated[float, Meta(ge=0.0, description="runnable tasks, mean of a minute")] | None = None
    cpus: Count = 1
    memory_available_bytes: Count | None = None
    memory_bytes: Count | None = None
    disk_free_bytes: Annotated[Count, Meta(description="on the data folder's disk, without privileges")] | None = None
    disk_bytes: Count | None = None
    host_synced: bool = True
    clock_offset_us: int | None = None
    clock_error_us: Count | None = None


class GateHealth(Struct, frozen=True, kw_only=True):
    """The gate snapshot that a gateway decides by, and what became of the messages on its gate topics.

    Without `generation` none is held: every crossing is told as `stale`. Counts are those since the agent started.
    """

    generation: Annotated[Count, Meta(description="null: none is held")] | None = None
    n: Count = 0
    issued_at: Annotated[Instant, Meta(description="when the newest message of it was signed")] | None = None
    expires_at: Instant | None = None
    entries: Count = 0
    missing_parts: Annotated[Count, Meta(description="of the generation that is being collected")] = 0
    foreign: Annotated[Count, Meta(description="passages of tags that are none of ours; they give no event")] = 0
    judged: Annotated[dict[Name, Count], Meta(description="exits by what was decided")] = field(default_factory=dict)
    refused: Annotated[dict[Name, Count], Meta(description="messages on the gate's topics, by why")] = field(
        default_factory=dict
    )


class Health(Struct, frozen=True, kw_only=True):
    """Heartbeat; the newest wins."""

    gateway: GatewayId
    boot: Text
    at: Instant
    uptime_s: Annotated[float, Meta(ge=0.0)]
    uplink: UplinkState
    readers: list[ReaderHealth]
    streams: list[StreamHealth]
    portals: list[PortalHealth] = field(default_factory=list)
    gaps: Annotated[list[CoverageGap], Meta(max_length=MAX_GAPS)] = field(default_factory=list)
    gate: Annotated[GateHealth, Meta(description="left out where the agent believes no central")] | UnsetType = UNSET
    host: HostHealth | UnsetType = UNSET
