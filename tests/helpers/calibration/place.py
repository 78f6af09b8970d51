"""Places to measure in: a scenario from parts, and a reader that inventories it."""

from types import SimpleNamespace

import numpy as np

from simulator.scenarios.model import Scenario
from simulator.server.model import ETSI_KHZ, FCC_KHZ
from simulator.world.command import FX7500_HABITS
from simulator.world.values import ReaderTraits, Reads
from simulator.world.world import World

R420 = ReaderTraits(frequencies_khz=FCC_KHZ)
FX7500 = ReaderTraits(
    frequencies_khz=ETSI_KHZ[:1], hopping=False, rssi_step_cdbm=100, half_turns=False, habits=FX7500_HABITS
)
"""It stayed on one channel throughout the recordings."""
SENSITIVE = ReaderTraits(frequencies_khz=FCC_KHZ, sensitivity_dbm=-110.0)
"""An instrument that hears all that a tag says, for levels behind bodies."""
IN_FRONT = ({"port": 1, "portal": "door", "position": [0, 0, 1.0], "aim": [1, 0, 1.0], "cable_loss_db": 0.0},)
DOORWAY = (
    {"port": 1, "portal": "door", "position": [-0.15, 0.9, 1.5], "aim": [-1.3, 0.0, 1.0]},
    {"port": 2, "portal": "door", "position": [-0.15, -0.9, 1.5], "aim": [-1.3, 0.0, 1.0]},
    {"port": 3, "portal": "door", "position": [0.15, 0.9, 1.5], "aim": [1.3, 0.0, 1.0]},
    {"port": 4, "portal": "door", "position": [0.15, -0.9, 1.5], "aim": [1.3, 0.0, 1.0]},
)
FREE = {"environment": "open", "path_exponent": 2.0, "rician_k_db": 30.0, "ground_reflection": 0.0}
OFFICE = {"environment": "office"}
WAREHOUSE = {"environment": "warehouse"}
BARE = {"loss_db": 0.0, "loss_spread_db": 0.0}
"""Labels on nothing."""
KEEN = BARE | {"sensitivity_dbm": -24.0}
"""The newest chips."""
CHUNK_US = 1_000_000
READER = "r1"


def scenario(count, *, antennas=IN_FRONT, site=FREE, tags=BARE, **parts):
    """A scenario with one reader, one doorway without walls, and so many tags."""
    return Scenario.model_validate(
        {
            "name": "calibration",
            "quiet_end_s": 0,
            "site": site,
            "tags": {"epc_prefix": "3034257bf7194e4000", "number_bytes": 3, "count": count, **tags},
            "portals": [{"id": "door"}],
            "readers": [{"id": READER, "antennas": list(antennas)}],
            **parts,
        }
    )


def residents(places, *, first=1, **extra):
    """Tags that lie at places, numbered from `first`."""
    return [
        {"tag": number, "portal": "door", "position": [float(one) for one in place], **extra}
        for number, place in enumerate(places, first)
    ]


def shelf(count, seed=1, distance_m=1.5):
    """(n, 3) places on a shelf in front of the antenna."""
    rng = np.random.default_rng(seed)
    return rng.uniform([distance_m - 0.4, -0.5, 0.6], [distance_m + 0.4, 0.5, 1.4], (count, 3))


def walks(points, *takes):
    """One route, and walks that take it: parts of a scenario."""
    route = {"id": "way", "portal": "door", "points": points}
    return {"routes": [route], "walks": [{"route": "way", **take} for take in takes]}


class Run:
    """A reader that inventories a scenario.

    Attributes:
        reads: all that it read.
        counts: what its slots held.
        seconds: how long it ran.
    """

    def __init__(self, of, seconds, *, traits=R420, command=None, seed=1) -> None:
        world = World(of, seed, seconds, {READER: traits})
        ports = tuple(int(port) for port in world.antennas(READER).port)
        commands = {} if command is None else dict.fromkeys(ports, command)
        radio = SimpleNamespace(antennas=ports, power_dbm={}, commands=commands, extra_loss_db={}, noise_db=0.0)
        ends_us = round(1e6 * seconds)
        times_us = range(CHUNK_US, ends_us + CHUNK_US, CHUNK_US)
        self.reads = joined([world.advance(READER, until_us, radio) for until_us in times_us])
        self.counts = world._readers[READER].counts
        self.seconds = seconds

    @property
    def rate(self):
        """Reads a second."""
        return len(self.reads) / self.seconds

    def of_tag(self, number):
        """Reads of one tag."""
        return self.reads.at(np.flatnonzero(self.reads.tag == number - 1))

    def between(self, begin_s, end_s):
        """Reads of a stretch of time."""
        at_s = self.reads.at_us / 1e6
        return self.reads.at(np.flatnonzero((at_s >= begin_s) & (at_s < end_s)))


def joined(parts):
    """Reads in a row."""
    columns = {name: np.concatenate([getattr(one, name) for one in parts]) for name in Reads.__slots__ if name != "epc"}
    width = max(one.epc.shape[1] for one in parts)
    wide = [np.pad(one.epc, ((0, 0), (0, width - one.epc.shape[1]))) for one in parts]
    return Reads(**columns, epc=np.concatenate(wide))


def stays(reads):
    """(n,) numbers that change with antenna, channel and stay on it: phases compare only within one."""
    changed = (np.diff(reads.antenna) != 0) | (np.diff(reads.channel) != 0) | (np.diff(reads.at_us) > 150_000)
    return np.concatenate([[0], np.cumsum(changed)])
