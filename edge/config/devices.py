"""The settings of readers that stand on a serial line or publish by themselves, and of boards."""

from typing import Annotated, Final, Literal

from pydantic import Field

from edge.config.section import Section
from edge.config.wiring import INPUT_KINDS, Id, WatchConfig
from edge.contracts import SensorKind
from edge.readers import GpiSettings
from edge.readers.serial import BoardSettings, SerialSettings
from edge.readers.smart import SmartSettings

# Each room states its defaults once, in its settings; the models below repeat none of them.
_SERIAL: Final = SerialSettings(id="-", serial="-", protocol="r200", antennas=())
_SMART: Final = SmartSettings(id="-", topic="-", format="impinj-iot", broker_host="-", antennas=())
_BOARD: Final = BoardSettings(id="-", serial="-", protocol="lcus")
_INPUT: Final = GpiSettings(port=1, kind="door")
_DEVICE: Final = "Device, best by a name in `/dev/serial/by-id`; or `rfc2217://host:port`, `socket://host:port`."
_BACKOFF: Final = "Longest wait between two tries to connect."
Baud = Annotated[int, Field(ge=1_200, le=921_600)]


class InputConfig(WatchConfig):
    """An input that something is wired to; of a serial port's control lines 1 is CTS, 2 DSR, 3 DCD, 4 RI."""

    port: int = Field(ge=1, le=64, description="Number of the input, counted from 1.")
    kind: SensorKind = Field(description=INPUT_KINDS)
    debounce_ms: int = Field(
        default=_INPUT.debounce_ms, ge=0, le=10_000, description="A change counts once it has lasted this long."
    )


class SerialReaderConfig(Section):
    """A reader on a serial line: a `[[readers]]` table with the key `serial`."""

    id: Id = Field(description="The reader's name in this file, in events and on screens.")
    serial: str = Field(min_length=1, max_length=253, description=_DEVICE)
    protocol: Literal["r200", "uhfreader18", "uhfreader288"] = Field(
        description="What it speaks: `r200` (R200, YRM100, JRD-4035), `uhfreader18` or `uhfreader288` (Chafon and kin)."
    )
    baud: Baud | None = Field(
        default=_SERIAL.baud, description="Bits per second; left out: 115,200 for `r200`, 57,600 for the others."
    )
    antenna_ports: Literal[1, 4, 8, 12, 16] = Field(
        default=_SERIAL.antenna_ports,
        description="`uhfreader288` only: ports that it has; with 12 or 16 it numbers antennas, else it sends a mask.",
    )
    region: str | None = Field(
        default=_SERIAL.region,
        pattern=r"^[a-z0-9-]{1,40}$",
        description="Regulatory region (docs/reference/regions.md), which sets channels and caps power; else as it is.",
    )
    tx_power_dbm: float | None = Field(
        default=_SERIAL.tx_power_dbm,
        ge=0.0,
        le=36.0,
        description="Transmit power, dBm, held to what `region` allows; left out: the reader's own, held likewise.",
    )
    answer_timeout_s: float = Field(
        default=_SERIAL.answer_timeout_s,
        ge=0.05,
        le=30.0,
        description="Longest wait for an answer before asking again.",
    )
    backoff_max_s: float = Field(default=_SERIAL.backoff_max_s, ge=0.1, le=600.0, description=_BACKOFF)
    gpis: list[InputConfig] = Field(
        default=[], max_length=4, description="Control lines of the port that beams and door contacts are wired to."
    )


class SmartReaderConfig(Section):
    """A reader that publishes its reads to a broker by itself: a `[[readers]]` table with the key `mqtt_topic`."""

    id: Id = Field(description="The reader's name in this file, in events and on screens.")
    mqtt_topic: str = Field(
        min_length=1,
        max_length=1_000,
        pattern=r"^[^+#\x00-\x1f]+$",
        description="The topic that this reader publishes its reads to; each reader has its own, so no wildcards.",
    )
    format: Literal["impinj-iot", "zebra-iotc"] = Field(
        description="What it publishes: `impinj-iot` (R700's IoT interface) or `zebra-iotc` (IoT Connector)."
    )
    mqtt_url: str | None = Field(
        default=None,
        description="Its broker, without user or password; left out: the agent's own, with all of `[mqtt]`'s settings.",
    )
    silence_s: float = Field(
        default=_SMART.silence_s, ge=0.0, le=86_400.0, description="Silence that health tells, 0 never."
    )
    connect_timeout_s: float = Field(
        default=_SMART.connect_timeout_s, ge=0.1, le=120.0, description="Longest wait for the broker."
    )
    backoff_max_s: float = Field(default=_SMART.backoff_max_s, ge=0.1, le=600.0, description=_BACKOFF)
    gpis: list[InputConfig] = Field(
        default=[], max_length=64, description="Inputs of the reader that are wired, where it publishes their changes."
    )


class BoardConfig(Section):
    """A board on a serial line that switches lights and sirens, or sees light beams and door contacts."""

    id: Id = Field(description="The board's name in this file, in events and on screens; unlike any reader's.")
    serial: str = Field(min_length=1, max_length=253, description=_DEVICE)
    protocol: Literal["lcus", "modbus", "lines"] = Field(
        description="`lcus` relays, `modbus` RTU relays and inputs, or `lines`: control lines of the port as inputs."
    )
    baud: Baud = Field(default=_BOARD.baud, description="Bits per second.")
    unit: int = Field(default=_BOARD.unit, ge=1, le=255, description="`modbus` only: the board's address.")
    outputs: int = Field(
        default=_BOARD.outputs, ge=0, le=32, description="Relays that it has; all are off at the start and at the end."
    )
    timed_outputs: bool = Field(
        default=_BOARD.timed_outputs,
        description="`modbus` only: the board ends a pulse by itself (Waveshare and kin), even if the agent dies.",
    )
    answer_timeout_s: float = Field(
        default=_BOARD.answer_timeout_s, ge=0.02, le=10.0, description="Longest wait for an answer before asking again."
    )
    backoff_max_s: float = Field(default=_BOARD.backoff_max_s, ge=0.1, le=600.0, description=_BACKOFF)
    gpis: list[InputConfig] = Field(
        default=[], max_length=32, description="Inputs that light beams and door contacts are wired to."
    )
