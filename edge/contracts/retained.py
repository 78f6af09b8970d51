"""Unsequenced and retained messages: watermark, state (birth and will), health."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from edge.contracts.rows import Count, Epoch, GatewayId, Name, Seq, Stream, Text
from edge.contracts.times import Instant

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


class State(Struct, frozen=True, kw_only=True):
    """Birth message, and with `online` false the will."""

    online: bool
    boot: Text
    version: Text
    config_digest: Text = ""
    portals: list[PortalBirth] = field(default_factory=list)
    readers: list[ReaderBirth] = field(default_factory=list)


class ReaderHealth(Struct, frozen=True, kw_only=True):
    """One reader's state and counters since the agent started."""

    id: Name
    state: Literal["connecting", "connected", "lost"]
    reads: Count
    reports: Count = 0
    unlisted_reads: Count = 0
    reconnects: Count = 0
    lost_reports: Count = 0
    last_read_at: Instant | None = None
    problem: Text = ""


class StreamHealth(Struct, frozen=True, kw_only=True):
    """One outbox stream: rows written, rows beyond the watermark, and the oldest of them."""

    stream: Stream
    epoch: Epoch
    written: Count
    pending: Count
    oldest_s: Annotated[float, Meta(ge=0.0)] = 0.0
    dropped: Count = 0


class Health(Struct, frozen=True, kw_only=True):
    """Heartbeat; the newest wins."""

    gateway: GatewayId
    boot: Text
    at: Instant
    uptime_s: Annotated[float, Meta(ge=0.0)]
    uplink: UplinkState
    readers: list[ReaderHealth]
    streams: list[StreamHealth]
