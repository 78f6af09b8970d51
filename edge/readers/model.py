"""Values at the room's doors: one reader's settings, and what a session hands on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from edge.contracts import LossRow, SensorKind, SensorRow
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
    kind: SensorKind
    debounce_ms: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSettings:
    """One general purpose output that something is wired to.

    Attributes:
        output: its number, from 1.
        inverted: what is wired to it is on while the reader calls the output low; None leaves it to the profile.
    """

    output: int
    inverted: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceSettings:
    """The reference tag of one antenna: never an asset, it tells a quiet antenna from a dead one."""

    port: int
    epc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """How a connection is secured.

    Attributes:
        fingerprint: `sha256:` and 64 hex digits of the reader's certificate.
        ca_file: certificates that the reader's must be signed by.
        legacy: allow TLS 1.0 and the cipher suites that old firmware has.
        certificate_file: our own certificate, for a reader that dials us; its key stands in it or in `key_file`.
        key_file: key of that certificate.
    """

    fingerprint: str | None = None
    ca_file: Path | None = None
    legacy: bool = False
    certificate_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerSettings:
    """Reading that an input starts.

    Attributes:
        gpi: number of the input.
        state: level that starts it.
        read_ms: how long it then goes on.
    """

    gpi: int
    state: bool = True
    read_ms: int = 10_000


PLAIN_PORT: Final = 5084
TLS_PORT: Final = 5085
"""LLRP 1.0.1, section 18, and the port registered for LLRP over TLS."""

Session = Literal[0, 1, 2, 3]
SESSIONS: Final[tuple[Session, ...]] = (0, 1, 2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSettings:
    """One reader.

    Attributes:
        id: name in configuration, events and health.
        host: address or name to dial; with `listen`, the address that the reader dials from.
        port: TCP port; None is 5084, or 5085 with TLS.
        tls: None is plain TCP.
        listen: our own `address:port` where the reader dials us; None: we dial it.
        profile: name of a reader profile, or `auto` to choose by what the reader says that it is.
        antennas: ports to inventory.
        tx_power_dbm: highest power to use; None leaves the reader's own.
        region: name of a regulatory region that the reader must be set to; None where it isn't configured.
        port_powers_dbm: (port, highest power to use there), which goes before `tx_power_dbm`.
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
        outputs: outputs that are wired; they are switched off when a session begins.
        references: reference tags, at most one a port.
        reference_epcs: reference tags of all readers of this agent: their reads are no evidence of any passage.
        select: EPC prefixes, lower-case hex; with any, only tags that begin with one of them are asked to answer.
        session: Gen2 session to keep to; None leaves it to the plan.
        session_slot: neighbouring readers have different ones and so take different sessions.
        quiet_above: with more resident tags than this they are kept quiet; 0 never does.
        trigger: input that starts reading, and for how long; None reads all the time.
    """

    id: str
    host: str
    port: int | None = None
    tls: TlsSettings | None = None
    listen: str | None = None
    profile: str = AUTO
    antennas: tuple[int, ...]
    tx_power_dbm: float | None = None
    region: str | None = None
    port_powers_dbm: tuple[tuple[int, float], ...] = ()
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
    outputs: tuple[OutputSettings, ...] = ()
    references: tuple[ReferenceSettings, ...] = ()
    reference_epcs: frozenset[str] = frozenset()
    select: tuple[str, ...] = ()
    session: Session | None = None
    session_slot: int = 0
    quiet_above: int = 30
    trigger: TriggerSettings | None = None

    @property
    def tcp_port(self) -> int:
        """Port to dial."""
        if self.port is not None:
            return self.port
        return PLAIN_PORT if self.tls is None else TLS_PORT

    def asked_dbm(self, port: int) -> float | None:
        """Highest power to use at a port; None leaves the reader's own."""
        return dict(self.port_powers_dbm).get(port, self.tx_power_dbm)

    @property
    def address(self) -> str:
        """`host:port`, for people; of a reader that dials us its host and where it should dial."""
        return f"{self.host}:{self.tcp_port}" if self.listen is None else f"{self.host} (dials {self.listen})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepWish:
    """What a sweep is to do.

    Attributes:
        timeout_ms: its longest time.
        silence_ms: it is over when no tag was new for so long.
        ports: antennas that take part; none = all that the reader uses.
        doorway_cdbm: from which level on a tag that the reader has not heard of late ends it, by antenna port; at other
            ports none does.
        found: tags that an earlier part of the same count has found.
        target: `single` asks each tag once, so that the weak ones get their turn; `dual` asks everybody, also who has
            kept quiet since the last count because it never lost its power.
    """

    timeout_ms: int
    silence_ms: int
    ports: tuple[int, ...] = ()
    doorway_cdbm: Mapping[int, int] = field(default_factory=dict)
    found: frozenset[bytes] = frozenset()
    target: Literal["dual", "single"] = "single"


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
    buffer_warnings: int = 0
    buffer_overflows: int = 0
    plan_changes: int = 0
    bounces: int = 0
    reference_reads: int = 0
    last_read_us: int | None = None
