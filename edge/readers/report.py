"""What is known of one reader, as the heartbeat carries it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edge.contracts import AntennaHealth, Clock, OutputHealth, ReaderHealth, instant
from edge.readers.antennas import AntennaReport
from edge.readers.model import ClockState, ReaderCounters, ReaderSettings
from edge.readers.session import ReaderSession


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the supervisor stands with its reader, since when, and what is wrong."""

    state: Literal["connecting", "connected", "lost"]
    since_us: int
    problem: str


def reader_health(
    settings: ReaderSettings,
    counters: ReaderCounters,
    standing: Standing,
    *,
    antennas: Sequence[AntennaReport],
    session: ReaderSession | None,
) -> ReaderHealth:
    """Return a reader's state and counters; `session` is the one that runs, if one does."""
    last_us = counters.last_read_us
    seen = None if session is None else session.seen
    return ReaderHealth(
        id=settings.id,
        state=standing.state,
        reads=counters.reads,
        reports=counters.reports,
        unlisted_reads=counters.unlisted_reads,
        reconnects=counters.reconnects,
        lost_reports=counters.lost_reports,
        last_read_at=None if last_us is None else instant(last_us),
        problem=standing.problem,
        since=instant(standing.since_us),
        model="" if seen is None else f"{seen.vendor}/{seen.model}",
        firmware="" if seen is None else seen.firmware,
        profile="" if session is None else session.profile,
        busy="" if session is None or session.errand is None else session.errand[0],
        busy_since=None if session is None or session.errand is None else instant(session.errand[1]),
        plan="" if session is None else session.plan,
        residents=None if session is None else session.residents,
        temperature_c=None if session is None else session.temperature_c,
        buffer_warnings=counters.buffer_warnings,
        buffer_overflows=counters.buffer_overflows,
        clock=None if session is None else _clock(session.intake.clock),
        antennas=[_antenna(report) for report in antennas],
        outputs=[] if session is None else _outputs(session),
    )


def _antenna(report: AntennaReport) -> AntennaHealth:
    return AntennaHealth(
        port=report.port,
        state=report.state,
        reason=report.reason,
        since=instant(report.since_us),
        read_rate=report.read_rate,
        rssi_cdbm=report.rssi_cdbm,
        reference=report.reference,
        rate_share=report.rate_share,
        rssi_drift_cdb=report.rssi_drift_cdb,
    )


def _clock(clock: ClockState) -> Clock:
    return Clock(source=clock.source, offset_us=clock.offset_us, spread_us=clock.spread_us, stepped=clock.stepped)


def _outputs(session: ReaderSession) -> list[OutputHealth]:
    port = session.outputs
    if port is None:
        return []
    return [
        OutputHealth(output=output, on=on, ends_itself=port.ends_pulse(output))
        for output, on in sorted(port.on.items())
    ]
