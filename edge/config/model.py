"""The settings model: every knob with its unit, type, default, bounds and description."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from edge.config.access import AccessConfig
from edge.config.antenna import AntennaConfig
from edge.config.devices import BoardConfig, SerialReaderConfig, SmartReaderConfig
from edge.config.gate import GateConfig
from edge.config.kinds import READERS, sort_readers
from edge.config.section import Section
from edge.config.trust import TrustConfig
from edge.config.wiring import (
    EpcText,
    GpiConfig,
    Id,
    OutputConfig,
    ReferenceConfig,
    TlsConfig,
    TriggerConfig,
)
from edge.config.zones import PresenceConfig, SweepConfig, ZoneConfig
from edge.outbox import OutboxSettings
from edge.readers import ReaderSettings
from edge.uplink import UplinkSettings
from edge.windows import PortalSettings, WindowsSettings
from edge.windows.settings import MAX_ANTENNAS

Layout = Literal["two-sided", "one-sided", "overhead", "corners", "two-readers", "beam", "single"]
TopicId = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]

# Each room states its defaults once, in its settings; the model below repeats none of them.
_READER: Final = ReaderSettings(id="-", host="-", antennas=())
_PORTAL: Final = PortalSettings(id="-", layout="two-sided", antennas=())
_WINDOWS: Final = WindowsSettings(gateway="-", portals=())
_OUTBOX: Final = OutboxSettings()
_UPLINK: Final = UplinkSettings(url="mqtt://localhost")
DAY_S: Final = 86_400.0
MIB: Final = 1024 * 1024


class ReaderConfig(Section):
    """One LLRP reader."""

    id: Id = Field(description="The reader's name in this file, in events and on screens.")
    host: str = Field(min_length=1, max_length=253, description="Host name or IP address of the reader.")
    port: int | None = Field(
        default=_READER.port,
        ge=1,
        le=65535,
        description="TCP port of the reader's LLRP service; left out: 5084, with `tls` 5085.",
    )
    tls: TlsConfig | None = Field(default=None, description="LLRP over TLS; left out: plain TCP.")
    listen: str | None = Field(
        default=_READER.listen,
        max_length=80,
        description="Our own `address:port` that the reader dials (from `host`); left out: we dial it.",
    )
    trusted_network: bool = Field(
        default=False,
        description="With `listen` beyond this machine and without TLS: believe the reader's address alone.",
    )
    profile: str = Field(
        default=_READER.profile,
        pattern=r"^(auto|[a-z0-9-]+/[a-z0-9-]+)$",
        description="Firmware profile, `vendor/model`, or `auto`: chosen by what the reader says that it is.",
    )
    region: str | None = Field(
        default=_READER.region,
        pattern=r"^[a-z0-9-]{1,40}$",
        description="Regulatory region (docs/reference/regions.md), which caps the power; left out: the reader's own.",
    )
    tx_power_dbm: float | None = Field(
        default=_READER.tx_power_dbm,
        ge=0.0,
        le=36.0,
        description="Highest transmit power, dBm, held to what `region` allows; left out: the reader's own or that.",
    )
    keepalive_ms: int = Field(
        default=_READER.keepalive_ms,
        ge=200,
        le=60_000,
        description="Period of keepalives; missing two ends the session.",
    )
    connect_timeout_s: float = Field(
        default=_READER.connect_timeout_s,
        ge=0.1,
        le=120.0,
        description="Longest wait for the connection, and for the greeting.",
    )
    request_timeout_s: float = Field(
        default=_READER.request_timeout_s, ge=0.1, le=120.0, description="Longest wait for the answer to a request."
    )
    backoff_max_s: float = Field(
        default=_READER.backoff_max_s, ge=0.1, le=600.0, description="Longest wait between two tries to connect."
    )
    max_frame_mib: int = Field(
        default=_READER.max_frame_bytes // MIB, ge=1, le=256, description="Longest LLRP message that is taken for one."
    )
    report_every_tags: int | None = Field(
        default=_READER.report_every_tags, ge=1, le=65535, description="Tag reports a message; left out: the profile's."
    )
    report_every_ms: int | None = Field(
        default=_READER.report_every_ms, ge=0, le=60_000, description="Reports are asked for this often, 0 never."
    )
    gpis: list[GpiConfig] = Field(
        default=[], max_length=64, description="Inputs that light beams and door contacts are wired to."
    )
    outputs: list[OutputConfig] = Field(
        default=[], max_length=64, description="Outputs that lights, sirens and relays are wired to."
    )
    references: list[ReferenceConfig] = Field(
        default=[], max_length=64, description="Reference tags, at most one an antenna; their reads are no passages."
    )
    trigger: TriggerConfig | None = Field(
        default=None, description="Read only for a while after an input calls; left out: all the time."
    )
    select: list[EpcText] = Field(
        default=[],
        max_length=16,
        description="EPC prefixes, hex: only tags that begin with one are asked, where the reader can; none: all.",
    )
    session: Literal[0, 1, 2, 3] | None = Field(
        default=_READER.session, description="Gen2 session to keep to; left out: planned, neighbours take others."
    )
    quiet_above: int = Field(
        default=_READER.quiet_above,
        ge=0,
        le=10_000,
        description="With more tags than this at rest in the field they are kept quiet; 0: never.",
    )


class PortalConfig(Section):
    """One doorway."""

    id: Id = Field(description="The portal's name, the same as in the central's registry.")
    inside: Id = Field(description="Location on the inner side, as in the central's registry, which wins.")
    outside: Id = Field(description="Location on the outer side.")
    layout: Layout = Field(
        default="two-sided",
        description="How the antennas stand; `beam` wants two light beams in order, `single` can't tell a direction.",
    )
    antennas: list[AntennaConfig] = Field(
        min_length=1, max_length=MAX_ANTENNAS, description="The antenna ports that serve this portal."
    )
    neighbours: list[Id] = Field(
        default=[],
        max_length=31,
        description="Portals so near that both may hear one carrier: only one of them calls a crossing. Portals that "
        "share a reader are neighbours anyhow, and one that names another is named by it.",
    )
    gap_ms: int = Field(default=_PORTAL.gap_ms, ge=200, le=60_000, description="Silence of a tag that ends its visit.")
    settle_ms: int = Field(
        default=_PORTAL.settle_ms,
        ge=500,
        le=60_000,
        description="Stillness that ends the visit of a tag that is still heard.",
    )
    park_ms: int = Field(
        default=_PORTAL.park_ms, ge=1_000, le=600_000, description="Stillness in the doorway that is called `parked`."
    )
    provisional_confidence: float = Field(
        default=_PORTAL.provisional_confidence,
        ge=0.5,
        le=1.0,
        description="From this confidence on a crossing is published before the tag has left.",
    )
    resolve_confidence: float = Field(
        default=_PORTAL.resolve_confidence,
        ge=0.0,
        le=1.0,
        description="Below this confidence a crossing is `unresolved`.",
    )
    pass_intervals: int = Field(
        default=_PORTAL.pass_intervals,
        ge=2,
        le=1_000,
        description="`single` only: silence of so many read intervals ends a pass.",
    )
    pass_rise_cdb: int = Field(
        default=_PORTAL.pass_rise_cdb,
        ge=50,
        le=5_000,
        description="`single` only: change of the smoothed RSSI on one channel, 1/100 dB, that makes a pass.",
    )
    pass_valley_cdb: int = Field(
        default=_PORTAL.pass_valley_cdb,
        ge=100,
        le=5_000,
        description="`single` only: RSSI dip, 1/100 dB, that ends a pass.",
    )


class WindowsConfig(Section):
    """How reads become passages, for all portals."""

    grace_ms: int = Field(
        default=_WINDOWS.grace_ms, ge=0, le=10_000, description="How much out of order reads may come."
    )
    step_back_ms: int = Field(
        default=_WINDOWS.step_back_ms,
        ge=100,
        le=600_000,
        description="A read older than this is a clock set back, not late.",
    )
    max_tags: int = Field(default=_WINDOWS.max_tags, ge=64, le=1_000_000, description="Most (tag, portal) pairs held.")
    forget_s: int = Field(
        default=_WINDOWS.forget_s, ge=10, le=86_400, description="A tag unheard for this long is forgotten."
    )
    min_reads: int = Field(
        default=_WINDOWS.min_reads, ge=1, le=100, description="A visit of fewer reads gives no event."
    )
    motion_rad: float = Field(
        default=_WINDOWS.motion_rad,
        ge=0.05,
        le=1.5,
        description="In-channel phase change that a tag at rest doesn't reach.",
    )
    motion_cdb: int = Field(
        default=_WINDOWS.motion_cdb,
        ge=50,
        le=5_000,
        description="RSSI change, 1/100 dB, that counts as motion without phase.",
    )
    batch_ms: int = Field(
        default=_WINDOWS.batch_ms,
        ge=0,
        le=60_000,
        description="Crossings of one portal and direction this close are one batch.",
    )
    rearm_s: int = Field(
        default=_WINDOWS.rearm_s,
        ge=60,
        le=604_800,
        description="A tag once called `parked` can be called so again after it was unheard for so long.",
    )
    engine: Literal["numba", "plain"] = Field(
        default=_WINDOWS.engine, description="Compiled, or plain Python (slow) where numba has no wheel."
    )


class OutboxConfig(Section):
    """Events that the central has not confirmed yet, on disk."""

    keep_acknowledged_days: float = Field(
        default=_OUTBOX.keep_acknowledged_s / DAY_S,
        ge=0.0,
        le=365.0,
        description="Confirmed events stay so long, for a central that is restored from a backup.",
    )
    max_mib: int = Field(
        default=_OUTBOX.max_bytes // MIB,
        ge=16,  # 2,000 movements may have been sent and may not go: 1.4 MB, and some times that with all they can tell
        le=1_000_000,
        description="Most disk space; beyond it the oldest events go.",
    )


class MqttConfig(Section):
    """The broker, and how hard to try."""

    url: str = Field(description="Broker, `mqtt://host:1883` or `mqtts://host:8883`.")
    username: str | None = Field(default=None, min_length=1, description="User name at the broker, if it wants one.")
    password_file: str | None = Field(
        default=None,
        min_length=1,
        description="File whose first line is the password; a relative path starts at this file.",
    )
    ca_file: str | None = Field(
        default=None, min_length=1, description="Certificates to trust with `mqtts`; left out: those of the system."
    )
    certificate_file: str | None = Field(
        default=None,
        min_length=1,
        description="Our certificate, PEM, for a broker that asks; a new one in its place is used once it works.",
    )
    key_file: str | None = Field(
        default=None, min_length=1, description="The certificate's key, PEM; left out: it stands in the same file."
    )
    keepalive_s: int = Field(default=_UPLINK.keepalive_s, ge=2, le=3_600, description="MQTT keepalive.")
    connect_timeout_s: float = Field(
        default=_UPLINK.connect_timeout_s,
        ge=0.1,
        le=120.0,
        description="Longest wait for a connection in all its steps.",
    )
    reconnect_max_s: float = Field(
        default=_UPLINK.reconnect_max_s, ge=0.1, le=600.0, description="Longest wait between two tries to connect."
    )
    resend_after_s: float = Field(
        default=_UPLINK.resend_after_s,
        ge=0.5,
        le=600.0,
        description="Events are sent again when none is confirmed for so long.",
    )
    drain_s: float = Field(
        default=_UPLINK.drain_s,
        ge=0.0,
        le=60.0,
        description="At a stop, longest wait for what was written to be confirmed.",
    )


class AgentConfig(Section):
    """The agent itself."""

    data_dir: str = Field(
        default="stockgate-edge-data",
        min_length=1,
        description="Folder of the outbox; a relative path starts at this file. `--data-dir` goes before it.",
    )
    heartbeat_s: float = Field(
        default=2.0, ge=0.2, le=60.0, description="Period of the heartbeat that the central expects."
    )
    commit_ms: int = Field(default=50, ge=0, le=1_000, description="Least time between two writes of events to disk.")


class LogConfig(Section):
    """Where log lines go; without a file to standard error, where systemd's journal takes them up."""

    file: str | None = Field(
        default=None,
        min_length=1,
        pattern=r"^[^\x00]+$",
        description="File for the log, one JSON object a line; a relative path starts at this file. Left out: "
        "standard error.",
    )
    mib: int = Field(
        default=16, ge=1, le=10_000, description="Most disk space for `file` and its three older parts together."
    )


