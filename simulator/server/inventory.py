"""The inventory of one reader: ROSpecs with their life cycle, and reports until they are due."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.faults import Faults
from simulator.server import events
from simulator.server.air import Persistence
from simulator.server.codes import EventType, Status
from simulator.server.config import ReaderConfig
from simulator.server.errors import RefusedError
from simulator.server.model import ReaderModel
from simulator.server.now import Now
from simulator.server.reports import Report, ReportEncoder, report_message
from simulator.server.rospec import AiSpec, ReportSpec, ReportTrigger, RoSpec, RoState
from simulator.server.survey import survey_report
from simulator.server.triggers import StartTrigger
from simulator.world.command import AirCommand


@dataclass(frozen=True, slots=True)
class Radio:
    """What the antennas do now: ports in use, and transmit power where the client set one."""

    antennas: tuple[int, ...]
    power_dbm: dict[int, float]
    commands: dict[int, AirCommand] = field(default_factory=dict)
    extra_loss_db: dict[int, float] = field(default_factory=dict)
    noise_db: float = 0.0


@dataclass(slots=True)
class Counters:
    """What this reader did; `tag_reads` counts what was handed to a connected client."""

    tag_reads: int = 0
    reports: int = 0
    unheard_reads: int = 0
    overflowed_reads: int = 0


@dataclass
class Inventory:
    """ROSpecs and pending reports; every method returns the messages that it causes, in order."""

    model: ReaderModel
    faults: Faults
    counters: Counters = field(default_factory=Counters)
    rospecs: dict[int, RoSpec] = field(default_factory=dict)
    ever_started: bool = False
    held: bool = False
    _pending: list[tuple[bytes, int]] = field(default_factory=list)
    _overflowed: bool = False
    _warned: bool = False
    _stopped: RoSpec | None = None
    _next_message: int = 1
    _rospec_started_us: int = 0
    _aispec: int = 0
    _aispec_started_us: int = 0
    _observed: int = 0

    def __post_init__(self) -> None:
        self._encoder = ReportEncoder(self.faults)
        self._persistence = Persistence()
        self._new_us = 0
        self._seen: set[bytes] = set()

    @property
    def active(self) -> RoSpec | None:
        """The ROSpec that runs."""
        return next((spec for spec in self.rospecs.values() if spec.state is RoState.ACTIVE), None)

    def radio(self, config: ReaderConfig) -> Radio | None:
        """What the antennas do now; None while nothing runs."""
        spec = self.active
        if spec is None:
            return None
        aispec = spec.aispecs[self._aispec]
        return Radio(aispec.antennas, config.power_dbm | aispec.power_dbm)

    def add(self, spec: RoSpec) -> None:
        """ADD_ROSPEC."""
        if spec.id in self.rospecs:
            raise RefusedError(Status.FIELD_ERROR, f"ROSpec {spec.id} exists already: delete it first")
        if len(self.rospecs) >= self.model.max_rospecs:
            raise RefusedError(Status.OVERFLOW_PARAMETER, f"this reader holds at most {self.model.max_rospecs} ROSpec")
        self.rospecs[spec.id] = spec

    def delete(self, rospec_id: int, config: ReaderConfig, now: Now) -> list[bytes]:
        """DELETE_ROSPEC; 0 is all of them."""
        out = [sent for spec in self._named(rospec_id) for sent in self._end(spec, RoState.DISABLED, config, now)]
        for spec in self._named(rospec_id):
            del self.rospecs[spec.id]
        return out

    def enable(self, rospec_id: int, config: ReaderConfig, now: Now) -> list[bytes]:
        """ENABLE_ROSPEC; one with an immediate start trigger runs at once."""
        out: list[bytes] = []
        for spec in self._named(rospec_id):
            if spec.state is RoState.DISABLED:
                self.rospecs[spec.id] = spec.in_state(RoState.INACTIVE)
                if spec.boundary.start is StartTrigger.IMMEDIATE:
                    out += self._start(spec, config, now)
        return out

    def disable(self, rospec_id: int, config: ReaderConfig, now: Now) -> list[bytes]:
        """DISABLE_ROSPEC."""
        return [sent for spec in self._named(rospec_id) for sent in self._end(spec, RoState.DISABLED, config, now)]

    def start(self, rospec_id: int, config: ReaderConfig, now: Now) -> list[bytes]:
        """START_ROSPEC of one that is enabled; starting what runs changes nothing."""
        spec = self._one(rospec_id)
        if spec.state is RoState.DISABLED:
            raise RefusedError(Status.INVALID, f"ROSpec {rospec_id} is disabled: enable it first")
        return [] if spec.state is RoState.ACTIVE else self._start(spec, config, now)

    def stop(self, rospec_id: int, config: ReaderConfig, now: Now) -> list[bytes]:
        """STOP_ROSPEC."""
        spec = self._one(rospec_id)
        return self._end(spec, RoState.INACTIVE, config, now) if spec.state is RoState.ACTIVE else []

    def put(self, reads: Sequence[Report], config: ReaderConfig, now: Now) -> list[bytes]:
        """Report these reads of the ROSpec that runs, when its triggers say so."""
        spec = self.active
        out: list[bytes] = []
        for read in reads:
            if spec is None or spec.state is not RoState.ACTIVE:
                out += self._too_late(read, config)
                continue
            if not self._hears(spec.aispecs[self._aispec], read, now):
                self.counters.unheard_reads += read.seen_count
                continue
            out += self._keep(read, spec, config, now)
            out += self._sent_if_full(spec, config)
            self._observed += read.seen_count
            if spec.aispecs[self._aispec].quiet_ms and read.epc not in self._seen:
                self._seen.add(read.epc)
                self._new_us = now.steady_us
            limit = spec.aispecs[self._aispec].tags
            if limit and self._observed >= limit:
                out += self._next_aispec(spec, config, now)
                spec = self.active
        return out

    def tick(self, config: ReaderConfig, now: Now) -> list[bytes]:
        """End what lasts a duration."""
        spec = self.active
        if spec is None:
            return []
        if _is_over(spec.boundary.duration_ms, self._rospec_started_us, now):
            return self._done(spec, config, now)
        aispec = spec.aispecs[self._aispec]
        if _is_over(aispec.duration_ms, self._aispec_started_us, now) or _is_over(aispec.quiet_ms, self._new_us, now):
            return self._next_aispec(spec, config, now)
        return []

    def gpi(self, port: int, config: ReaderConfig, now: Now, *, high: bool) -> list[bytes]:
        """An input changed: what waits for that begins or ends."""
        out: list[bytes] = []
        for spec in list(self.rospecs.values()):
            start, stop = spec.boundary.start_gpi, spec.boundary.stop_gpi
            if start and spec.state is RoState.INACTIVE and (start.port, start.high) == (port, high):
                out += self._start(spec, config, now)
            elif stop and spec.state is RoState.ACTIVE and (stop.port, stop.high) == (port, high):
                out += self._end(spec, RoState.INACTIVE, config, now)
        return out

    def flush(self) -> list[bytes]:
        """Send all that is pending; nothing while reports are held."""
        if self.held:
            return []
        out = []
        for at in range(0, len(self._pending), self.faults.reports_a_message):
            part = self._pending[at : at + self.faults.reports_a_message]
            if self.faults.empty_reports:
                out.append(report_message(self._message_id(), []))
            out.append(report_message(self._message_id(), [encoded for encoded, _ in part]))
            self.counters.tag_reads += sum(seen for _, seen in part)
            self.counters.reports += 1
        self._pending.clear()
        self._warned = False
        return out

    def disconnected(self) -> None:
        """The client is gone: most readers keep no reports for the next one, only their count of them."""
        self._encoder.reset()
        if not self.faults.queue_while_away:
            self.counters.unheard_reads += sum(seen for _, seen in self._pending)
            self._pending.clear()

    def overflow_notice(self, now: Now) -> list[bytes]:
        """The notice that reports were lost, once for each time that it happened; no client can switch it off."""
        if not self._overflowed:
            return []
        self._overflowed = False
        return [events.buffer_overflow(now)]

    def lose(self, reads: Sequence[Report]) -> None:
        """Count reads that found the reader's buffer full."""
        self.counters.overflowed_reads += sum(read.seen_count for read in reads)
        self._overflowed = True

    def report_now(self) -> list[bytes]:
        """GET_REPORT: all that is pending, or one empty report."""
        return self.flush() or [report_message(self._message_id(), [])]

    def _message_id(self) -> int:
        self._next_message = self._next_message % 0xFFFFFFFF + 1
        return self._next_message

    def _keep(self, read: Report, spec: RoSpec, config: ReaderConfig, now: Now) -> list[bytes]:
        """Keep a read until its report is due; the buffer warns once on its way to being full."""
        if len(self._pending) >= self.faults.buffer_reports:
            self.lose([read])
            return []
        encoded = self._encoder.encode(read, self._report_spec(spec, config).content, spec.id)
        self._pending.append((encoded, read.seen_count))
        percent = 100 * len(self._pending) // self.faults.buffer_reports
        warn_at = self.faults.buffer_warning_percent
        if not warn_at or percent < warn_at or self._warned or EventType.REPORT_BUFFER not in config.events:
            return []
        self._warned = True
        return [events.buffer_warning(percent, now)]

    def _too_late(self, read: Report, config: ReaderConfig) -> list[bytes]:
        """A read that no ROSpec wants any more; some readers report it all the same."""
        spec = self._stopped
        if spec is None or not self.faults.late_reports_after_stop:
            self.counters.unheard_reads += read.seen_count
            return []
        self._pending.append((self._encoder.encode(read, self._report_spec(spec, config).content, spec.id), 1))
        return self.flush()

    def _sent_if_full(self, spec: RoSpec, config: ReaderConfig) -> list[bytes]:
        report = self._report_spec(spec, config)
        if self.faults.ignore_n:
            return []
        full = report.trigger is not ReportTrigger.NONE and report.n and len(self._pending) >= report.n
        return self.flush() if full else []

    def _start(self, spec: RoSpec, config: ReaderConfig, now: Now) -> list[bytes]:
        self.rospecs[spec.id] = spec.in_state(RoState.ACTIVE)
        self.ever_started = True
        self._rospec_started_us = self._aispec_started_us = now.steady_us
        self._aispec = self._observed = 0
        self._new_us = now.steady_us
        self._seen.clear()
        if EventType.ROSPEC in config.events:
            return [events.rospec_event(started=True, rospec_id=spec.id, now=now)]
        return []

    def _end(self, spec: RoSpec, state: RoState, config: ReaderConfig, now: Now) -> list[bytes]:
        """Leave a ROSpec in another state; a running one reports what is pending first."""
        self.rospecs[spec.id] = spec.in_state(state)
        if spec.state is not RoState.ACTIVE:
            return []
        self._stopped = spec
        out = self._flush_unless_none(spec, config)
        if EventType.ROSPEC in config.events:
            out.append(events.rospec_event(started=False, rospec_id=spec.id, now=now))
        return out

    def _done(self, spec: RoSpec, config: ReaderConfig, now: Now) -> list[bytes]:
        """A ROSpec has run through; with an immediate start trigger it begins again (10.2.1.1)."""
        out = self._end(spec, RoState.INACTIVE, config, now)
        return out + (self._start(spec, config, now) if spec.boundary.start is StartTrigger.IMMEDIATE else [])

    def _next_aispec(self, spec: RoSpec, config: ReaderConfig, now: Now) -> list[bytes]:
        out: list[bytes] = []
        if self._report_spec(spec, config).trigger is ReportTrigger.END_OF_AISPEC:
            out += self.flush()
        survey = spec.aispecs[self._aispec].survey
        if survey is not None:
            out.append(survey_report(self._message_id(), survey, spec.id, self.model.frequencies_khz, now))
            if EventType.RF_SURVEY in config.events:
                out.append(events.rf_survey_end(spec.id, now))
        elif EventType.AISPEC in config.events:
            out.append(events.aispec_end(spec.id, self._aispec + 1, now))
        if self._aispec + 1 == len(spec.aispecs):
            return out + self._done(spec, config, now)
        self._aispec += 1
        self._aispec_started_us = self._new_us = now.steady_us
        self._observed = 0
        self._seen.clear()
        return out

    def _hears(self, aispec: AiSpec, read: Report, now: Now) -> bool:
        """Whether a tag that has power answers: the filters let it, and it doesn't keep quiet in its session."""
        command = aispec.commands.get(read.antenna)
        return command is None or (
            command.selects(read.epc) and self._persistence.answers(read.epc, command, now.steady_us)
        )

    def _flush_unless_none(self, spec: RoSpec, config: ReaderConfig) -> list[bytes]:
        return [] if self._report_spec(spec, config).trigger is ReportTrigger.NONE else self.flush()

    def _report_spec(self, spec: RoSpec, config: ReaderConfig) -> ReportSpec:
        return spec.report or config.report

    def _named(self, rospec_id: int) -> list[RoSpec]:
        return list(self.rospecs.values()) if rospec_id == 0 else [self._one(rospec_id)]

    def _one(self, rospec_id: int) -> RoSpec:
        if rospec_id not in self.rospecs:
            raise RefusedError(Status.FIELD_ERROR, f"there is no ROSpec {rospec_id}: add it first")
        return self.rospecs[rospec_id]


def _is_over(limit_ms: int, since_us: int, now: Now) -> bool:
    """Whether a time has passed; 0 never does."""
    return limit_ms > 0 and now.steady_us - since_us >= 1000 * limit_ms
