"""A visit of the twin: what `head`, `ant` and `log` hold, and of the kernels `window_moves` to `roll_window`."""

from dataclasses import dataclass, field

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.plain.reads import Pair, Read, nearest, strength
from edge.windows.settings import MAX_ANTENNAS


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


def silence_us(visit: Visit, knobs: list[int]) -> int:
    """Silence that ends this visit: longer for a tag that is read rarely; for `single` shorter."""
    gap_us = knobs[L.K_GAP_US]
    if visit.reports < L.MIN_PAIRS:
        return gap_us
    if knobs[L.K_SINGLE]:
        return min(gap_us, max(L.MIN_PASS_US, knobs[L.K_INTERVALS] * visit.interval_us))
    mean_us = (visit.now_us - visit.bin0_us) // (visit.reports - 1)
    return min(L.MOST_GAPS * gap_us, max(gap_us, L.SILENT_INTERVALS * mean_us))
