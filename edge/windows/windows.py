"""`Windows`: one gateway's portals, fed with batches, giving movement rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from edge.contracts import MovementRow
from edge.llrp.batch import NO_TIME_US, TagBatch
from edge.windows.group import Group, Job
from edge.windows.held import HeldTag
from edge.windows.neighbours import Neighbours, neighbours
from edge.windows.order import Wire
from edge.windows.passages import OpenPassage
from edge.windows.settings import PortalSettings, WindowClock, WindowsError, WindowsSettings
from edge.windows.turns import Turns

STEP_US: Final = 2_000_000
"""A jump of a reader's offset above this is a step of its clock; drift and delay on a live link stay far below. A fall
that the new spread covers was learnt, not made: a queue has come in, or the clock runs far too fast."""
OUT_OF_ORDER_US: Final = 20_000
"""A chunk is fed at most so long after it has arrived, if the machine isn't overloaded; who feeds says so."""


@dataclass(slots=True)
class Counters:
    """Tag reads since the start, by what became of them; all of them count in `reads`.

    `duplicate_reads` a reader sent again, as after a reconnect, the same in all that they say, times included.
    `sensed` are changes of inputs, of which `unplaced_sensed` watch no portal. Contradictions are crossings by the
    reads that a shut door, or beams, spoke against. `held_finals` were not told, for the tag stayed where it had been
    called `parked`; `resident_visits` neither, for what the door did explains them. `double_crossings` had been told by
    a neighbouring portal. `overtaken` are chunks that were fed after it had been said that all such had been, and tasks
    that had to go since too many waited: what neighbours on other readers decided may then depend on the cuts.
    `shed_visits` were not decided and `shed_candidates` not tried early, for too many came at once (`shed`).
    """

    reads: int = 0
    unlisted_reads: int = 0
    unusable_reads: int = 0
    late_reads: int = 0
    duplicate_reads: int = 0
    clock_restarts: int = 0
    evicted: int = 0
    quiet_visits: int = 0
    provisionals: int = 0
    finals: int = 0
    held_finals: int = 0
    resident_visits: int = 0
    sensed: int = 0
    unplaced_sensed: int = 0
    door_contradictions: int = 0
    beam_contradictions: int = 0
    double_crossings: int = 0
    overtaken: int = 0
    shed_visits: int = 0
    shed_candidates: int = 0


@dataclass(frozen=True, slots=True)
class _Port:
    portal: int
    antenna: int


@dataclass(slots=True)
class _Reader:
    """One reader; `clock` is that of its last reads, `unwrap_us` what its steps so far have to be taken back by."""

    group: Group
    turns: Turns[Group]
    ports: dict[int, _Port] = field(default_factory=dict)
    clock: WindowClock | None = None
    unwrap_us: int = 0

    def unwrapped(self, clock: WindowClock, *, reads: bool) -> WindowClock:
        """Return a clock in whose time the reader has made no step (contracts: Windows' input and replay).

        When a reader's clock is set by an hour the offset makes the opposite step, so that host time goes on; taking
        both back lets a visit go on too, and keeps the order of what the reader sent. A step is one against the clock
        of the last reads: what a greeting said in between was of no read.
        """
        unwrap_us = self.unwrapped_by_us(clock)
        if reads:
            self.clock, self.unwrap_us = clock, unwrap_us
        return clock if clock.offset_us is None else replace(clock, offset_us=clock.offset_us - unwrap_us)

    def unwrapped_by_us(self, clock: WindowClock) -> int:
        """Return what a time of this clock has to be moved by."""
        return self.unwrap_us + self._step_us(clock)

    def _step_us(self, clock: WindowClock) -> int:
        before = self.clock
        if before is None or before.source != clock.source or before.offset_us is None or clock.offset_us is None:
            return 0
        change_us = clock.offset_us - before.offset_us
        is_step = change_us > STEP_US or change_us < -max(STEP_US, clock.spread_us)
        return change_us if is_step else 0

    def table(self) -> NDArray[np.int64]:
        """Return (ports + 1, 2): portal and antenna; -1 where nothing is listed."""
        table = np.full((max(self.ports) + 2, 2), -1, np.int64)
        for number, port in self.ports.items():
            table[number] = port.portal, port.antenna
        return table


