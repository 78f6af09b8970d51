"""Spans of all zones and portals of a gateway, one after the other, and the sweeps beside them. Pure.

Spans begin at multiples of their length, by the host's clock. Each is closed a little after its end, so that reads
which were on their way still find it. A span ends early where the agent stops, where the host's clock is set back, or
where it may no longer be believed; time that was told is never told again (`edge.presence.told`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge.contracts import LossRow, PresenceRow, ReaderHealth, instant_us
from edge.llrp import TagBatch
from edge.presence.cover import LOOK_LONGEST_US, SECOND_US, Standing, credit, standings
from edge.presence.settings import Antenna, Place, PresenceSettings
from edge.presence.span import OPEN_END_US, Layout, Span
from edge.presence.table import Table
from edge.presence.told import Told, encode_told
from edge.presence.waiting import Waiting

GRACE_US: Final = 5 * SECOND_US
"""A span is closed so long after its end; reads that come later find none."""
MOST_WAITING: Final = 8192
"""Reads of one reader that wait to be summed together, at most 1.4 MB; a span's end doesn't wait for them."""
PAUSE_LONGEST_US: Final = 100 * SECOND_US
"""The central takes stretches of a sweep for one count where they are no more than two minutes apart."""
SPANS: Final = ""
"""Under this name it is noted which time the spans of zones and portals have told; no sweep has an empty name."""


@dataclass(slots=True)
class PresenceCounters:
    """Counts since the agent started; the first three are of reads."""

    foreign: int = 0
    shed: int = 0  # of tags that found no room
    late: int = 0  # of time that is told already, or of none
    spans: int = 0
    rows: int = 0
    sweeps: int = 0
    clock_steps: int = 0  # times that the host's clock was set back


@dataclass(slots=True)
class _Sweep:
    """A sweep that goes on: its stretches, between which it paused, and how often antennas were started in each."""

    stretches: list[Span]
    runs: list[int]
    paused: bool = False
    cut: bool = False
    """Whether some of it fell into time that was told already: a clock was set back."""


@dataclass(frozen=True, slots=True)
class News:
    """What is to be stored at once: rows, and the note of what was told by them."""

    rows: list[PresenceRow]
    note: bytes


class Presence:
    """What antennas hear, span by span.

    Args:
        settings: places and lengths.
        foreign: whether a tag is none of ours, as known now.
        told: what earlier starts have told.
    """

    def __init__(
        self,
        settings: PresenceSettings,
        *,
        foreign: Callable[[bytes], bool] = lambda _: False,
        told: Mapping[str, Told] | None = None,
    ) -> None:
        self._settings, self._foreign = settings, foreign
        self._layout = Layout(settings.places)
        self._told = dict(told or {})
        self._told.setdefault(SPANS, Told())
        self._waiting: dict[str, Waiting] = {}
        self._open: list[Span] = []
        self._next_us: int | None = None
        self._sweeps: dict[str, _Sweep] = {}
        self._standings: dict[Antenna, Standing] = {}
        self._looked_us: int | None = None
        self._rows: list[PresenceRow] = []
        self.counters = PresenceCounters()

    def take(self, reader: str, batch: TagBatch, *, arrival_us: int, source: str, offset_us: int) -> None:
        """Take a reader's reads in the order in which they came."""
        if not len(batch):
            return
        waiting = self._waiting.setdefault(reader, Waiting())
        waiting.put(batch, arrival_us=arrival_us, source=source, offset_us=offset_us)
        if waiting.rows >= MOST_WAITING:
            if self._looked_us is not None:
                self._roll(arrival_us)
            self._sum(reader, waiting)

    def lost(self, row: LossRow) -> None:
        """Take that a reader lost reads: what was meanwhile is not told whole."""
        from_us, to_us = instant_us(row.from_), instant_us(row.to)
        for span in self._spans():
            if from_us < span.end_us and to_us >= span.begin_us:
                span.lossy.add(row.reader)

    def look(
        self, now_us: int, readers: Iterable[ReaderHealth], asks_all: Mapping[str, bool], *, synced: bool = True
    ) -> News | None:
        """Let time pass; return what is to be stored.

        Args:
            now_us: the host's clock.
            readers: how the readers are.
            asks_all: whether a reader asks tags at rest all the time; one that isn't named does.
            synced: whether the host's clock may be believed.
        """
        looked_us = self._looked_us
        if not synced or (looked_us is not None and now_us < looked_us):
            self.counters.clock_steps += synced
            self._end_all(now_us if looked_us is None else looked_us)
        if not synced:
            self._looked_us = None
            return self._news()
        self._roll(now_us)
        self._credit(now_us, readers, asks_all)
        over = [one for one in self._open if one.end_us + GRACE_US <= now_us]
        if over:
            self._sum_all()
        for span in over:
            self._close(span)
        return self._news()

    def stop(self, now_us: int) -> News | None:
        """End all spans and sweeps now."""
        self._end_all(now_us)
        for name in list(self._sweeps):
            self._end_sweep(name, now_us, complete=False)
        return self._news()

    def begin_sweep(self, place: Place, now_us: int) -> bool:
        """Begin a sweep of a place; not where it goes on already, or where this time was told: a clock was set back."""
        span = None if place.name in self._sweeps else self._stretch(place, now_us)
        if span is not None:
            self._sweeps[place.name] = _Sweep([span], [0])
        return span is not None

    def pause_sweep(self, name: str, now_us: int) -> None:
        """End a stretch of a sweep: somebody is at the door."""
        sweep = self._sweeps.get(name)
        if sweep is not None and not sweep.paused:
            span, sweep.paused = sweep.stretches[-1], True
            sweep.cut |= now_us > span.end_us
            span.end_us = min(span.end_us, now_us)

    def resume_sweep(self, name: str, now_us: int) -> bool:
        """Begin another stretch of a sweep; False where the pause was too long for one count."""
        sweep = self._sweeps.get(name)
        if sweep is None or not 0 <= now_us - sweep.stretches[-1].end_us <= PAUSE_LONGEST_US:
            return False
        span = self._stretch(sweep.stretches[-1].layout.places[0], now_us)
        if span is not None:
            sweep.stretches.append(span)
            sweep.runs.append(0)
            sweep.paused = False
        return span is not None

    def swept(self, name: str, from_us: int, to_us: int) -> None:
        """Take that a sweep's antennas were on for a while."""
        sweep = self._sweeps.get(name)
        if sweep is not None and from_us < to_us:
            sweep.runs[-1] += 1
            for antenna in sweep.stretches[-1].layout.antennas:
                sweep.stretches[-1].credit(antenna, from_us, to_us, asked=True)

    def end_sweep(self, name: str, end_us: int, *, complete: bool) -> News | None:
        """End a sweep; `complete` says that in the end no tag was new."""
        self._end_sweep(name, end_us, complete=complete)
        return self._news()

    def _stretch(self, place: Place, now_us: int) -> Span | None:
        told = self._told.setdefault(place.name, Told())
        if told.free(now_us) != now_us:
            return None
        return Span(Layout([place]), Table(self._settings.max_tags), now_us, told.until(now_us, OPEN_END_US))

    def _end_sweep(self, name: str, end_us: int, *, complete: bool) -> None:
        sweep = self._sweeps.get(name)
        if sweep is None:
            return
        self.pause_sweep(name, end_us)
        whole = complete and not sweep.cut
        self._sum_all()
        del self._sweeps[name]
        for span, runs in zip(sweep.stretches, sweep.runs, strict=True):
            self.counters.foreign += span.table.foreign_reads
            self.counters.shed += span.table.shed_reads
            if span.end_us > span.begin_us and runs:
                self._told[name].add(span.begin_us, span.end_us)
                self._rows += span.told_as_sweep(runs, self._foreign, complete=whole)
        self.counters.sweeps += any(sweep.runs)

    def _spans(self) -> list[Span]:
        return [*self._open, *(span for sweep in self._sweeps.values() for span in sweep.stretches)]

    def _roll(self, now_us: int) -> None:
        """Open the span that an instant lies in, if its time has not been told."""
        if not self._layout.places or (self._open and now_us < self._open[-1].end_us):
            return
        follows = self._next_us is not None and now_us - self._next_us < LOOK_LONGEST_US
        begin_us = self._next_us if follows and self._next_us is not None else now_us
        told = self._told[SPANS]
        begin_us = told.free(begin_us)
        if begin_us > now_us:
            return
        length_us = self._settings.span_s * SECOND_US
        end_us = told.until(begin_us, begin_us - begin_us % length_us + length_us)
        if end_us <= now_us:
            begin_us = told.free(now_us)
            if begin_us > now_us:
                return
            end_us = told.until(begin_us, begin_us - begin_us % length_us + length_us)
        self._open.append(Span(self._layout, Table(self._settings.max_tags), begin_us, end_us))
        self._next_us = end_us

    def _sum_all(self) -> None:
        for reader, waiting in self._waiting.items():
            self._sum(reader, waiting)

    def _sum(self, reader: str, waiting: Waiting) -> None:
        columns = waiting.take()
        if columns is None:
            return
        taken = np.zeros(len(columns.port), np.bool_)
        for span in self._spans():
            mine = span.take(reader, columns, self._foreign)
            if mine is not None:
                taken |= mine
        table = self._layout.table(reader)
        if table is not None and not taken.all():
            listed = table[np.minimum(columns.port, len(table) - 1)] >= 0
            self.counters.late += int(columns.count[listed & ~taken].sum())

    def _credit(self, now_us: int, readers: Iterable[ReaderHealth], asks_all: Mapping[str, bool]) -> None:
        by_id = {one.id: one for one in readers}
        now = standings(by_id, asks_all, self._layout.antennas, now_us)
        if self._looked_us is not None:
            for antenna, one in now.items():
                from_us, to_us = credit(self._standings.get(antenna), one, self._looked_us, now_us)
                for span in self._open:
                    span.credit(antenna, from_us, to_us, asked=one.asks_all)
        self._standings, self._looked_us = now, now_us

    def _end_all(self, at_us: int) -> None:
        """End what is open at an instant; a span that had ended before it stays as it is."""
        self._sum_all()
        for span in list(self._open):
            span.end_us = min(span.end_us, at_us)
            self._close(span)
        self._next_us = self._looked_us = None
        self._standings = {}

    def _close(self, span: Span) -> None:
        self._open.remove(span)
        self.counters.foreign += span.table.foreign_reads
        self.counters.shed += span.table.shed_reads
        if span.end_us <= span.begin_us:
            return
        self._told[SPANS].add(span.begin_us, span.end_us)
        self._rows += span.told(self._foreign)
        self.counters.spans += 1

    def _news(self) -> News | None:
        if not self._rows:
            return None
        rows, self._rows = self._rows, []
        self.counters.rows += len(rows)
        return News(rows, encode_told(self._told))
