"""Readers that share portals: one order of events, one engine, and what was published of the visits still open."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import numpy as np

from edge.contracts import Clock, Kind, MovementRow
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.again import BEYOND_US, SOONEST_US, may_return, since, until
from edge.windows.around import Around
from edge.windows.decide import Seen, Verdict
from edge.windows.held import Held, HeldTag
from edge.windows.intake import plain
from edge.windows.judge import Judge
from edge.windows.neighbours import Neighbours
from edge.windows.order import Orderer, Step, Wire
from edge.windows.passages import Batch, Names, OpenPassage, Passage, clock_row, movement, open_passage
from edge.windows.plain import PlainEngine
from edge.windows.rules import CROSSINGS
from edge.windows.sensed import Sensed
from edge.windows.settings import PortalSettings, WindowClock, WindowsSettings
from edge.windows.shed import Shedder
from edge.windows.snapshot import Engine, Snapshot
from edge.windows.turns import Task

BATCH_MEMORY_US: Final = 60_000_000
RESIDENT_US: Final = 60_000_000
SINGLE_GAP_MS: Final = 2000
WORTH_KEEPING: Final = 0.3
"""A visit that looks so much like a crossing is remembered over a restart, though nothing is published yet."""
HOLD_US: Final = 500_000
"""Tags that go together leave within half a second of one another; a final has waited for the silence anyway."""
NOT_MOVED: Final = "the tag turned out not to have moved"
_Key = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Job:
    """A group's portals; `shared` where two readers serve one, so that only host time orders their reads."""

    portals: tuple[PortalSettings, ...]
    shared: bool
    boot: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A visit that has ended and waits for its companions."""

    snap: Snapshot
    seen: Seen | None
    passage: Passage | None


class Group:
    """Takes reads to tasks, and those, in the same order, to rows: never does it matter how the reads were cut.

    `passed_us` is the host time before which no tasks are to come.
    """

    def __init__(self, settings: WindowsSettings, job: Job, neighbours: Neighbours) -> None:
        self.portals = job.portals
        self.shared = job.shared
        self.orderer = Orderer(settings.grace_ms * 1000, settings.step_back_ms * 1000, make_admit(settings))
        self.engine = make_engine(settings, job.portals)
        self.sensed = Sensed(job.portals, settings.sensors)
        self.judge = Judge(job.portals, self.sensed, neighbours, most_tags=settings.max_tags)
        self.held = Held(settings)
        self.shed = Shedder()
        self.provisionals = 0
        self.finals = 0
        self.passed_us = -L.NEVER_US
        self._settings = settings
        self._boot = job.boot
        self._clock = self._newest = WindowClock()
        self._releases_us: deque[int] = deque()
        self._names = Names(settings.gateway)
        self._passages: dict[_Key, Passage] = {}
        self._ended: deque[Ended | None] = deque()
        self._batches: dict[tuple[int, Kind], list[Batch]] = {}
        self._opened: dict[str, OpenPassage] = {}
        self._taken: set[str] = set()
        self._closed: list[str] = []

    def push(self, reader: str, wire: Wire, clock: WindowClock) -> Iterator[Task]:
        """Take reads in wire order and yield what they leave to do."""
        self._newest = clock
        for step in self.orderer.push(reader, wire):
            yield from self._tasks(step)

    def idle(self, reader: str, now_us: int, clock: WindowClock) -> Iterator[Task]:
        """Nothing was read until an instant of event time."""
        self._newest = clock
        return self._tasks(self.orderer.idle(reader, now_us))

    def flush(self) -> Iterator[Task]:
        """End all visits."""
        step = self.orderer.flush()
        return self._tasks(Step(step.reads, step.before_us, restart=True))

    def perform(self, task: Task) -> MovementRow | None:
        """Do one of the tasks; they are done in the order in which they were given."""
        self._clock = task.clock
        return task.act()

    def sense(self, reader: str, gpi: int, kind: Literal["beam", "door"], *, state: bool, at_us: int) -> Task:
        """Return the task of taking a change of an input, in event time."""
        return self._task(at_us, lambda: self._take_level(reader, gpi, kind, state=state, at_us=at_us))

    def badge(self, portal: str, person: str, at_us: int) -> Task:
        """Return the task of taking a badge that was shown, in event time."""
        return self._task(at_us, lambda: self.sensed.badge(portal, person, at_us))

    def residents(self) -> int:
        """Tags at rest that were heard within the last minute of event time."""
        return self.engine.known(max(self.orderer.newest_us.values(), default=0) - RESIDENT_US)

    def take_open_changes(self) -> tuple[list[OpenPassage | HeldTag], list[str]]:
        """Return passages opened and tags held, or changed, and names of those that no longer are."""
        held, ended = self.held.take_changes()
        opened: list[OpenPassage | HeldTag] = [*self._opened.values(), *held]
        closed = [*self._closed, *ended]
        self._taken.update(self._opened)
        self._opened, self._closed = {}, []
        return opened, closed

    def _tasks(self, step: Step) -> Iterator[Task]:
        records = self.engine.advance(step.reads.cols, step.reads.keys) if len(step.reads) else []
        records += self.engine.sweep(step.before_us, flush=step.restart)
        records.sort(key=lambda snap: (snap.at_us, int(snap.head[L.PORTAL]), snap.epc))
        for snap in records:
            yield from self._releases(snap.at_us)
            if snap.why == L.CANDIDATE:
                yield self._task(snap.at_us, partial(self._provisional, snap))
                continue
            lone = self.portals[int(snap.head[L.PORTAL])].layout == "single"
            self._releases_us.append(snap.at_us if lone else snap.at_us + HOLD_US)
            yield self._task(snap.at_us, partial(self._hold, snap))
        yield from self._releases(L.NEVER_US if step.restart else step.before_us)
        if step.restart:
            yield self._task(-L.NEVER_US, self._begin_anew)
        else:
            self.passed_us = max(self.passed_us, step.before_us + self.newest_offset_us())

    def _releases(self, before_us: int) -> Iterator[Task]:
        """Decide the ended visits whose companions have been heard out by an instant."""
        while self._releases_us and self._releases_us[0] <= before_us:
            yield self._task(self._releases_us.popleft(), self._final)

    def _task(self, at_us: int, act: Callable[[], MovementRow | None]) -> Task:
        return Task(at_us + self.newest_offset_us(), self._newest, act)

    def _begin_anew(self) -> None:
        self.sensed.clear()
        self.judge.forget()
        self.shed.forget()

    def _take_level(self, reader: str, gpi: int, kind: str, *, state: bool, at_us: int) -> None:
        self.sensed.note(reader, gpi, kind, state=state, at_us=at_us)

    def _hold(self, snap: Snapshot) -> MovementRow | None:
        """Keep a visit that has ended until its companions have told of themselves."""
        passage = self._passages.get(self._key(snap))
        if passage is None and self._spares(snap):
            self._ended.append(None)
            return None
        snap, row = self._own(snap, passage), None
        if passage is not None and passage.rev:
            row = self._returned(snap, passage)
        passage = self._passages.pop(self._key(snap), None)
        snap = self._own(snap, passage)
        self._ended.append(Ended(snap, self.judge.look(snap, self.offset_us()), passage))
        return row

    def _spares(self, snap: Snapshot) -> bool:
        """Say whether a visit isn't looked at, for a flood; one antenna's passes need no look."""
        if self.portals[int(snap.head[L.PORTAL])].layout == "single":
            return False
        before, spared = self.shed.flooded, self.shed.spares(snap)
        if self.shed.flooded and not before:
            self.judge.part_company()
        return spared

    @staticmethod
    def _own(snap: Snapshot, passage: Passage | None) -> Snapshot:
        """Return a visit since its passage began."""
        return snap if passage is None or passage.since_us is None else since(snap, passage.since_us)

    def _provisional(self, snap: Snapshot) -> MovementRow | None:
        key, portal = self._key(snap), self.portals[int(snap.head[L.PORTAL])]
        passage = self._passages.get(key)
        snap = self._own(snap, passage)
        if passage is not None and passage.rev:
            self.judge.hear_on(snap, self.offset_us())
            return self._returned(snap, passage)
        if passage is None and self._spares(snap):
            return None
        verdict, around = self.judge.early(snap, self.offset_us())
        if verdict.kind is None and self.held.holds(portal.id, snap, self.offset_us()):
            return None
        if passage is None and verdict.kind is None and verdict.confidence < WORTH_KEEPING:
            return None
        if passage is None:
            passage = self._passages[key] = self._names.new(snap, portal)
        elif verdict.kind is None:
            return None
        row = None
        if verdict.kind is not None:
            self.provisionals += 1
            row = self._row(snap, passage, verdict, around)
        self._opened[passage.id] = open_passage(
            snap,
            portal,
            passage,
            crossed_us=verdict.crossed_us,
            offset_us=self.offset_us(),
            clock=self._clock_row(),
        )
        return row

    def _returned(self, snap: Snapshot, passage: Passage) -> MovementRow | None:
        """End a passage whose tag has gone back through meanwhile, and begin that of the way back, yet to tell."""
        crossed_us = passage.crossed_us
        if crossed_us is None or not may_return(snap, crossed_us):
            return None
        cut_us = crossed_us + BEYOND_US
        gone, back = until(snap, cut_us), since(snap, cut_us)
        back_us = self.judge.returned(gone, back, passage.kind, self.offset_us())
        if back_us is None or back_us - crossed_us < SOONEST_US:
            return None
        portal = self.portals[int(snap.head[L.PORTAL])]
        fresh = self._names.new(back, portal, since_us=cut_us)
        self._passages[self._key(snap)] = fresh
        return self._decide(Ended(gone, self.judge.look(gone, self.offset_us()), passage))

    def _final(self) -> MovementRow | None:
        ended = self._ended.popleft()
        return None if ended is None else self._decide(ended)

    def _decide(self, ended: Ended) -> MovementRow | None:
        """Return the final of a visit, or of a part of one, if it gives any."""
        snap, passage, portal = ended.snap, ended.passage, self.portals[int(ended.snap.head[L.PORTAL])]
        if passage is not None:
            self._close(passage.id)
        published = passage.kind if passage is not None else None
        verdict, around = self.judge.late(snap, ended.seen, self.offset_us(), published=published)
        told = self.held.judge(portal.id, snap, self.offset_us(), verdict)
        if passage is None or not passage.rev:
            verdict = told
        if verdict.kind is None and passage is not None and passage.rev:
            verdict = Verdict("retracted", verdict.confidence, reason=NOT_MOVED)
        if verdict.kind is None:
            return None
        self.finals += 1
        passage = passage or self._names.new(snap, portal)
        return self._row(snap, passage, verdict, around)

    def _row(self, snap: Snapshot, passage: Passage, verdict: Verdict, around: Around) -> MovementRow:
        assert verdict.kind is not None  # noqa: S101 (both callers have asked)
        if verdict.kind in CROSSINGS and verdict.crossed_us is not None:
            passage.batch = passage.batch or self._join(snap, passage.id, verdict.kind, verdict.crossed_us)
        passage.rev += 1
        passage.kind, passage.crossed_us = verdict.kind, verdict.crossed_us
        return movement(
            snap,
            self.portals[int(snap.head[L.PORTAL])],
            passage=passage,
            kind=verdict.kind,
            confidence=verdict.confidence,
            crossed_us=verdict.crossed_us,
            offset_us=self.offset_us(),
            clock=self._clock_row(),
            around=around,
            reason=verdict.reason,
        )

    def _join(self, snap: Snapshot, passage: str, kind: Kind, crossed_us: int) -> str:
        """Return the batch of a crossing: the nearest in time of those known by now, else a new one."""
        key = int(snap.head[L.PORTAL]), kind
        known = [one for one in self._batches.get(key, []) if one.crossed_us > snap.at_us - BATCH_MEMORY_US]
        self._batches[key] = known
        near = [one for one in known if abs(one.crossed_us - crossed_us) <= self._settings.batch_ms * 1000]
        if near:
            return min(near, key=lambda one: (abs(one.crossed_us - crossed_us), one.id)).id
        fresh = Batch(id=passage, crossed_us=crossed_us)
        known.append(fresh)
        return fresh.id

    def _close(self, passage: str) -> None:
        self._opened.pop(passage, None)
        if passage in self._taken:
            self._taken.discard(passage)
            self._closed.append(passage)

    def _key(self, snap: Snapshot) -> _Key:
        return int(snap.head[L.PORTAL]), snap.epc

    def offset_us(self) -> int:
        """Host time less the group's event time, as the clock of what is done now says."""
        return 0 if self.shared else self._clock.offset_us or 0

    def newest_offset_us(self) -> int:
        """Host time less the group's event time, as the newest clock says."""
        return 0 if self.shared else self._newest.offset_us or 0

    def _clock_row(self) -> Clock:
        return clock_row(self._clock, self._boot)


