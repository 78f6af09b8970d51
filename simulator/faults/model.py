"""The faults of one reader as typed switches. Pure values: who serves the reader asks them, nothing here acts."""

from dataclasses import dataclass, field
from typing import Final, Literal

Stamps = Literal["utc", "uptime", "none"]
"""The clock that a reader writes into reports and events; `none` leaves it out of reports (an event must say one)."""

EPOCH_2000_US: Final = 946_684_800_000_000
"""Where a reader without a battery clock begins: 2000-01-01 in UTC microseconds."""


@dataclass(slots=True, kw_only=True)
class Faults:
    """Switches of one reader, changed at any time; the defaults are a reader without faults.

    Attributes:
        greeting: what a newcomer first hears: `normal`, nothing at all (`none`), or what is in `greeting_bytes`.
        greeting_bytes: for a port that speaks something else than LLRP.
        greeting_delay_s: the greeting comes so much later.
        attempt_status: ConnectionAttemptEvent status that turns every newcomer away; None takes them.
        dead_session_s: after a client is lost without a CLOSE_CONNECTION, newcomers hear for so long that a client is
            connected.
        no_keepalives: none are sent, whatever was asked.
        deaf: message types that are never answered.
        unknown: message types that are answered by ERROR_MESSAGE, "unsupported message".
        refused: LLRP status of the response, by message type.
        answer_delay_s: a slow reader: each answer comes so much later.
        interleave: an AISpec event, and a report where a ROSpec runs, come before each response.
        stale_responses: before each response comes one of its type with an error and another message's id.
        clock_offset_us: the reader's UTC is the true one plus this.
        stamps: which clock is written.
        booted_us: true UTC at which Uptime was 0.
        omit_unchanged: what a report would repeat of the report before it on the same connection and ROSpec is left
            out, as the standard allows.
        long_epc_form: an EPC of 96 bits comes as EPCData.
        empty_reports: an empty RO_ACCESS_REPORT comes before each report.
        ignore_n: reports wait for the end of the spec, or for GET_REPORT, whatever N was asked.
        reports_a_message: a backlog is cut into messages of so many tag reports.
        buffer_reports: tag reports that wait before the buffer overflows.
        buffer_warning_percent: the fill at which ReportBufferLevelWarning is sent; 0 never warns.
        queue_while_away: reports go on while no client is there, and the next one gets them all at once.
        late_reports_after_stop: the last reads are reported after the response to STOP_ROSPEC.
        silent_antennas: ports that hear nothing, with no event about it.
        temperature_c: what an Impinj reader says that it has inside.
    """

    greeting: Literal["normal", "none", "bytes"] = "normal"
    greeting_bytes: bytes = b""
    greeting_delay_s: float = 0.0
    attempt_status: int | None = None
    dead_session_s: float = 0.0
    no_keepalives: bool = False
    deaf: frozenset[int] = frozenset()
    unknown: frozenset[int] = frozenset()
    refused: dict[int, int] = field(default_factory=dict)
    answer_delay_s: float = 0.0
    interleave: bool = False
    stale_responses: bool = False
    clock_offset_us: int = 0
    stamps: Stamps = "utc"
    booted_us: int = 0
    omit_unchanged: bool = False
    long_epc_form: bool = False
    empty_reports: bool = False
    ignore_n: bool = False
    reports_a_message: int = 200
    buffer_reports: int = 50_000
    buffer_warning_percent: int = 0
    queue_while_away: bool = False
    late_reports_after_stop: bool = False
    silent_antennas: frozenset[int] = frozenset()
    temperature_c: int = 41

    def reader_utc_us(self, true_us: int) -> int:
        """What the reader's UTC clock shows."""
        return true_us + self.clock_offset_us

    def uptime_us(self, true_us: int) -> int:
        """What the reader's Uptime shows."""
        return max(true_us - self.booted_us, 0)

    def begin_at_2000(self, true_us: int) -> None:
        """Set the reader's UTC to the beginning of 2000, as after a power cut without a battery."""
        self.clock_offset_us = EPOCH_2000_US - true_us
