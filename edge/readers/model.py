"""Values at the room's doors: one reader's settings, and what a session hands on."""

from dataclasses import dataclass
from typing import Literal

from edge.contracts import LossRow, SensorRow
from edge.llrp import TagBatch
from edge.profiles import AUTO

ReaderRow = LossRow | SensorRow
"""Rows that a reader causes by itself; `seq` is 0 until the outbox numbers them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpiSettings:
    """What is wired to one general purpose input.

    Attributes:
        port: number of the input, from 1.
        kind: what is wired to it.
        debounce_ms: a level counts only once it has lasted this long; 0 takes every change.
    """

    port: int
    kind: Literal["beam", "door"]
    debounce_ms: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSettings:
    """One reader.

    Attributes:
        id: name in configuration, events and health.
        host: address or name to dial.
        port: TCP port, 5084 for LLRP without TLS.
        profile: name of a reader profile, or `auto` to choose by what the reader says that it is.
        antennas: ports to inventory.
        tx_power_dbm: highest power to use; None leaves the reader's own.
        region: name of a regulatory region that the reader must be set to; None where it isn't configured.
        power_caps_cdbm: (port, highest legal power) by region, antenna and cable; a port without one has no cap.
        keepalive_ms: period of keepalives; a reader that misses two is dead.
        connect_timeout_s: longest wait for the connection, and again for the reader's greeting.
        request_timeout_s: longest wait for the answer to a request.
        backoff_base_s: the first retry waits between 0 and this; each further one up to twice as long.
        backoff_max_s: longest wait between two tries.
        max_frame_bytes: longest LLRP message that is taken for one.
        gpis: inputs that are wired.
        report_every_tags: tag reports a message; None leaves it to the profile.
        report_every_ms: ask for what the reader has gathered this often, 0 = never; None leaves it to the profile.
    """

    id: str
    host: str
    port: int = 5084
    profile: str = AUTO
    antennas: tuple[int, ...]
    tx_power_dbm: float | None = None
    region: str | None = None
    power_caps_cdbm: tuple[tuple[int, int], ...] = ()
    keepalive_ms: int = 1000
    connect_timeout_s: float = 10.0
    request_timeout_s: float = 10.0
    backoff_base_s: float = 0.5
    backoff_max_s: float = 30.0
    max_frame_bytes: int = 16 * 1024 * 1024
    gpis: tuple[GpiSettings, ...] = ()
    report_every_tags: int | None = None
    report_every_ms: int | None = None

    @property
    def address(self) -> str:
        """`host:port`, for people."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ClockState:
    """How reader time becomes host time on this connection, and how well that is known.

    Attributes:
        source: `reader` = the reader's UTC, `uptime` = its time since boot, `host` = it sends no times.
        offset_us: host minus reader; add it to a reader time.
        spread_us: how much later than the quickest a typical second's quickest message came.
        stepped: whether one of the two clocks was found to have jumped, with this chunk.
    """

    source: Literal["reader", "host", "uptime"]
    offset_us: int
    spread_us: int
    stepped: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one receive brought; an empty batch says that the reader is alive and time has passed."""

    reader: str
    arrival_us: int
    batch: TagBatch
    clock: ClockState
    rows: tuple[ReaderRow, ...] = ()


@dataclass(slots=True)
class ReaderCounters:
    """Counts since the agent started, over all sessions of one reader."""

    reads: int = 0
    reports: int = 0
    unlisted_reads: int = 0
    lost_reports: int = 0
    reconnects: int = 0
    stray_messages: int = 0
    bad_messages: int = 0
    last_read_us: int | None = None
