"""Other rules that call a direction, on the same reads as ours: each as its source tells it.

A rule takes one tag's reads at one portal and the episode's span, and says `in`, `out`, or `turned_back` where it sees
no crossing; `none` where nothing was read. They know no `near` and no `parked`: three classes are the fair comparison.

- First/last antenna: what portal middleware commonly does; 40.6 % right on real walks between four antennas (domain,
  Deciding a passage; the next two were measured on the same walks).
- RSSI-weighted centroid: the times of each antenna's reads, weighted by their level; 92.2 %.
- Order of smoothed peaks: when each antenna's smoothed level is highest; 95.3 %.
- SMURF: Jeffery, Garofalakis and Franklin, Adaptive Cleaning for RFID Data Streams, VLDB 2006: per-tag cleaning, here
  of each side's reads, then the side that is present first and the one that is present last.
- EdgeX location: edgexfoundry/app-rfid-llrp-inventory, `internal/inventory`, with the defaults of its configuration;
  its antennas' aliases are the two sides.

Centroid and peaks are published for walks that do cross. So that they can say "no crossing" too they ask for a least
distance between the sides, the one that called most of `tests.helpers.doorway`'s scenes of seeds under 600 right: 93 %
instead of 65 %, and 80 % instead of 64 %.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

INSIDE: Final = 0
OUTSIDE: Final = 1
NO_RSSI_CDBM: Final = -32768
ABSENT_DBM: Final = -70.0
"""Level of a read without RSSI, as in `edge.windows.layout`."""

SMOOTH_US: Final = 300_000
"""Width of the moving mean before peaks are sought, that of `edge.windows.features`."""

LEAST_CENTROID_S: Final = 0.63
LEAST_PEAK_S: Final = 0.55
"""Least distance of the sides that is called a crossing."""

EPOCH_US: Final = 200_000
"""SMURF's epoch; its authors use 0.2 to 0.25 s."""
CYCLE_US: Final = 25_000
"""One interrogation cycle: what a reader with four antennas gives one of them at a time."""
DELTA: Final = 0.05
"""SMURF: probability with which a tag that is there may be missed in a window; the authors' value."""

EDGEX_READS: Final = 20
EDGEX_THRESHOLD_DB: Final = 6.0
EDGEX_SLOPE_DB_PER_MS: Final = -0.008
EDGEX_HOLDOFF_MS: Final = 500.0
EDGEX_DEPARTED_US: Final = 600_000_000
"""EdgeX's defaults (`res/configuration.yaml`)."""

Span = tuple[int, int]
"""Begin and end of an episode, microseconds."""


@dataclass(frozen=True, slots=True)
class TagReads:
    """One tag's reads at one portal in the order of time, all (n,) int64.

    Attributes:
        t_us: when.
        antenna: index of the antenna in the portal.
        side: 0 inside, 1 outside.
        rssi_cdbm: hundredths of dBm.
    """

    t_us: NDArray[np.int64]
    antenna: NDArray[np.int64]
    side: NDArray[np.int64]
    rssi_cdbm: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.t_us)

    def levels_dbm(self) -> NDArray[np.float64]:
        """Return RSSI in dBm, with a weak level where a reader gave none."""
        return np.where(self.rssi_cdbm <= NO_RSSI_CDBM, ABSENT_DBM, self.rssi_cdbm / 100.0)

    def within(self, span: Span) -> "TagReads":
        """Return the reads of an episode."""
        use = (self.t_us >= span[0]) & (self.t_us <= span[1])
        return TagReads(self.t_us[use], self.antenna[use], self.side[use], self.rssi_cdbm[use])


Rule = Callable[[TagReads, Span], str]


def first_last(reads: TagReads, span: Span) -> str:
    """Call by the sides of the first and of the last read."""
    mine = reads.within(span)
    return _from_to(int(mine.side[0]), int(mine.side[-1])) if len(mine) else "none"


def centroid(reads: TagReads, span: Span) -> str:
    """Call by the order of the antennas' centroids in time, each read weighted by its amplitude."""
    return _by_distance(centroid_distance(reads.within(span)), LEAST_CENTROID_S)


def peak_order(reads: TagReads, span: Span) -> str:
    """Call by the order in which the antennas' smoothed levels peak."""
    return _by_distance(peak_distance(reads.within(span)), LEAST_PEAK_S)