def make_admit(settings: WindowsSettings) -> Callable[..., int]:
    """Return the intake that the settings name."""
    if settings.engine == "plain":
        return plain.admit
    from edge.windows.intake import kernels  # noqa: PLC0415 (numba has no wheel for every platform)

    return kernels.admit  # type: ignore[return-value]  # numba hides what a kernel takes and gives


def make_engine(settings: WindowsSettings, portals: tuple[PortalSettings, ...]) -> Engine:
    """Return the engine that the settings name, with the portals' knobs."""
    table = np.array([_knobs(settings, portal) for portal in portals], np.int64)
    if settings.engine == "plain":
        return PlainEngine(table, settings.max_tags)
    from edge.windows.compiled import CompiledEngine  # noqa: PLC0415 (numba has no wheel for every platform)

    return CompiledEngine(table, settings.max_tags)


def _knobs(settings: WindowsSettings, portal: PortalSettings) -> list[int]:
    return [
        min(portal.gap_ms, SINGLE_GAP_MS if portal.layout == "single" else portal.gap_ms) * 1000,
        portal.settle_ms * 1000,
        portal.park_ms * 1000,
        portal.layout == "single",
        portal.pass_intervals,
        portal.pass_valley_cdb,
        round(settings.motion_rad / (2 * np.pi) * L.TURN),
        settings.motion_cdb,
        settings.forget_s * 1_000_000,
        settings.min_reads,
        portal.pass_rise_cdb,
        sum(1 << k for k, antenna in enumerate(portal.antennas) if antenna.side == "outside"),
    ]
