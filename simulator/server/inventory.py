"""The inventory of one reader: ROSpecs with their life cycle, and reports until they are due."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from simulator.faults import Faults
from simulator.server import events
from simulator.server.batch import BatchEncoder, Encoded, Pending, framed
from simulator.server.codes import EventType, Status
from simulator.server.config import ReaderConfig
from simulator.server.errors import RefusedError
from simulator.server.model import ReaderModel
from simulator.server.now import Now
from simulator.server.reports import report_message
from simulator.server.rospec import AiSpec, ReportSpec, ReportTrigger, RoSpec, RoState
from simulator.server.survey import survey_report
from simulator.server.triggers import StartTrigger
from simulator.world.command import AirCommand
from simulator.world.values import Reads

FIRST_REPORT_ID: Final = 1 << 24
"""No client's requests get so far: there are some that take any message of their own number for the answer."""


@dataclass(frozen=True, slots=True)
class Radio:
    """What the antennas do now, as `simulator.world.values.RadioState` has it; the same object until it changes."""

    antennas: tuple[int, ...]
    power_dbm: Mapping[int, float]
    commands: Mapping[int, AirCommand] = field(default_factory=dict)
    extra_loss_db: Mapping[int, float] = field(default_factory=dict)
    noise_db: float = 0.0


@dataclass(slots=True)
class Counters:
    """What this reader did: `tag_reads` went to a connected client, `mishaps` are defects of the simulator itself."""

    tag_reads: int = 0
    reports: int = 0
    unheard_reads: int = 0
    overflowed_reads: int = 0
    mishaps: int = 0

    def shown(self) -> dict[str, int]:
        """The counters by the names that truth files and the HTTP API give them."""
        return {
            "reads": self.tag_reads,
            "reports": self.reports,
            "unheard_reads": self.unheard_reads,
            "overflowed_reads": self.overflowed_reads,
            "mishaps": self.mishaps,
        }


