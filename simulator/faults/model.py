"""The faults of one reader as typed switches. Pure values: who serves the reader asks them, nothing here acts.

Each switch stands here once, with its type, bounds, default and description; scenarios, the HTTP API and the page of
faults take them from here (`simulator.faults.table`). A field without a description is no switch.
"""

import math
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, Strict

Stamps = Literal["utc", "uptime", "none"]
"""The clock that a reader writes into reports and events; `none` leaves it out of reports (an event must say one)."""

Omitted = Literal[
    "rospec_id", "spec_index", "inventory_id", "antenna", "channel", "peak_rssi", "first_seen", "last_seen",
    "seen_count", "crc", "pc", "impinj_phase", "impinj_rssi", "impinj_doppler",
]  # fmt: skip
"""Parameters of a tag report that a reader may leave out though they were selected."""

EPOCH_2000_US: Final = 946_684_800_000_000
"""Where a reader without a battery clock begins: 2000-01-01 in UTC microseconds."""

LAST_US: Final = 4_102_444_800_000_000
"""2100-01-01 in UTC microseconds: a reader's clock shows nothing before 1970, and nothing after this."""

Ints = NDArray[np.int64]
ClockUs = Annotated[int, Field(ge=-LAST_US, le=LAST_US)]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Port = Annotated[int, Field(ge=1, le=64)]
PortKey = Annotated[Port, Strict(strict=False)]
"""Keys are strings in JSON and in TOML, lists what becomes a set: both are let in where all else is strict."""
Ports = Annotated[frozenset[Port], Strict(strict=False)]
MessageNumber = Annotated[int, Field(ge=0, le=1023)]
MessageKey = Annotated[MessageNumber, Strict(strict=False)]
MessageNumbers = Annotated[frozenset[MessageNumber], Strict(strict=False)]
StatusNumber = Annotated[int, Field(ge=0, le=0xFFFF)]


def _octets(given: object) -> object:
    """Bytes from hexadecimal digits, as TOML and JSON have no bytes of their own."""
    return bytes.fromhex(given) if isinstance(given, str) else given


Octets = Annotated[bytes, BeforeValidator(_octets), Field(max_length=16_384)]


