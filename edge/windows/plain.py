"""The plain twin: what the kernels must say, one object a (tag, portal) pair. Slow, and the definition.

It keeps up with one portal of 300 reads a second and stands in where numba has no wheel.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.settings import MAX_ANTENNAS
from edge.windows.snapshot import Snapshot


@dataclass(slots=True)
class Side:
    """One side's envelope."""

    smooth: int = 0
    heard_us: int = 0
    count: int = 0
    low: int = 0
    high: int = 0
    bins: list[list[int]] = field(default_factory=lambda: [[0, 0] for _ in range(L.BINS)])

    def level(self, now_us: int) -> int:
        """What was heard last, less what the silence since says."""
        if not self.count:
            return L.NO_LEVEL
        silent = max(0, now_us - self.heard_us - L.STALE_US)
        return self.smooth - silent * L.STALE_CDB_PER_MS // 1000

    def merge(self) -> None:
        """Join neighbouring bins, so that as many are free again."""
        pairs = zip(self.bins[::2], self.bins[1::2], strict=True)
        self.bins = [[a[0] + b[0], a[1] + b[1]] for a, b in pairs] + [[0, 0] for _ in range(L.BINS // 2)]


@dataclass(slots=True)
class Antenna:
    """One antenna's envelope and phase."""

    reads: int = 0
    reports: int = 0
    peak: int = L.NO_LEVEL
    peak_us: int = 0
    smooth: int = 0
    steady: int = 0
    low: int = 0
    high: int = 0
    window_low: int = 0
    window_high: int = 0
    phase: int = 0
    channel: int = -1
    phase_us: int = 0
    turn: int = 0
    turn_us: int = 0
    ref: int = 0
    ref_us: int = 0

    def note_level(self, at_us: int, level: int, rssi: int, count: int) -> None:
        """Follow the envelope."""
        self.reads += count
        self.reports += 1
        if rssi != L.NO_RSSI and rssi > self.peak:
            self.peak, self.peak_us = rssi, at_us
        if self.reports == 1:
            self.smooth = self.window_low = self.window_high = level
            return
        self.smooth += (level - self.smooth) >> 2
        self.window_low, self.window_high = min(self.window_low, self.smooth), max(self.window_high, self.smooth)

    def note_channel(self, level: int, channel: int) -> bool:
        """Follow the envelope within a stretch on one channel; say whether this read prolonged it."""
        same = channel == self.channel
        self.channel = channel
        if same:
            self.steady += (level - self.steady) >> 2
            self.low, self.high = min(self.low, self.steady), max(self.high, self.steady)
        else:
            self.steady = self.low = self.high = level
        return same

    def note_phase(self, at_us: int, phase: int, *, same: bool) -> tuple[int, int] | None:
        """Follow the phase within one channel; return its change since the reference and how long that took."""
        told, since = None, at_us - self.ref_us
        if same and 0 < at_us - self.phase_us <= L.SLOPE_MAX_US:
            self.turn += nearest(phase - self.phase, L.TURN)
            self.turn_us += at_us - self.phase_us
        if same and L.PAIR_MIN_US <= since <= L.RECALL_US:
            told = abs(nearest(phase - self.ref, L.HALF_TURN)), since
        if not same or since >= L.PAIR_MIN_US:
            self.ref, self.ref_us = phase, at_us
        self.phase, self.phase_us = phase, at_us
        return told

    def row(self) -> list[int]:
        """Return the columns of `layout`."""
        return [
            self.reads, self.peak, self.peak_us, self.smooth, self.low, self.high, self.phase, self.channel,
            self.phase_us, self.turn, self.turn_us, self.window_low, self.window_high, self.reports, self.steady,
            self.ref, self.ref_us,
        ]  # fmt: skip


@dataclass(slots=True)
class Visit:
    """One visit of a tag at a portal."""

    start_us: int
    now_us: int
    bin0_us: int
    still_us: int
    window_us: int
    candidate_us: int
    bin_us: int = L.FIRST_BIN_US
    reads: int = 0
    reports: int = 0
    window_sum: int = 0
    window_pairs: int = 0
    stir: int = 0
    stir_top: int = 0
    range: int = 0
    window_peak: int = L.NO_LEVEL
    loud: bool = False
    moved: int = 0
    lead: int = 0
    flips: int = 0
    candidates: int = 0
    rival: int = L.NO_LEVEL
    peak: int = L.NO_LEVEL
    interval_us: int = 0
    valley: int = 0
    top: int = L.NO_LEVEL
    slow: int = 0
    due_us: int = L.NEVER_US
    sides: tuple[Side, Side] = field(default_factory=lambda: (Side(), Side()))
    antennas: list[Antenna] = field(default_factory=lambda: [Antenna() for _ in range(MAX_ANTENNAS)])
    log: list[list[int]] = field(default_factory=list)

    def window_moves(self, steps: int, cdb: int) -> bool:
        """Motion in the running window: by phase where there is some, else by RSSI."""
        if self.window_pairs >= L.MIN_PAIRS:
            return self.window_sum >= steps * self.window_pairs
        return any(a.reports and a.window_high - a.window_low >= cdb for a in self.antennas)

    def stirs(self, sure: int, swing: int) -> bool:
        """Say whether phases speak for motion, or at least not against it where a side's level changes."""
        change = max(side.high - side.low for side in self.sides)
        return self.stir_top >= sure or (self.stir > L.STIR_STILL and change >= swing)

    def note_pair(self, change: int, *, stayed: bool) -> None:
        """Weigh a change of phase: for the visit, and for the motion window if the channel `stayed` meanwhile."""
        weight = min(L.STIR_MOST, change * change * L.STIR_SCALE // L.STIR_SHIFT - L.STIR_REST)
        self.stir = min(L.STIR_UTMOST, max(L.STIR_LEAST, self.stir + weight))
        self.stir_top = max(self.stir_top, self.stir)
        if stayed:
            self.window_sum += change
            self.window_pairs += 1

    def note_time(self, at_us: int) -> None:
        """Advance to a read and follow the interval between reads."""
        apart = at_us - self.now_us
        if self.reports == 1:
            self.interval_us = apart
        elif self.reports > 1:
            self.interval_us += (min(apart, 4 * self.interval_us + 1000) - self.interval_us) >> 2
        self.now_us = at_us

    def note_side(self, side: int, level: int, count: int) -> None:
        """Follow one side's smoothed level and fill its bin."""
        mine = self.sides[side]
        mine.smooth = mine.smooth + ((level - mine.smooth) >> 2) if mine.count else level
        mine.low = min(mine.low, mine.smooth) if mine.count else mine.smooth
        mine.high = max(mine.high, mine.smooth) if mine.count else mine.smooth
        mine.heard_us = self.now_us
        mine.count += 1
        self.peak = max(self.peak, mine.smooth)
        self.window_peak = max(self.window_peak, mine.smooth)
        while (self.now_us - self.bin0_us) // self.bin_us >= L.BINS:
            for each in self.sides:
                each.merge()
            self.bin_us *= 2
        place = mine.bins[(self.now_us - self.bin0_us) // self.bin_us]
        place[L.B_SUM] += level * min(count, L.MAX_WEIGHT)
        place[L.B_COUNT] += min(count, L.MAX_WEIGHT)

    def note_read(self, antenna: int, side: int, heard: tuple[int, int, int, int]) -> None:
        """Append a read (RSSI, phase, channel, count) to the log; a full one is thinned first, in its older half."""
        if len(self.log) == L.LOG_ROWS:
            half = L.LOG_ROWS // 2
            self.log = [row for k, row in enumerate(self.log) if k >= half or k % 4 < 2]  # noqa: PLR2004 (two of four)
        self.log.append([self.now_us - self.bin0_us, antenna, side, *heard])

    def note_lead(self) -> None:
        """Follow which side leads."""
        ahead = self.sides[0].level(self.now_us) - self.sides[1].level(self.now_us)
        now = 1 if ahead >= L.LEAD_CDB else 2 if ahead <= -L.LEAD_CDB else self.lead
        self.flips += self.lead not in {0, now}
        self.lead = now

    def note_pass(self, level: int) -> None:
        """Layout `single`: follow the highest smoothed RSSI and the lowest since."""
        self.slow = level if self.reports == 1 else self.slow + ((level - self.slow) >> 2)
        if self.slow >= self.top:
            self.top = self.valley = self.slow
        self.valley = min(self.valley, self.slow)

    def roll_window(self, steps: int, cdb: int) -> None:
        """Close a motion window that is full."""
        if self.now_us - self.window_us < L.WINDOW_US:
            return
        if self.window_moves(steps, cdb):
            self.moved += 1
            self.still_us = self.now_us
        self.loud = self.window_peak >= self.peak - L.AT_PLANE_CDB
        self.window_peak = L.NO_LEVEL
        self.window_us, self.window_sum, self.window_pairs = self.now_us, 0, 0
        for antenna in self.antennas:
            antenna.window_low = antenna.window_high = antenna.smooth

    def may_tell(self, base: int) -> bool:
        """Say whether a visit without proven motion is worth a decision: a stranger's, or one that stirs."""
        return base == L.NO_BASE or self.stirs(L.STIR_SIGN, L.SWING_CDB)

    def wants_candidate(self, base: int) -> bool:
        """Say whether to try an early decision: the side leads that did not lead at first, and something moved."""
        every_us = L.CANDIDATE_EVERY_US if self.flips else L.CANDIDATE_CALM_US
        return (
            self.reports >= L.MIN_PAIRS
            and self.candidates < L.MAX_CANDIDATES
            and self.now_us - self.candidate_us >= max(every_us, (self.now_us - self.start_us) >> L.CANDIDATE_SHIFT)
            and ((base == L.NO_BASE and self.stir > L.STIR_STILL) or self.stirs(L.STIR_SURE, L.WIDE_SWING_CDB))
        )

    def settled(self, settle_us: int, park_us: int, *, single: bool) -> bool:
        """Say whether the tag has lain still for long enough, longer if it may be standing in the doorway."""
        needed = park_us if self.loud and self.moved else settle_us
        if not self.moved and self.stir <= L.STIR_STILL and not single:
            needed = min(needed, L.WINDOW_US)
        if self.stir > L.STIR_CALM:
            needed *= L.SURE_FACTOR
        return self.now_us - self.still_us >= needed or self.now_us - self.start_us >= L.VISIT_MAX_US


@dataclass(slots=True)
class Tag:
    """What is known of a tag at a portal between its visits."""

    portal: int
    epc: bytes
    last_us: int
    base: int = L.NO_BASE
    visit: Visit | None = None
    cells: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    def recall(self, antenna: int, channel: int, phase: int, at_us: int) -> int | None:
        """Return how the phase changed since it was remembered for this antenna and channel."""
        key = 8 * channel + antenna + 1
        place = (4 * channel + antenna) % L.CELLS
        other, before, then_us = self.cells.get(place, (0, 0, 0))
        since = at_us - then_us
        told = None
        if other and 0 <= since <= L.RECALL_US:
            if other != key:
                return None
            if since >= L.PAIR_MIN_US:
                told = abs(nearest(phase - before, L.HALF_TURN))
        self.cells[place] = key, phase, at_us
        return told

    def rest(self, visit: Visit) -> None:
        """Learn the level of a tag that lay still."""
        level = max(side.smooth if side.count else L.NO_LEVEL for side in visit.sides)
        self.base = level if self.base == L.NO_BASE else self.base + ((level - self.base) >> 2)


class PlainEngine:
    """The engine without numba."""

    def __init__(self, knobs: NDArray[np.int64], max_tags: int) -> None:
        self._knobs: list[list[int]] = knobs.tolist()
        self._max_tags = max_tags
        self._slots: list[Tag] = []
        self._places: dict[tuple[int, bytes], int] = {}
        self._hand = 0
        self._records: list[Snapshot] = []
        self.evicted = 0
        self.quiet = 0

    def known(self, since_us: int) -> int:
        """Count the pairs whose level at rest is known and that were heard since an instant."""
        return sum(tag.base != L.NO_BASE and tag.last_us >= since_us for tag in self._slots)

    def advance(self, cols: NDArray[np.int64], epcs: NDArray[np.uint8]) -> list[Snapshot]:
        """Take reads in event order."""
        for row, epc in zip(cols.tolist(), epcs, strict=True):
            self._read(row, epc[: row[L.C_EPC_BYTES]].tobytes())
        return self._drain()

    def sweep(self, before_us: int, *, flush: bool = False) -> list[Snapshot]:
        """End visits by the silence behind them."""
        for tag in self._slots:
            if tag.visit and (flush or tag.visit.due_us < before_us):
                self._end(tag, tag.visit, L.FLUSHED if flush else L.LEFT, tag.visit.due_us)
        return self._drain()

    def _drain(self) -> list[Snapshot]:
        records, self._records = self._records, []
        return records

    def _read(self, row: list[int], epc: bytes) -> None:
        at_us, first_us, portal, side, antenna, _, rssi, phase, channel, count = row
        tag = self._tag(portal, epc, at_us)
        if tag.visit and at_us > tag.visit.due_us:
            self._end(tag, tag.visit, L.LEFT, tag.visit.due_us)
        if not tag.visit:
            if at_us - tag.last_us > self._knobs[portal][L.K_FORGET_US]:
                tag.base = L.NO_BASE
            tag.last_us = at_us
            tag.visit = Visit(first_us, at_us, at_us, at_us, at_us, at_us)
        visit = tag.visit
        visit.note_time(max(at_us, tag.last_us))
        tag.last_us = visit.now_us
        visit.reports += 1
        visit.reads += count
        level = L.ABSENT_CDBM if rssi == L.NO_RSSI else rssi
        mine = visit.antennas[antenna]
        mine.note_level(visit.now_us, level, rssi, count)
        same = mine.note_channel(level, channel)
        visit.range = max(visit.range, mine.high - mine.low)
        if phase >= 0:
            stayed = mine.note_phase(visit.now_us, phase, same=same)
            returned = tag.recall(antenna, channel, phase, visit.now_us)
            if stayed is not None:
                visit.note_pair(stayed[0], stayed=stayed[1] <= L.PAIR_MAX_US)
            elif returned is not None and not same:
                visit.note_pair(returned, stayed=False)
        visit.note_side(side, level, count)
        visit.note_read(antenna, side, (rssi, phase, channel, count))
        self._meet_rivals(tag, visit)
        self._judge(tag, visit, level)

    def _tag(self, portal: int, epc: bytes, at_us: int) -> Tag:
        place = self._places.get((portal, epc))
        if place is None:
            tag = Tag(portal, epc, at_us)
            place = len(self._slots)
            if place < self._max_tags:
                self._slots.append(tag)
            else:
                place = self._evict(at_us)
                self._slots[place] = tag
            self._places[portal, epc] = place
        return self._slots[place]

    def _evict(self, at_us: int) -> int:
        sample = [(self._hand + k) % self._max_tags for k in range(min(L.SAMPLE, self._max_tags))]
        place = min(sample, key=lambda k: self._slots[k].last_us)
        self._hand = (self._hand + L.SAMPLE) % self._max_tags
        self.evicted += 1
        tag = self._slots[place]
        if tag.visit:
            self._end(tag, tag.visit, L.EVICTED, at_us)
        del self._places[tag.portal, tag.epc]
        return place

    def _meet_rivals(self, tag: Tag, visit: Visit) -> None:
        for portal in range(len(self._knobs)):
            place = self._places.get((portal, tag.epc))
            other = self._slots[place].visit if place is not None and portal != tag.portal else None
            if other and visit.now_us - other.now_us <= L.RIVAL_US:
                other.rival = max(other.rival, visit.peak)
                visit.rival = max(visit.rival, other.peak)

    def _judge(self, tag: Tag, visit: Visit, level: int) -> None:
        knobs = self._knobs[tag.portal]
        motion = knobs[L.K_MOTION_STEPS], knobs[L.K_MOTION_CDB]
        if knobs[L.K_SINGLE]:
            visit.note_pass(level)
            if min(visit.top, visit.slow) - visit.valley >= knobs[L.K_VALLEY]:
                self._end(tag, visit, L.VALLEY, visit.now_us)
                return
        else:
            visit.note_lead()
            if visit.wants_candidate(tag.base):
                visit.candidates += 1
                visit.candidate_us = visit.now_us
                self._emit(tag, visit, L.CANDIDATE, visit.now_us)
        visit.roll_window(*motion)
        if visit.settled(knobs[L.K_SETTLE_US], knobs[L.K_PARK_US], single=bool(knobs[L.K_SINGLE])):
            self._end(tag, visit, L.SETTLED, visit.now_us)
            return
        visit.due_us = visit.now_us + silence_us(visit, knobs)

    def _end(self, tag: Tag, visit: Visit, why: int, at_us: int) -> None:
        knobs = self._knobs[tag.portal]
        if visit.window_moves(knobs[L.K_MOTION_STEPS], knobs[L.K_MOTION_CDB]):
            visit.moved += 1
        if knobs[L.K_SINGLE] and visit.range >= knobs[L.K_RISE]:
            visit.moved += 1
        if knobs[L.K_SINGLE]:
            told = visit.moved > 0 and visit.reports >= L.MIN_PAIRS
        else:
            told = visit.moved > 0 or (why != L.SETTLED and visit.may_tell(tag.base))
        if visit.reports >= knobs[L.K_MIN_REPORTS] and told:
            self._emit(tag, visit, why, at_us)
        else:
            self.quiet += 1
        if not visit.moved or why == L.SETTLED:
            tag.rest(visit)
        tag.visit = None

    def _emit(self, tag: Tag, visit: Visit, why: int, at_us: int) -> None:
        one, two = visit.sides
        head = [
            L.OPEN, tag.portal, visit.start_us, visit.now_us, visit.reads, visit.reports, visit.bin0_us, visit.bin_us,
            visit.still_us, visit.window_us, visit.window_sum, visit.window_pairs, visit.moved, visit.lead,
            visit.flips, visit.candidates, visit.candidate_us, visit.rival, visit.peak, visit.interval_us, tag.base,
            one.smooth, two.smooth, one.heard_us, two.heard_us, one.count, two.count, visit.valley, visit.top,
            visit.slow, len(tag.epc), 0, visit.stir, visit.stir_top, visit.range, visit.window_peak, visit.loud,
            one.low, two.low, one.high, two.high, len(visit.log),
        ]  # fmt: skip
        self._records.append(
            Snapshot(
                why,
                at_us,
                tag.epc,
                np.array(head, np.int64),
                np.array([antenna.row() for antenna in visit.antennas], np.int64),
                np.array([one.bins, two.bins], np.int32),
                np.array(visit.log, np.int32),
            )
        )


def silence_us(visit: Visit, knobs: list[int]) -> int:
    """Silence that ends this visit: fixed, or for `single` in units of the tag's own read interval."""
    gap_us = knobs[L.K_GAP_US]
    if not knobs[L.K_SINGLE] or visit.reports < L.MIN_PAIRS:
        return gap_us
    return min(gap_us, max(L.MIN_PASS_US, knobs[L.K_INTERVALS] * visit.interval_us))


def nearest(value: int, modulus: int) -> int:
    """Return `value` modulo `modulus`, nearest to zero."""
    return (value + modulus // 2) % modulus - modulus // 2