class Windows:
    """Pure: no clock, no I/O. The same reads give the same rows, however they were cut into batches.

    Readers whose portals are neighbours may be fed in any order, too: what each sends has to be in order.
    """

    def __init__(self, settings: WindowsSettings, *, boot: str) -> None:
        self._settings = settings
        self._counters = Counters()
        self._strange = 0
        self._groups: list[Group] = []
        self._neighbours: list[Neighbours] = []
        self._turns: list[Turns[Group]] = []
        self._readers: dict[str, _Reader] = {}
        for portals in _neighbourhoods(settings):
            self._settle(portals, boot)
        self._tables = {name: reader.table() for name, reader in self._readers.items()}

    @property
    def counters(self) -> Counters:
        """Counters as of now."""
        counters = self._counters
        counters.unlisted_reads = self._strange + sum(group.orderer.unlisted for group in self._groups)
        counters.unusable_reads = sum(group.orderer.unusable for group in self._groups)
        counters.late_reads = sum(group.orderer.late for group in self._groups)
        counters.duplicate_reads = sum(group.orderer.twice for group in self._groups)
        counters.clock_restarts = sum(group.orderer.restarts for group in self._groups)
        counters.evicted = sum(group.engine.evicted for group in self._groups)
        counters.quiet_visits = sum(group.engine.quiet for group in self._groups)
        counters.provisionals = sum(group.provisionals for group in self._groups)
        counters.finals = sum(group.finals for group in self._groups)
        counters.held_finals = sum(group.held.told_less for group in self._groups)
        counters.resident_visits = sum(group.judge.background.residents for group in self._groups)
        counters.door_contradictions = sum(group.judge.overruled.door for group in self._groups)
        counters.beam_contradictions = sum(group.judge.overruled.beams for group in self._groups)
        counters.double_crossings = sum(one.doubles for one in self._neighbours)
        counters.overtaken = sum(one.overtaken for one in self._turns)
        counters.shed_visits = sum(group.shed.visits for group in self._groups)
        counters.shed_candidates = sum(group.shed.candidates for group in self._groups)
        return counters

    @property
    def residents(self) -> int:
        """Tags at rest that were heard within the last minute of event time."""
        return sum(group.residents() for group in self._groups)

    @property
    def shed(self) -> int:
        """Visits and candidates that were not looked at, for too many came at once."""
        return sum(group.shed.visits + group.shed.candidates for group in self._groups)

    def feed(
        self, reader: str, batch: TagBatch, *, arrival_us: int | None, clock: WindowClock
    ) -> list[MovementRow]:  # fmt: skip
        """Take one reader's reads in wire order and return the rows that became certain.

        An empty batch says that the reader is alive and heard nothing until `arrival_us`: time advances to that.
        """
        mine = self._readers.get(reader)
        count = int(batch.seen_count.sum())
        self._counters.reads += count
        if mine is None:
            self._strange += count
            return []
        clock = mine.unwrapped(clock, reads=len(batch) > 0)
        if len(batch):
            tasks = mine.group.push(reader, self._reads(reader, batch, arrival_us, clock), clock)
        elif arrival_us is None:
            return []
        else:
            tasks = mine.group.idle(reader, arrival_us - (0 if mine.group.shared else clock.offset_us or 0), clock)
        return list(mine.turns.take(mine.group, tasks, arrival_us))

    def pass_until(self, arrival_us: int) -> list[MovementRow]:
        """Say that what arrived before an instant was fed, of all readers; return the rows that became certain.

        Portals that are neighbours on different readers decide in one order. Without this each waits for the other's
        reads, however long it is silent. At which instants it is said changes no row, as long as it is true.
        """
        return [row for turns in self._turns for row in turns.pass_until(arrival_us)]

    def sense(
        self, reader: str, gpi: int, kind: Literal["beam", "door"], *, state: bool, at_us: int, clock: WindowClock
    ) -> None:
        """Take a change of an input, where it stands in the stream of the reader's reads.

        Args:
            reader: reader or board that the input belongs to.
            gpi: number of the input.
            kind: what is wired to it.
            state: its level, as the reader tells it.
            at_us: when it changed, in the time of that reader's reads.
            clock: the reader's clock as it was then.
        """
        self._counters.sensed += 1
        wired = [(turns, group) for turns, group in self._pairs() if group.sensed.wires(reader, gpi, kind)]
        for turns, group in wired:
            group_us = self._group_us(group, reader, at_us, clock)
            turns.beside(group, group.sense(reader, gpi, kind, state=state, at_us=group_us))
        self._counters.unplaced_sensed += not wired

    def badge(self, portal: str, person: str, at_us: int) -> None:
        """Take an access-control event at a portal, in host time; an unknown portal raises `WindowsError`."""
        for turns, group in self._pairs():
            if any(mine.id == portal for mine in group.portals):
                turns.beside(group, group.badge(portal, person, at_us - group.newest_offset_us()))
                return
        raise WindowsError(f"a badge was shown at {portal!r}, which is no portal of this gateway: name one that is")

    def flush(self) -> list[MovementRow]:
        """End of a capture: decide open passages as if every tag had left."""
        return [row for turns in self._turns for row in turns.flush()]

    def hold(self, tags: Iterable[HeldTag]) -> list[HeldTag]:
        """Take the tags that an earlier start held; return those whose portal is none of this gateway."""
        waiting = list(tags)
        for group in self._groups:
            mine = {portal.id for portal in group.portals}
            group.held.restore(tag for tag in waiting if tag.portal in mine)
            waiting = [tag for tag in waiting if tag.portal not in mine]
        return waiting

    def take_open_changes(self) -> tuple[list[OpenPassage | HeldTag], list[str]]:
        """Return passages opened and tags held, or changed, since the last call, and names of those that ended."""
        changes = [group.take_open_changes() for group in self._groups]
        return [one for opened, _ in changes for one in opened], [one for _, closed in changes for one in closed]

    def _group_us(self, group: Group, reader: str, at_us: int, clock: WindowClock) -> int:
        """Return an instant of a reader's or board's clock in a group's event time."""
        mine = self._readers.get(reader)
        if mine is not None and mine.group is group and not group.shared:
            return at_us + mine.unwrapped_by_us(clock)
        return at_us + (clock.offset_us or 0) - group.newest_offset_us()

    def _pairs(self) -> Iterator[tuple[Turns[Group], Group]]:
        return ((turns, group) for turns in self._turns for group in turns.groups)

    def _settle(self, portals: Sequence[PortalSettings], boot: str) -> None:
        """Make the groups of one neighbourhood."""
        near = Neighbours(portals)
        groups = [
            Group(self._settings, Job(mine, shared=len(readers) > 1, boot=boot), near)
            for readers, mine in _joined(portals)
        ]
        turns = Turns(groups, self._settings.grace_ms * 1000)
        self._neighbours.append(near)
        self._turns.append(turns)
        self._groups += groups
        for group in groups:
            self._list(group, turns)

    def _list(self, group: Group, turns: Turns[Group]) -> None:
        for index, portal in enumerate(group.portals):
            for number, antenna in enumerate(portal.antennas):
                reader = self._readers.setdefault(antenna.reader, _Reader(group, turns))
                reader.ports[antenna.port] = _Port(index, number)

    def _reads(self, reader: str, batch: TagBatch, arrival_us: int | None, clock: WindowClock) -> Wire:
        """Return a batch with the clock that counts; arrival stands in where the reader sent no time."""
        mine = self._readers[reader]
        arrived_us = NO_TIME_US if arrival_us is None else arrival_us - (clock.offset_us or 0) - mine.unwrap_us
        uptime = clock.source == "uptime"
        return Wire(
            batch,
            first_us=batch.first_uptime_us if uptime else batch.first_us,
            last_us=batch.last_uptime_us if uptime else batch.last_us,
            table=self._tables[reader],
            arrived_us=arrived_us,
            clocked=clock.source != "host",
            shift_us=mine.unwrap_us + ((clock.offset_us or 0) if mine.group.shared else 0),
        )


def _neighbourhoods(settings: WindowsSettings) -> list[tuple[PortalSettings, ...]]:
    """Return portals joined by being neighbours, in the order of the settings."""
    near = neighbours(settings.portals)
    named = _unions({portal.id, *near[portal.id]} for portal in settings.portals)
    return [tuple(portal for portal in settings.portals if portal.id in names) for names in named]


def _joined(portals: Sequence[PortalSettings]) -> Iterator[tuple[set[str], tuple[PortalSettings, ...]]]:
    """Yield portals joined by the readers that they share, in the order of the settings."""
    for readers in _unions({antenna.reader for antenna in portal.antennas} for portal in portals):
        yield readers, tuple(portal for portal in portals if portal.antennas[0].reader in readers)


def _unions(sets: Iterable[set[str]]) -> list[set[str]]:
    """Return sets joined where they have something in common."""
    joined: list[set[str]] = []
    for one in sets:
        mine = one.union(*(other for other in joined if other & one))
        joined = [other for other in joined if not other & one] + [mine]
    return joined
