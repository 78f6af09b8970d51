"""A pair of the twin: what `slots` hold; of the kernels `weigh`, `follow_level`, `remember`, `rest` and `relive`."""

from collections import deque
from dataclasses import dataclass, field

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.plain.reads import Pair, Read, nearest, ticks, ticks_us
from edge.windows.plain.visit import Visit


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