class EdgeConfig(Section):
    """The whole file."""

    site: TopicId = Field(description="Site id, part of every topic: 1 to 40 of a-z, 0-9 and -.")
    gateway: TopicId = Field(description="This agent's id, unique over all sites: 1 to 40 of a-z, 0-9 and -.")
    readers: list[ReaderConfig] = Field(description="The readers that this agent drives, 1 to 8 of all kinds together.")
    serial_readers: list[SerialReaderConfig] = Field(
        default=[], title=READERS, description="Readers on serial lines: `[[readers]]` tables with the key `serial`."
    )
    smart_readers: list[SmartReaderConfig] = Field(
        default=[], title=READERS, description="Readers that publish: `[[readers]]` tables with the key `mqtt_topic`."
    )
    boards: list[BoardConfig] = Field(
        default=[],
        max_length=8,
        description="Relay boards, and serial ports that beams and door contacts are wired to.",
    )
    portals: list[PortalConfig] = Field(min_length=1, max_length=32, description="The doorways that it watches.")
    zones: list[ZoneConfig] = Field(
        default=[], max_length=64, description="Shelves and rooms whose antennas always listen, for counts."
    )
    sweeps: list[SweepConfig] = Field(
        default=[], max_length=32, description="Counts by the clock, with antennas of portals or zones."
    )
    mqtt: MqttConfig = Field(description="Where events go.")
    windows: WindowsConfig = Field(default=WindowsConfig(), description="How reads become passages.")
    presence: PresenceConfig = Field(default=PresenceConfig(), description="What is told of zones, for counts.")
    outbox: OutboxConfig = Field(default=OutboxConfig(), description="What waits on disk.")
    agent: AgentConfig = Field(default=AgentConfig(), description="The agent itself.")
    log: LogConfig = Field(default=LogConfig(), description="Where log lines go.")
    trust: TrustConfig = Field(default=TrustConfig(), description="Whom the agent believes.")
    access: AccessConfig = Field(default=AccessConfig(), description="What an access controller may tell.")
    gate: GateConfig = Field(default=GateConfig(), description="What the gate shows at doors.")

    @model_validator(mode="before")
    @classmethod
    def _sort_readers(cls, document: Any) -> Any:
        """Sort the readers of `[[readers]]` by their kinds."""
        return sort_readers(document)

    def ports_of(self, reader: str) -> tuple[int, ...]:
        """Return the antenna ports of a reader that serve a portal or a zone, in order."""
        serving = [
            *(antenna for portal in self.portals for antenna in portal.antennas),
            *(antenna for zone in self.zones for antenna in zone.antennas),
        ]
        return tuple(sorted({antenna.port for antenna in serving if antenna.reader == reader}))

    @property
    def reader_places(self) -> dict[str, str]:
        """Readers of all kinds: id by place in this model, which messages translate to the place in the file."""
        places = {f"readers[{number}]": one.id for number, one in enumerate(self.readers)}
        places |= {f"serial_readers[{number}]": one.id for number, one in enumerate(self.serial_readers)}
        return places | {f"smart_readers[{number}]": one.id for number, one in enumerate(self.smart_readers)}