def centroid_distance(mine: TagReads) -> float | None:
    """Return seconds from the inside's centroid to the outside's; 0 where one side was heard, None where none was."""
    weights = 10 ** (mine.levels_dbm() / 20)

    def middle_s(use: NDArray[np.bool_]) -> float:
        return float(np.average(mine.t_us[use] - mine.t_us[0], weights=weights[use])) / 1e6

    return _distance(mine, middle_s)


def peak_distance(mine: TagReads) -> float | None:
    """Return seconds from the inside's peaks to the outside's; 0 where one side was heard, None where none was."""
    levels = mine.levels_dbm()

    def peak_s(use: NDArray[np.bool_]) -> float:
        times = mine.t_us[use] - mine.t_us[0]
        smooth = _moving_mean(times, levels[use])
        return float(times[smooth == smooth.max()].mean()) / 1e6

    return _distance(mine, peak_s)


def smurf(reads: TagReads, span: Span) -> str:
    """Call by the sides that are present first and last once SMURF has smoothed each side's reads."""
    mine = reads.within(span)
    if not len(mine):
        return "none"
    shown = [smurf_presence(mine.t_us[mine.side == side], span) for side in (INSIDE, OUTSIDE)]
    if not all(one.any() for one in shown):
        return "turned_back"
    first = [int(np.argmax(one)) for one in shown]
    last = [len(one) - 1 - int(np.argmax(one[::-1])) for one in shown]
    begins = _ahead(-first[INSIDE], -first[OUTSIDE], int(mine.side[0]))
    return _from_to(begins, _ahead(last[INSIDE], last[OUTSIDE], int(mine.side[-1])))


