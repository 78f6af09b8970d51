"""One reader's time on the air, and its reads as columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.world.air import layout as L  # noqa: N812 (one letter, as in the kernels)
from simulator.world.air.hops import REST_US, hops_of
from simulator.world.air.kernels import run
from simulator.world.air.layout import Bytes, Ints, Live, Told
from simulator.world.air.plan import Planner
from simulator.world.air.rivals import Site, Station, none, rivals_of
from simulator.world.radio.channel import Channel, Links
from simulator.world.scene import STILL, Antennas, Holds, Scene, Surroundings, Walls
from simulator.world.values import RadioState, ReaderTraits, Reads, no_reads

AHEAD_US: Final = 1_000_000
"""Scenes are asked for so far beyond the time in question, so that many small steps share one."""
FIRST_ROOM: Final = 256
NOWHERE: Final = -1
BEYOND_US: Final = np.iinfo(np.int64).max
SEED_MASK: Final = 0xFFFFFFFF

OPEN: Final = Surroundings(path_exponent=2.0, k_db=8.0, ground=0.0)
"""A site of which nothing is said."""

SceneOf = Callable[[int, int], Scene]


@dataclass(frozen=True, slots=True)
class AirCounts:
    """What slots held since the reader was made: answers read, nothing, collisions, the stronger of two, and noise."""

    rounds: int
    singles: int
    empties: int
    collisions: int
    captures: int
    garbled: int


class AirReader:
    """Draws the reads of one reader: the same seed, scenes and commands give the same, however the time is cut.

    Inventoried flags are kept by reader: a tag that another reader has turned to B is A for this one. On the air the
    two would share them; they don't here, since then the reads of one would depend on how far the other has come.

    Args:
        antennas: in the order of their ports.
        traits: what its model says of its radio.
        seed: of everything random about this reader.
        scene_of: the surroundings from one time to another; a superset is fine, in an order of holds that stays.
        epc: (n, w) uint8, the EPCs of all tags of the scenario, zero behind their ends.
        epc_bytes: (n,) their lengths.
        power_dbm: at ports of which the client says nothing.
    """

    def __init__(
        self,
        antennas: Antennas,
        traits: ReaderTraits,
        *,
        seed: int,
        scene_of: SceneOf,
        epc: Bytes,
        epc_bytes: Ints,
        power_dbm: float,
    ) -> None:
        hops = hops_of(traits, seed)
        self.station = Station(antennas, power_dbm, hops, np.array(traits.frequencies_khz, dtype=np.float64))
        self._planner = Planner(
            antennas, traits, power_dbm, seed & SEED_MASK, hops, none(len(antennas.port)), epc, epc_bytes
        )
        self._longest_us = traits.habits.turn_us + max(traits.habits.settle_us, REST_US) + traits.habits.switch_us
        self._links = Links(antennas, traits, seed & SEED_MASK)
        self._scene_of = scene_of
        self._scene: Scene | None = None
        self._holds: Holds | None = None
        self._channel: Channel | None = None
        self._told: Told | None = None
        self._number = 0
        self._live = _start(len(antennas.port), len(epc))

    @property
    def counts(self) -> AirCounts:
        """What happened in the slots so far."""
        n = self._live.numbers
        return AirCounts(*(int(n[i]) for i in (L.ROUND, L.SINGLES, L.EMPTIES, L.COLLISIONS, L.CAPTURES, L.GARBLED)))

    def advance(self, until_us: int, radio: RadioState | None) -> Reads:
        """Reads up to a time; without a running ROSpec the time passes, and what isn't handed out yet is gone.

        A change of `radio` counts from the next round on.
        """
        plan = None if radio is None else self._planner.plan(radio)
        if plan is None or not len(plan.port):
            self._rest(until_us)
            return no_reads()
        self._planner.rivals.running[self._number] = 1
        numbers = self._live.numbers
        while numbers[L.NOW_US] < until_us:
            channel, told = self._surroundings(until_us)
            run(told, channel, plan, self._live, until_us)
            if numbers[L.FULL]:
                self._live = _roomier(self._live, len(told.tag))
        return self._take(until_us)

    def _rest(self, until_us: int) -> None:
        """The carrier is off."""
        numbers = self._live.numbers
        self._planner.rivals.running[self._number] = 0
        numbers[L.NOW_US] = max(int(numbers[L.NOW_US]), until_us)
        numbers[L.OUT] = 0
        numbers[L.ON_ANTENNA] = NOWHERE

    def _surroundings(self, until_us: int) -> tuple[Channel, Told]:
        """Links and tags of a scene that lasts until the last round that may begin is over."""
        end_us = until_us + self._longest_us
        begin_us = int(self._live.numbers[L.NOW_US])
        covered = self._scene is not None and self._scene.begin_us <= begin_us and end_us <= self._scene.end_us
        if not covered or self._channel is None or self._told is None:
            scene = self._scene_of(begin_us, end_us + AHEAD_US)
            self._channel = self._links.channel(scene)
            if self._told is None or scene.holds is not self._holds:
                self._told = _told(scene)
            self._scene, self._holds = scene, scene.holds
            self._live.heard[:] = NOWHERE
            self._live = _wide_enough(self._live, len(self._told.tag))
        return self._channel, self._told

    def _take(self, until_us: int) -> Reads:
        """Hand out what was read up to a time."""
        count = int(self._live.numbers[L.OUT])
        out = self._live.out
        if not count or out[0, L.R_AT] > until_us:
            return no_reads()
        taken = count
        if out[count - 1, L.R_AT] > until_us:
            taken = int(np.searchsorted(out[:count, L.R_AT], until_us, side="right"))
        at_us, port, tag, rssi, phase, doppler, channel = out[:taken].T.copy()
        if taken < count:
            out[: count - taken] = out[taken:count].copy()
        self._live.numbers[L.OUT] = count - taken
        return Reads(
            at_us=at_us,
            last_us=at_us,
            antenna=port,
            tag=tag,
            epc=self._planner.epc[tag],
            epc_bytes=self._planner.epc_bytes[tag],
            rssi_cdbm=rssi,
            phase=phase,
            doppler=doppler,
            channel=channel,
            seen=np.ones(taken, dtype=np.int64),
        )

    def _hear(self, stations: Sequence[Station], mine: int, running: Bytes, site: Site) -> None:
        self._number = mine
        self._planner.rivals = rivals_of(stations, mine, running, site)
        self._planner.forget()


def meet(readers: Sequence[AirReader], around: Surroundings = OPEN, walls: Walls | None = None) -> None:
    """Let readers of one site disturb each other; without it each is alone.

    Whether another one runs is known as of its last `advance`: all must be advanced in steps together.

    Args:
        readers: all of the site.
        around: how waves fall off with distance.
        walls: what stands between them; none, if left out.
    """
    site = Site(around, walls or Walls(np.zeros((0, 4)), np.zeros(0), np.zeros(0), np.zeros(0)))
    stations = [reader.station for reader in readers]
    running = np.zeros(max(len(readers), 1), dtype=np.uint8)
    for mine, reader in enumerate(readers):
        reader._hear(stations, mine, running, site)  # noqa: SLF001 - readers that meet are of one kind


def _start(antennas: int, tags: int) -> Live:
    numbers = np.zeros(L.NUMBERS, dtype=np.int64)
    numbers[[L.HOP, L.ON_ANTENNA]] = np.iinfo(np.int64).min, NOWHERE
    empty = np.zeros(0, dtype=np.int32)
    return Live(
        numbers=numbers,
        flags=np.zeros((4, tags), dtype=np.int64),
        target=np.zeros(antennas, dtype=np.int64),
        q=np.full(antennas, -1.0),
        gain_db=np.zeros((antennas, 0)),
        heard=np.full((antennas, L.H_COLUMNS), -1, dtype=np.int64),
        powered=empty,
        taking_part=empty,
        draws=np.zeros(0, dtype=np.int64),
        head=np.zeros(1 << L.LARGEST_Q, dtype=np.int32),
        after=empty,
        out=np.zeros((FIRST_ROOM, L.R_COLUMNS), dtype=np.int64),
    )


def _wide_enough(live: Live, holds: int) -> Live:
    """The same with room for so many holds."""
    if holds <= live.gain_db.shape[1]:
        return live
    size = 2 * holds
    return live._replace(
        gain_db=np.zeros((len(live.gain_db), size)),
        powered=np.zeros(size, dtype=np.int32),
        taking_part=np.zeros(size, dtype=np.int32),
        draws=np.zeros(size, dtype=np.int64),
        after=np.zeros(size, dtype=np.int32),
    )


def _roomier(live: Live, holds: int) -> Live:
    """The same with room for more reads; those that are there stay."""
    out = np.zeros((2 * len(live.out) + holds, L.R_COLUMNS), dtype=np.int64)
    out[: live.numbers[L.OUT]] = live.out[: live.numbers[L.OUT]]
    return live._replace(out=out)


def _told(scene: Scene) -> Told:
    holds, tags = scene.holds, scene.tags
    lying = holds.carrier == STILL
    return Told(
        tag=np.ascontiguousarray(holds.tag, dtype=np.int64),
        sensitivity_dbm=tags.sensitivity_dbm[holds.tag],
        modulation_db=tags.modulation_db[holds.tag],
        moves=holds.carrier != STILL,
        changes_us=np.append(np.unique(np.concatenate([holds.begin_us[lying], holds.end_us[lying]])), BEYOND_US),
    )