@dataclass
class Inventory:
    """ROSpecs and pending reports; every method returns the messages that it causes, in order."""

    model: ReaderModel
    faults: Faults
    counters: Counters = field(default_factory=Counters)
    rospecs: dict[int, RoSpec] = field(default_factory=dict)
    ever_started: bool = False
    held: bool = False
    _pending: Pending = field(default_factory=Pending)
    _overflowed: bool = False
    _warned: bool = False
    _stopped: RoSpec | None = None
    _next_message: int = FIRST_REPORT_ID
    _rospec_started_us: int = 0
    _aispec: int = 0
    _aispec_started_us: int = 0
    _observed: int = 0

    def __post_init__(self) -> None:
        self._encoder = BatchEncoder(self.faults)
        self._new_us = self._sent_us = 0
        self._seen: set[bytes] = set()
        self._radio: Radio | None = None
        self._radio_of: tuple[object, ...] = ()

    @property
    def active(self) -> RoSpec | None:
        """The ROSpec that runs."""
        return next((spec for spec in self.rospecs.values() if spec.state is RoState.ACTIVE), None)

    def radio(self, config: ReaderConfig) -> Radio | None:
        """What the antennas do now; None while nothing runs. It is made anew only when something has changed."""
        spec = self.active
        if spec is None:
            return None
        faults = self.faults
        deaf = faults.silent_antennas | faults.unplugged_antennas
        made_of = (spec, self._aispec, config, deaf, faults.noise_db, *faults.detuned_db.items())
        if made_of != self._radio_of:
            aispec = spec.aispecs[self._aispec]
            loss_db = {**faults.detuned_db, **dict.fromkeys(deaf, math.inf)}
            power_dbm = config.power_dbm | aispec.power_dbm
            commands = config.commands | aispec.commands
            self._radio = Radio(aispec.antennas, power_dbm, commands, loss_db, faults.noise_db)
            self._radio_of = made_of
        return self._radio

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
                # A scenario begins once all readers were asked to read: one that an input shall start has been.
                self.ever_started = self.ever_started or spec.boundary.start is StartTrigger.GPI
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

    def put(self, reads: Reads, begun_us: int, config: ReaderConfig, now: Now) -> list[bytes]:
        """Report these reads, whose times count from `begun_us`, when the running ROSpec's triggers say so."""
        out: list[bytes] = []
        while len(reads):
            spec = self.active
            if spec is None:
                return out + self._too_late(reads, begun_us, config)
            aispec = spec.aispecs[self._aispec]
            upto = self._until_full(reads, aispec)
            part, reads = reads.at(slice(0, upto)), reads.at(slice(upto, None))
            content = self._report_spec(spec, config).content
            out += self._keep(self._encoder.encode(part, begun_us, content, spec.id), spec, config, now)
            self._observe(part, aispec, now)
            if aispec.tags and self._observed >= aispec.tags:
                out += self._next_aispec(spec, config, now)
        return out

    def tick(self, config: ReaderConfig, now: Now) -> list[bytes]:
        """End what lasts a duration."""
        if self.faults.burst_s and now.steady_us - self._sent_us >= 1e6 * self.faults.burst_s:
            self._sent_us = now.steady_us
            return self.flush(late=True)
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

    def flush(self, *, late: bool = False) -> list[bytes]:
        """Send all that is pending; nothing while reports are held, by the client or by a fault that isn't over yet."""
        if self.held or not len(self._pending) or (self.faults.burst_s and not late):
            return []
        self._warned = False
        return self._framed(self._pending.take(), self.faults.reports_a_message)

    def disconnected(self) -> None:
        """The client is gone: most readers keep no reports for the next one, only their count of them."""
        self._encoder.reset()
        if not (self.faults.queue_while_away or self.model.queue_messages):
            self.counters.unheard_reads += self._pending.drop()

    def overflow_notice(self, now: Now) -> list[bytes]:
        """The notice that reports were lost, once for each time that it happened; no client can switch it off."""
        if not self._overflowed:
            return []
        self._overflowed = False
        return [events.buffer_overflow(now)]

    def lose(self, singulations: int) -> None:
        """Count reads that found the reader's buffer full."""
        self.counters.overflowed_reads += singulations
        self._overflowed = True

    def overflow(self) -> None:
        """Lose all that is pending."""
        self.lose(self._pending.drop())

    def report_now(self) -> list[bytes]:
        """GET_REPORT: all that is pending, or one empty report."""
        return self.flush() or [report_message(self._message_id(), [])]

    def _message_id(self) -> int:
        self._next_message = self._next_message % 0xFFFFFFFF + 1
        return self._next_message

    def _framed(self, reports: Encoded, per_message: int) -> list[bytes]:
        """Put reports into messages, and count them as sent."""
        first_id = self._next_message % 0xFFFFFFFF + 1
        messages = framed(reports, per_message, first_id)
        self._next_message = (first_id + len(messages) - 2) % 0xFFFFFFFF + 1
        self.counters.tag_reads += int(reports.seen.sum())
        self.counters.reports += len(messages)
        if self.faults.empty_reports:
            return [sent for full in messages for sent in (report_message(self._message_id(), []), full)]
        return messages

    def _keep(self, reports: Encoded, spec: RoSpec, config: ReaderConfig, now: Now) -> list[bytes]:
        """Keep reports until they are due: every N of them, or at the end of the spec, or when they are asked for."""
        out: list[bytes] = []
        n = self._every(spec, config)
        at = 0
        while at < len(reports):
            if n and len(self._pending) >= n:
                out += self.flush()
            whole = self._whole_messages(len(reports) - at, n)
            if whole:
                out += self._framed(reports.cut(at, at + whole), n)
                at += whole
                continue
            room = self.faults.buffer_reports - len(self._pending)
            if room <= 0:
                self.lose(int(reports.seen[at:].sum()))
                return out
            taken = min(room, len(reports) - at, n - len(self._pending) if n else room)
            out += self._wait(reports.cut(at, at + taken), config, now)
            at += taken
        return out + (self.flush() if n and len(self._pending) >= n else [])

    def _every(self, spec: RoSpec, config: ReaderConfig) -> int:
        """After how many reports they are sent; 0 where only an end, or the client, brings them out."""
        report = self._report_spec(spec, config)
        waits = self.held or self.faults.ignore_n or self.faults.burst_s or report.trigger is ReportTrigger.NONE
        return 0 if waits else report.n

    def _whole_messages(self, count: int, n: int) -> int:
        """How many reports can be sent at once as messages of N, with none pending and no fill level to watch."""
        watched = self.faults.buffer_warning_percent or n > min(
            self.faults.buffer_reports, self.faults.reports_a_message
        )
        return 0 if not n or watched or len(self._pending) else count // n * n

    def _wait(self, reports: Encoded, config: ReaderConfig, now: Now) -> list[bytes]:
        """Keep reports for which there is room; the buffer warns once on its way to being full."""
        before, limit = len(self._pending), self.faults.buffer_reports
        self._pending.add(reports)
        warn_at = self.faults.buffer_warning_percent
        level = max(before + 1, -(-warn_at * limit // 100))
        if not warn_at or self._warned or level > len(self._pending) or EventType.REPORT_BUFFER not in config.events:
            return []
        self._warned = True
        return [events.buffer_warning(100 * level // limit, now)]

    def _too_late(self, reads: Reads, begun_us: int, config: ReaderConfig) -> list[bytes]:
        """Reads that no ROSpec wants any more; some readers report them all the same, each by itself."""
        spec = self._stopped
        if spec is None or not self.faults.late_reports_after_stop:
            self.counters.unheard_reads += int(reads.seen.sum())
            return []
        self._pending.add(self._encoder.encode(reads, begun_us, self._report_spec(spec, config).content, spec.id))
        return [] if self.held else self._framed(self._pending.take(), 1)

    def _until_full(self, reads: Reads, aispec: AiSpec) -> int:
        """How many of these reads the AISpec takes until it has observed as many tags as it shall."""
        if not aispec.tags:
            return len(reads)
        reached = np.searchsorted(np.cumsum(reads.seen), aispec.tags - self._observed)
        return min(int(reached) + 1, len(reads))

    def _observe(self, reads: Reads, aispec: AiSpec, now: Now) -> None:
        """Note what ends an AISpec: how many tags, and when one was new."""
        self._observed += int(reads.seen.sum())
        if not aispec.quiet_ms:
            return
        found = {reads.epc_of(index) for index in range(len(reads))}
        if found - self._seen:
            self._seen |= found
            self._new_us = now.steady_us

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