@dataclass(slots=True, kw_only=True)
class Faults:
    """Switches of one reader, changed at any time; the defaults are a reader without faults."""

    greeting: Annotated[
        Literal["normal", "none", "bytes"],
        Field(
            description="What a newcomer first hears: as the standard says, nothing at all, or what is in "
            "`greeting_bytes`."
        ),
    ] = "normal"
    greeting_bytes: Annotated[
        Octets, Field(description="For a port that speaks something else than LLRP, as hexadecimal digits.")
    ] = b""
    greeting_delay_s: Annotated[Seconds, Field(description="The greeting comes so much later.")] = 0.0
    attempt_status: Annotated[
        StatusNumber | None,
        Field(description="ConnectionAttemptEvent status that turns every newcomer away; none takes them."),
    ] = None
    dead_session_s: Annotated[
        Seconds,
        Field(description="A client that is lost without a CLOSE_CONNECTION seems connected to newcomers for so long."),
    ] = 0.0
    half_open: Annotated[
        bool,
        Field(
            description="The connection stays up, and nothing comes through in either direction; what was to be sent "
            "is lost."
        ),
    ] = False
    powered_off: Annotated[
        bool,
        Field(
            description="No power: the connection falls silent, newcomers wait in vain, and nothing is read; once it "
            "is back the reader has booted anew and knows nothing of them."
        ),
    ] = False
    split_bytes: Annotated[
        int,
        Field(
            ge=0, le=65_535, description="What is sent comes in pieces of so many bytes, each by itself; 0 doesn't cut."
        ),
    ] = 0
    merge_ms: Annotated[
        int,
        Field(
            ge=0,
            le=60_000,
            description="What is sent waits so long, and comes together with all that was sent meanwhile.",
        ),
    ] = 0
    no_keepalives: Annotated[bool, Field(description="None are sent, whatever was asked.")] = False
    deaf: Annotated[MessageNumbers, Field(description="Message types that are never answered.")] = frozenset()
    unknown: Annotated[
        MessageNumbers,
        Field(description='Message types that are answered by ERROR_MESSAGE, "unsupported message".'),
    ] = frozenset()
    refused: Annotated[
        dict[MessageKey, StatusNumber], Field(description="LLRP status of the response, by message type.")
    ] = field(default_factory=dict)
    answer_delay_s: Annotated[Seconds, Field(description="A slow reader: each answer comes so much later.")] = 0.0
    interleave: Annotated[
        bool, Field(description="An AISpec event, and a report where a ROSpec runs, come before each response.")
    ] = False
    stale_responses: Annotated[
        bool, Field(description="Before each response comes one of its type with an error and another message's id.")
    ] = False
    clock_offset_us: Annotated[
        ClockUs,
        Field(description="The reader's UTC is the true one plus this; it shows nothing before 1970 or after 2100."),
    ] = 0
    clock_skew_ppm: Annotated[
        float,
        Field(
            ge=-100_000,
            le=100_000,
            description="The reader's clocks run so many millionths fast; what they have gained stays when it is put "
            "back.",
        ),
    ] = 0.0
    forgets_time: Annotated[
        bool, Field(description="No battery clock: each reboot sets UTC to the beginning of 2000.")
    ] = False
    stamps: Annotated[
        Stamps, Field(description="Which clock is written into reports and events; `none` leaves it out of reports.")
    ] = "utc"
    booted_us: Annotated[ClockUs, Field(description="True UTC at which Uptime was 0.")] = 0
    omit_unchanged: Annotated[
        bool,
        Field(
            description="What a report would repeat of the report before it on the same connection and ROSpec is left "
            "out, as the standard allows."
        ),
    ] = False
    omit_parameters: Annotated[
        frozenset[Omitted],
        Strict(strict=False),
        Field(description="Parameters that are left out of every report though they were selected."),
    ] = frozenset()
    long_epc_form: Annotated[bool, Field(description="An EPC of 96 bits comes as EPCData.")] = False
    ghost_share: Annotated[
        Share, Field(description="After this share of reads comes one of an EPC that no tag has.")
    ] = 0.0
    bit_flip_share: Annotated[Share, Field(description="In this share of reads one bit of the EPC is wrong.")] = 0.0
    empty_reports: Annotated[bool, Field(description="An empty RO_ACCESS_REPORT comes before each report.")] = False
    ignore_n: Annotated[
        bool, Field(description="Reports wait for the end of the spec, or for GET_REPORT, whatever N was asked.")
    ] = False
    burst_s: Annotated[
        Seconds, Field(description="Reports are held and come late, all at once, every so many seconds.")
    ] = 0.0
    reports_a_message: Annotated[
        int, Field(ge=1, le=100_000, description="A backlog is cut into messages of so many tag reports.")
    ] = 200
    buffer_reports: Annotated[
        int, Field(ge=1, le=10_000_000, description="Tag reports that wait before the buffer overflows.")
    ] = 50_000
    buffer_warning_percent: Annotated[
        int, Field(ge=0, le=100, description="The fill at which ReportBufferLevelWarning is sent; 0 never warns.")
    ] = 0
    queue_while_away: Annotated[
        bool, Field(description="Reports go on while no client is there, and the next one gets them all at once.")
    ] = False
    late_reports_after_stop: Annotated[
        bool, Field(description="The last reads are reported after the response to STOP_ROSPEC.")
    ] = False
    silent_antennas: Annotated[Ports, Field(description="Ports that hear nothing, with no event about it.")] = (
        frozenset()
    )
    unplugged_antennas: Annotated[
        Ports, Field(description="Ports whose cable is off: an antenna event tells of it.")
    ] = frozenset()
    detuned_db: Annotated[
        dict[PortKey, Annotated[float, Field(ge=0, le=100)]],
        Field(description="What a port's damaged or detuned cable takes, each way, by port."),
    ] = field(default_factory=dict)
    noise_db: Annotated[
        float, Field(ge=0, le=100, description="Interference: by how much the reader's noise floor is raised.")
    ] = 0.0
    gpi_bounces: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            description="An input that changes falls back and comes again so many times within some milliseconds.",
        ),
    ] = 0
    temperature_c: Annotated[
        int, Field(ge=-100, le=200, description="What an Impinj reader says that it has inside.")
    ] = 41
    skew_since_us: int = 0

    def reader_utc_us(self, true_us: int) -> int:
        """What the reader's UTC clock shows."""
        return _within(true_us + self.clock_offset_us + self._gained_us(true_us))

    def uptime_us(self, true_us: int) -> int:
        """What the reader's Uptime shows."""
        return _within(true_us - self.booted_us + self._gained_us(true_us))

    def shown_us(self, true_us: Ints) -> Ints:
        """What the clock that is written into reports shows at these times (n,)."""
        gained_us: Ints = np.floor(self.clock_skew_ppm * (true_us - self.skew_since_us) / 1e6).astype(np.int64)
        before_us = -self.booted_us if self.stamps == "uptime" else self.clock_offset_us
        shown_us: Ints = np.clip(true_us + (before_us + gained_us), 0, LAST_US)
        return shown_us

    def put(self, name: str, value: Any, true_us: int) -> None:
        """Set a switch at a true time; clocks that ran wrong until then keep what they have gained."""
        if name == "clock_skew_ppm":
            gained_us = self._gained_us(true_us)
            self.clock_offset_us += gained_us
            self.booted_us -= gained_us
            self.skew_since_us = true_us
        setattr(self, name, value)

    def step(self, by_us: int, true_us: int) -> None:
        """Let the reader's UTC jump, as far as 1970 or 2100: from there it runs on."""
        unstepped_us = true_us + self._gained_us(true_us)
        self.clock_offset_us = _within(unstepped_us + self.clock_offset_us + by_us) - unstepped_us

    def begin_at_2000(self, true_us: int) -> None:
        """Set the reader's UTC to the beginning of 2000, as after a power cut without a battery."""
        self.clock_offset_us = EPOCH_2000_US - true_us - self._gained_us(true_us)

    def _gained_us(self, true_us: int) -> int:
        return math.floor(self.clock_skew_ppm * (true_us - self.skew_since_us) / 1e6)


def _within(clock_us: int) -> int:
    """The nearest that a clock can show."""
    return min(max(clock_us, 0), LAST_US)
