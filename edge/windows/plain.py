"""The plain twin: what the kernels must say, one object a (tag, portal) pair. Slow, and the definition.

It keeps up with one portal of 300 reads a second and stands in where numba has no wheel.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.settings import MAX_ANTENNAS
from edge.windows.snapshot import Snapshot


class Read(NamedTuple):
    """One read of a tag at a portal."""

    at_us: int
    antenna: int
    rssi: int
    phase: int
    channel: int
    seen: int


class Pair(NamedTuple):
    """A change of phase modulo half a turn, and whether the channel stayed meanwhile."""

    change: int
    stayed: bool


@dataclass(slots=True)
class Side:
    """One side's envelope."""

    smooth: int = 0
    heard_us: int = 0
    count: int = 0
    low: int = 0
    high: int = 0

    def level(self, now_us: int) -> int:
        """What was heard last, less what the silence since says."""
        if not self.count:
            return L.NO_LEVEL
        silent = max(0, now_us - self.heard_us - L.STALE_US)
        return self.smooth - silent * L.STALE_CDB_PER_MS // 1000


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

    def note_phase(self, at_us: int, phase: int, *, same: bool) -> None:
        """Follow the phase within one channel."""
        if same and 0 < at_us - self.phase_us <= L.SLOPE_MAX_US:
            self.turn += nearest(phase - self.phase, L.TURN)
            self.turn_us += at_us - self.phase_us
        self.phase, self.phase_us = phase, at_us

    def row(self) -> list[int]:
        """Return the columns of `layout`."""
        return [
            self.reads, self.peak, self.peak_us, self.smooth, self.low, self.high, self.phase, self.channel,
            self.phase_us, self.turn, self.turn_us, self.window_low, self.window_high, self.reports, self.steady,
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
    reads: int = 0
    reports: int = 0
    window_sum: int = 0
    window_pairs: int = 0
    stir: int = 0
    stir_top: int = 0
    range: int = 0
    window_peak: int = L.NO_LEVEL
    loud_us: int = 0
    moved: int = 0
    lead: int = 0
    flips: int = 0
    candidates: int = 0
    known_s: int = 0
    earliest: bool = False
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

    def note_pair(self, pair: Pair) -> None:
        """Weigh a change of phase: for the visit, and for the motion window if the channel stayed meanwhile."""
        self.stir = min(L.STIR_UTMOST, max(L.STIR_LEAST, self.stir + strength(pair.change)))
        self.stir_top = max(self.stir_top, self.stir)
        if pair.stayed:
            self.window_sum += pair.change
            self.window_pairs += 1

    def note(self, read: Read, pair: Pair | None, knobs: list[int]) -> None:
        """Add a read and its change of phase."""
        self.note_time(read.at_us)
        self.reports += 1
        self.reads += read.seen
        level = L.ABSENT_CDBM if read.rssi == L.NO_RSSI else read.rssi
        mine = self.antennas[read.antenna]
        mine.note_level(read.at_us, level, read.rssi, read.seen)
        same = mine.note_channel(level, read.channel)
        if same:
            self.range = max(self.range, mine.high - mine.low)
        if read.phase >= 0:
            mine.note_phase(read.at_us, read.phase, same=same)
        if pair:
            self.note_pair(pair)
        side = knobs[L.K_SIDES] >> read.antenna & 1
        self.note_side(side, level)
        self.note_read(side, read)
        if knobs[L.K_SINGLE]:
            self.note_pass(level)
        else:
            self.note_lead()

    def note_time(self, at_us: int) -> None:
        """Advance to a read and follow the interval between reads."""
        apart = at_us - self.now_us
        if self.reports == 1:
            self.interval_us = apart
        elif self.reports > 1:
            self.interval_us += (min(apart, 4 * self.interval_us + 1000) - self.interval_us) >> 2
        self.now_us = at_us

    def note_side(self, side: int, level: int) -> None:
        """Follow one side's smoothed level."""
        mine = self.sides[side]
        mine.smooth = mine.smooth + ((level - mine.smooth) >> 2) if mine.count else level
        mine.low = min(mine.low, mine.smooth) if mine.count else mine.smooth
        mine.high = max(mine.high, mine.smooth) if mine.count else mine.smooth
        mine.heard_us = self.now_us
        mine.count += 1
        self.peak = max(self.peak, mine.smooth)
        self.window_peak = max(self.window_peak, mine.smooth)

    def note_read(self, side: int, read: Read) -> None:
        """Append a read to the log; a full one is thinned first, in its older half."""
        if len(self.log) == L.LOG_ROWS:
            half = L.LOG_ROWS // 2
            self.log = [row for k, row in enumerate(self.log) if k >= half or k % 4 < 2]  # noqa: PLR2004 (two of four)
        since_us = min(self.now_us - self.bin0_us, L.MOST_US)
        self.log.append([since_us, read.antenna, side, read.rssi, read.phase, read.channel, read.seen])

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
        if self.window_peak < self.peak - L.AT_PLANE_CDB:
            self.loud_us = 0
        elif not self.loud_us:
            self.loud_us = self.window_us
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

    def rests(self) -> bool:
        """Say whether phases prove that the tag lay still throughout: what moved was its surroundings."""
        return self.stir <= L.STIR_CALM and self.stir_top < L.STIR_SIGN

    def arrived(self, base: int, cdb: int) -> bool:
        """Say whether a tag never seen at rest, though there was time to, changed its level by so much: it came."""
        return base == L.NO_BASE and not self.earliest and max(side.high - side.low for side in self.sides) >= cdb

    def tells(self, why: int, min_reports: int, base: int, *, single: bool) -> bool:
        """Say whether an ending visit is worth a decision: it moved, or may have."""
        if self.reports < min_reports:
            return False
        if single:
            return self.moved > 0 and self.reports >= L.MIN_PAIRS
        if self.rests():
            return self.arrived(base, L.WIDE_SWING_CDB)
        if self.moved > 0:
            return True
        return self.arrived(base, L.ARRIVAL_CDB) if why == L.SETTLED else self.may_tell(base)

    def settled(self, settle_us: int, park_us: int, base: int, *, single: bool) -> bool:
        """Say whether the tag has lain still for long enough, longer if it may be standing in the doorway."""
        doorway = self.loud_us and self.moved
        stays = self.stir_top >= L.STIR_SIGN and self.stir <= L.STIR_STILL
        mute = self.stir_top == self.stir == 0
        if doorway and (stays or mute) and not single and self.now_us - self.loud_us >= park_us:
            return True
        needed = park_us if doorway else settle_us
        calm = not self.moved and self.stir <= L.STIR_STILL and not self.arrived(base, L.ARRIVAL_CDB)
        if calm and not single:
            needed = min(needed, L.WINDOW_US)
        if self.stir > L.STIR_CALM:
            needed *= L.SURE_FACTOR
        return self.now_us - self.still_us >= needed or self.now_us - self.start_us >= L.VISIT_MAX_US


@dataclass(slots=True)
class Tag:
    """What is known of a tag at a portal over its visits."""

    portal: int
    epc: bytes
    last_us: int
    since_us: int
    base: int = L.NO_BASE
    interval_us: int = 0
    stir: int = 0
    calm: int = 0
    resting: bool = False
    visit: Visit | None = None
    levels: dict[int, tuple[int, int]] = field(default_factory=dict)
    refs: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    cells: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    ring: deque[Read] = field(default_factory=lambda: deque(maxlen=L.RING))

    def forget(self, at_us: int) -> None:
        """Be a stranger again."""
        self.last_us = self.since_us = at_us
        self.base, self.interval_us, self.stir, self.calm, self.resting = L.NO_BASE, 0, 0, 0, False
        for memory in (self.levels, self.refs, self.cells, self.ring):
            memory.clear()

    def note_time(self, at_us: int) -> int:
        """Advance to a read, follow the interval between reads, and return how long this one was."""
        apart = min(max(at_us - self.last_us, 0), L.LONGEST_INTERVAL_US)
        self.last_us = max(at_us, self.last_us)
        self.interval_us += (apart - self.interval_us) >> 3 if self.interval_us else apart
        return apart

    def too_soon(self, read: Read) -> bool:
        """Say whether the phase was measured on this channel just before."""
        channel, _, then = self.refs.get(read.antenna, (-1, 0, 0))
        return read.phase >= 0 and channel == read.channel and ticks_us(ticks(read.at_us) - then) < L.PAIR_MIN_US

    def weigh(self, read: Read) -> Pair | None:
        """Compare a phase with that before it on the channel, or with the one before the channel last went away."""
        now = ticks(read.at_us)
        channel, phase, then = self.refs.get(read.antenna, (-1, 0, 0))
        if channel == read.channel:
            since_us = ticks_us(now - then)
            if since_us < L.PAIR_MIN_US:
                return None
            self.refs[read.antenna] = channel, read.phase, now
            pair = Pair(abs(nearest(read.phase - phase, L.HALF_TURN)), stayed=since_us <= L.PAIR_MAX_US)
            return pair if since_us <= L.RECALL_US else None
        self.refs[read.antenna] = read.channel, read.phase, now
        return self._recall(read, now)

    def _recall(self, read: Read, now: int) -> Pair | None:
        place = (4 * read.channel + read.antenna) % L.CELLS
        antenna, channel, phase, then = self.cells.get(place, (-1, -1, 0, 0))
        since_us = ticks_us(now - then)
        mine = (antenna, channel) == (read.antenna, read.channel)
        if antenna >= 0 and not mine and since_us <= L.RECALL_US:
            return None
        self.cells[place] = read.antenna, read.channel, read.phase, now
        if mine and L.PAIR_MIN_US <= since_us <= L.RECALL_US:
            return Pair(abs(nearest(read.phase - phase, L.HALF_TURN)), stayed=False)
        return None

    def follow_level(self, antenna: int, rssi: int, cdb: int) -> bool:
        """Follow the level at an antenna; say whether this read is far from it."""
        if antenna not in self.levels:
            self.levels[antenna] = rssi, L.FIRST_SPREAD_CDB
            return self.base != L.NO_BASE and rssi - self.base >= cdb
        level, spread = self.levels[antenna]
        apart = abs(rssi - level)
        self.levels[antenna] = level + ((rssi - level) >> 3), spread + ((apart - spread) >> 4)
        return apart >= max(cdb, L.WAKE_SPREADS * spread)

    def remember(self, read: Read) -> None:
        """Keep a read at rest, in case it is the beginning of a visit; of many in a short time the newest."""
        if len(self.ring) > 1 and read.at_us - self.ring[-2].at_us < L.RING_EVERY_US:
            self.ring.pop()
        self.ring.append(read)

    def rest(self, visit: Visit) -> None:
        """Learn the level of a tag that lay still."""
        level = max(side.smooth if side.count else L.NO_LEVEL for side in visit.sides)
        self.base = level if self.base == L.NO_BASE else self.base + ((level - self.base) >> 2)


def relive(reads: list[Read], k: int) -> Pair | None:
    """Compare a remembered read's phase with an earlier one on its channel."""
    read = reads[k]
    for other in reversed(reads[:k]):
        if (other.antenna, other.channel) != (read.antenna, read.channel) or min(other.phase, read.phase) < 0:
            continue
        since_us = read.at_us - other.at_us
        if since_us >= L.PAIR_MIN_US:
            change = abs(nearest(read.phase - other.phase, L.HALF_TURN))
            return Pair(change, stayed=since_us <= L.PAIR_MAX_US)
    return None


class PlainEngine:
    """The engine without numba."""

    def __init__(self, knobs: NDArray[np.int64], max_tags: int, max_visits: int = L.VISITS) -> None:
        self._knobs: list[list[int]] = knobs.tolist()
        self._max_tags = max_tags
        self._max_visits = min(max_visits, max_tags)
        self._slots: list[Tag] = []
        self._places: dict[tuple[int, bytes], int] = {}
        self._open: dict[tuple[int, bytes], Tag] = {}
        self._hand = 0
        self._began_us = 0
        self._records: list[Snapshot] = []
        self.evicted = 0
        self.quiet = 0

    def known(self, since_us: int) -> int:
        """Count the pairs whose level at rest is known and that were heard since an instant."""
        return sum(tag.base != L.NO_BASE and tag.last_us >= since_us for tag in self._slots)

    def advance(self, cols: NDArray[np.int64], keys: NDArray[np.uint8]) -> list[Snapshot]:
        """Take reads in event order."""
        for row, key in zip(cols.tolist(), keys, strict=True):
            at_us, first_us, portal, antenna, length, rssi, phase, channel, count = row
            read = Read(at_us, antenna, rssi, phase, channel, count)
            self._read(portal, key[:length].tobytes(), first_us, read)
        return self._drain()

    def sweep(self, before_us: int, *, flush: bool = False) -> list[Snapshot]:
        """End visits by the silence behind them."""
        for tag in list(self._open.values()):
            if tag.visit and (flush or tag.visit.due_us < before_us):
                self._end(tag, tag.visit, L.FLUSHED if flush else L.LEFT, tag.visit.due_us)
        return self._drain()

    def _drain(self) -> list[Snapshot]:
        records, self._records = self._records, []
        return records

    def _read(self, portal: int, epc: bytes, first_us: int, read: Read) -> None:
        knobs = self._knobs[portal]
        if len(self._open) == self._max_visits:
            self._end_due(read.at_us)
        tag = self._tag(portal, epc, read.at_us)
        if tag.visit and read.at_us > tag.visit.due_us:
            self._end(tag, tag.visit, L.LEFT, tag.visit.due_us)
        if not tag.visit and not 0 <= read.at_us - tag.last_us <= knobs[L.K_FORGET_US]:
            tag.forget(read.at_us)
        interval_us, apart_us = tag.interval_us, tag.note_time(read.at_us)
        read = read._replace(at_us=tag.last_us)
        soon = tag.too_soon(read)
        pair = tag.weigh(read) if read.phase >= 0 else None
        if pair:
            tag.stir = min(L.STIR_UTMOST, max(L.STIR_LEAST, tag.stir + strength(pair.change)))
        far = not soon and read.rssi != L.NO_RSSI and tag.follow_level(read.antenna, read.rssi, knobs[L.K_MOTION_CDB])
        calm = strength(pair.change) < 0 if pair else not far
        far = far and not tag.calm  # one read that is far off may be a mistake, two in a row are none
        if not soon:
            tag.calm = min(L.ENOUGH_CALM, tag.calm + 1) if calm else 0
        away = apart_us > max(knobs[L.K_GAP_US], L.ABSENT_INTERVALS * interval_us)
        if tag.resting and tag.stir <= L.WAKE and not away and (calm or not far):
            tag.remember(read)
            return
        visit = tag.visit or self._begin(tag, min(read.at_us, first_us), read.at_us)
        visit.note(read, pair, knobs)
        self._judge(tag, visit)

    def _begin(self, tag: Tag, first_us: int, at_us: int) -> Visit:
        """Open a visit; a tag that was at rest brings its last reads, as far as they are young enough."""
        self._make_room(at_us)
        reads = [read for read in tag.ring if tag.resting and at_us - read.at_us <= L.RING_US]
        tag.ring.clear()
        tag.resting = False
        if reads:
            first_us = at_us = reads[0].at_us
        visit = tag.visit = Visit(first_us, at_us, at_us, at_us, at_us, at_us)
        self._began_us = self._began_us or max(at_us, 1)
        visit.earliest = at_us - self._began_us < L.BOOT_US
        visit.known_s = (at_us // L.SECOND_US - tag.since_us // L.SECOND_US) & L.SECONDS
        self._open[tag.portal, tag.epc] = tag
        for k, read in enumerate(reads):
            visit.note(read, relive(reads, k), self._knobs[tag.portal])
        return visit

    def _make_room(self, at_us: int) -> None:
        if len(self._open) < self._max_visits:
            return
        self.evicted += 1
        quiet = min(self._open.values(), key=lambda tag: (tag.last_us, self._places[tag.portal, tag.epc]))
        assert quiet.visit  # noqa: S101 (it is open)
        self._end(quiet, quiet.visit, L.EVICTED, at_us)

    def _end_due(self, before_us: int) -> None:
        for tag in list(self._open.values()):
            if tag.visit and tag.visit.due_us < before_us:
                self._end(tag, tag.visit, L.LEFT, tag.visit.due_us)

    def _tag(self, portal: int, epc: bytes, at_us: int) -> Tag:
        place = self._places.get((portal, epc))
        if place is None:
            tag = Tag(portal, epc, at_us, at_us)
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

    def _judge(self, tag: Tag, visit: Visit) -> None:
        knobs = self._knobs[tag.portal]
        if knobs[L.K_SINGLE]:
            if min(visit.top, visit.slow) - visit.valley >= knobs[L.K_VALLEY]:
                self._end(tag, visit, L.VALLEY, visit.now_us)
                return
        elif visit.wants_candidate(tag.base):
            visit.candidates += 1
            visit.candidate_us = visit.now_us
            self._emit(tag, visit, L.CANDIDATE, visit.now_us)
        visit.roll_window(knobs[L.K_MOTION_STEPS], knobs[L.K_MOTION_CDB])
        if visit.settled(knobs[L.K_SETTLE_US], knobs[L.K_PARK_US], tag.base, single=bool(knobs[L.K_SINGLE])):
            self._end(tag, visit, L.SETTLED, visit.now_us)
            return
        visit.due_us = visit.now_us + silence_us(visit, knobs)

    def _end(self, tag: Tag, visit: Visit, why: int, at_us: int) -> None:
        knobs = self._knobs[tag.portal]
        single = bool(knobs[L.K_SINGLE])
        if visit.window_moves(knobs[L.K_MOTION_STEPS], knobs[L.K_MOTION_CDB]):
            visit.moved += 1
        if single and visit.range >= knobs[L.K_RISE]:
            visit.moved += 1
        told = visit.tells(why, knobs[L.K_MIN_REPORTS], tag.base, single=single)
        if told:
            self._emit(tag, visit, why, at_us)
        else:
            self.quiet += 1
        if not visit.moved or why == L.SETTLED:
            tag.rest(visit)
        still = why == L.SETTLED or (not told and (tag.stir <= L.STIR_STILL or tag.calm >= L.ENOUGH_CALM))
        if still:
            tag.stir = min(tag.stir, L.STIR_STILL)
        tag.resting = still and not single and why != L.FLUSHED
        tag.visit = None
        del self._open[tag.portal, tag.epc]

    def _emit(self, tag: Tag, visit: Visit, why: int, at_us: int) -> None:
        one, two = visit.sides
        head = [
            0, tag.portal, visit.start_us, visit.now_us, visit.reads, visit.reports, visit.bin0_us,
            visit.still_us, visit.window_us, visit.window_sum, visit.window_pairs, visit.moved, visit.lead,
            visit.flips, visit.candidates, visit.candidate_us, visit.known_s, visit.peak, visit.interval_us, tag.base,
            one.smooth, two.smooth, one.heard_us, two.heard_us, one.count, two.count, visit.valley, visit.top,
            visit.slow, len(tag.epc), visit.stir, visit.stir_top, visit.range, visit.window_peak, visit.loud_us,
            one.low, two.low, one.high, two.high, len(visit.log), int(visit.earliest),
        ]  # fmt: skip
        self._records.append(
            Snapshot(
                why,
                at_us,
                tag.epc,
                np.array(head, np.int64),
                np.array([antenna.row() for antenna in visit.antennas], np.int64),
                np.array(visit.log, np.int32).reshape(-1, L.LOG),
            )
        )


def silence_us(visit: Visit, knobs: list[int]) -> int:
    """Silence that ends this visit: longer for a tag that is read rarely; for `single` shorter."""
    gap_us = knobs[L.K_GAP_US]
    if visit.reports < L.MIN_PAIRS:
        return gap_us
    if knobs[L.K_SINGLE]:
        return min(gap_us, max(L.MIN_PASS_US, knobs[L.K_INTERVALS] * visit.interval_us))
    mean_us = (visit.now_us - visit.bin0_us) // (visit.reports - 1)
    return min(L.MOST_GAPS * gap_us, max(gap_us, L.SILENT_INTERVALS * mean_us))


def ticks(at_us: int) -> int:
    """Time as phases are remembered with."""
    return (at_us >> L.P_TIME_SHIFT) & L.P_TIME_MASK


def ticks_us(apart: int) -> int:
    """Return a difference of such times in microseconds."""
    return (apart & L.P_TIME_MASK) << L.P_TIME_SHIFT


def strength(change: int) -> int:
    """Log-likelihood of motion against rest that a change of phase gives, hundredths."""
    return min(L.STIR_MOST, change * change * L.STIR_SCALE // L.STIR_SHIFT - L.STIR_REST)


def nearest(value: int, modulus: int) -> int:
    """Return `value` modulo `modulus`, nearest to zero."""
    return (value + modulus // 2) % modulus - modulus // 2