def smurf_presence(t_us: NDArray[np.int64], span: Span) -> NDArray[np.bool_]:
    """Return (epochs,): whether the tag is present, by the adaptive window of one side's read times around each epoch.

    The window grows by two epochs while it is too small for its read rate, and is halved when fewer reads came than a
    tag that is still there would give (binomial, two standard deviations).
    """
    epochs = math.ceil((span[1] - span[0] + 1) / EPOCH_US)
    cycles = np.unique((t_us - span[0]) // CYCLE_US)
    share = np.bincount(cycles * CYCLE_US // EPOCH_US, minlength=epochs)[:epochs] / (EPOCH_US / CYCLE_US)
    out = np.zeros(epochs, np.bool_)
    width = 1
    for now in range(epochs):
        window = share[max(0, now - width // 2) : now + width // 2 + 1]
        heard = window[window > 0]
        out[now] = len(heard) > 0
        width = _next_width(width, len(window), heard)
    return out


def _next_width(width: int, size: int, heard: NDArray[np.float64]) -> int:
    if not len(heard):
        return 1
    rate = float(heard.mean())
    wanted = math.ceil(math.log(1 / DELTA) / rate)
    if wanted > width:
        return min(width + 2, wanted)
    expected = size * rate
    gone = len(heard) < expected - 2 * math.sqrt(expected * (1 - rate))
    return max(min(width // 2, wanted), 1) if gone else width


@dataclass(slots=True)
class _Place:
    """What EdgeX keeps of a tag at one antenna."""

    levels: deque[float] = field(default_factory=lambda: deque(maxlen=EDGEX_READS))
    last_us: int = 0

    def mean(self) -> float:
        return sum(self.levels) / len(self.levels)


@dataclass(frozen=True, slots=True)
class Moved:
    """A tag's location changed its side; `at_us` is the read that did it."""

    epc: bytes
    at_us: int
    kind: str


@dataclass(slots=True)
class _Where:
    places: dict[int, _Place] = field(default_factory=dict)
    sides: dict[int, int] = field(default_factory=dict)
    antenna: int | None = None
    last_us: int = 0


class EdgexStream:
    """The location rule over a stream of one portal's reads: a tag moves to an antenna that is louder by the offset.

    The offset is 6 dB while the old antenna was heard within 0.5 s and falls by 8 dB a second after that. A tag unheard
    for 600 s has departed, and arrives anew.
    """

    def __init__(self) -> None:
        self._tags: dict[bytes, _Where] = {}

    def read(self, epc: bytes, t_us: int, antenna: int, side: int, rssi_dbm: float) -> Moved | None:
        """Take a read; return the move across the sides that it makes, if it makes one."""
        tag = self._tags.get(epc)
        if tag is None or t_us - tag.last_us > EDGEX_DEPARTED_US:
            tag = self._tags[epc] = _Where()
        tag.last_us = max(tag.last_us, t_us)
        here = tag.places.setdefault(antenna, _Place())
        here.levels.append(rssi_dbm)
        here.last_us = max(here.last_us, t_us)
        tag.sides[antenna] = side
        before = tag.antenna
        if before is None:
            tag.antenna = antenna
        elif before != antenna and len(here.levels) > 1 and here.mean() > _held_dbm(tag.places[before], t_us):
            tag.antenna = antenna
            if tag.sides[before] != side:
                return Moved(epc, t_us, _from_to(tag.sides[before], side))
        return None

    def side(self, epc: bytes) -> int | None:
        """Return the side that a tag is at, None where it was never heard."""
        tag = self._tags.get(epc)
        return None if tag is None or tag.antenna is None else tag.sides[tag.antenna]


def _held_dbm(place: _Place, now_us: int) -> float:
    beyond_ms = max((now_us - place.last_us) / 1000 - EDGEX_HOLDOFF_MS, 0.0)
    return place.mean() + EDGEX_THRESHOLD_DB + EDGEX_SLOPE_DB_PER_MS * beyond_ms


def edgex(reads: TagReads, span: Span) -> str:
    """Call by the side of the location before the episode, or at its first read, and at its end."""
    if not len(reads.within(span)):
        return "none"
    stream, begins = EdgexStream(), None
    for t_us, antenna, side, level in _rows(reads):
        if t_us > span[1]:
            break
        if t_us >= span[0] and begins is None:
            begins = stream.side(b"")
        stream.read(b"", t_us, antenna, side, level)
        begins = stream.side(b"") if t_us >= span[0] and begins is None else begins
    ends = stream.side(b"")
    assert begins is not None
    assert ends is not None
    return _from_to(begins, ends)


PEERS: Final[dict[str, Rule]] = {
    "first/last antenna": first_last,
    "RSSI-weighted centroid": centroid,
    "order of smoothed peaks": peak_order,
    "SMURF": smurf,
    "EdgeX location": edgex,
}


def _rows(reads: TagReads) -> Iterator[tuple[int, int, int, float]]:
    columns = (reads.t_us, reads.antenna, reads.side, reads.levels_dbm())
    return zip(*(column.tolist() for column in columns), strict=True)


def _from_to(source: int, target: int) -> str:
    if source == target:
        return "turned_back"
    return "out" if target == OUTSIDE else "in"


def _ahead(inside: int, outside: int, else_side: int) -> int:
    """Return the side whose value is higher; where they are equal the side of the read that decides."""
    if inside == outside:
        return else_side
    return INSIDE if inside > outside else OUTSIDE


def _distance(mine: TagReads, instant_s: Callable[[NDArray[np.bool_]], float]) -> float | None:
    """Return the mean instant of the outside's antennas less that of the inside's."""
    if not len(mine):
        return None
    sides: dict[int, list[float]] = {INSIDE: [], OUTSIDE: []}
    for antenna in np.unique(mine.antenna).tolist():
        use = mine.antenna == antenna
        sides[int(mine.side[use][0])].append(instant_s(use))
    heard_both = sides[INSIDE] and sides[OUTSIDE]
    return float(np.mean(sides[OUTSIDE]) - np.mean(sides[INSIDE])) if heard_both else 0.0


def _by_distance(distance_s: float | None, least_s: float) -> str:
    if distance_s is None:
        return "none"
    if abs(distance_s) < least_s:
        return "turned_back"
    return "out" if distance_s > 0 else "in"


def _moving_mean(times: NDArray[np.int64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each read's level averaged over the reads within 0.15 s of it."""
    total = np.concatenate([[0.0], np.cumsum(levels)])
    low = np.searchsorted(times, times - SMOOTH_US // 2, "left")
    high = np.searchsorted(times, times + SMOOTH_US // 2, "right")
    return np.round((total[high] - total[low]) / (high - low), 9)
